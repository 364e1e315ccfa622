/** The whole report in one file that needs no network: verdict, pictures, numbers, and everything it takes to get them again. All text
 *  from the scenario is escaped, and a content security policy allows exactly the scripts and the style written here. The same run
 *  gives the same bytes. */
import { createHash } from 'node:crypto';
import { forTerminal, forHtml, forScript } from './plain-text.ts';
import type { RunFile } from '../lab/types.ts';
import { charts, withPlainNames } from './charts/index.ts';
import { vegaScript } from './html/assets.ts';
import { packChart, type PackedChart } from './html/chart-data.ts';
import { decisions } from './html/decisions.ts';
import { inputs } from './html/inputs.ts';
import { pageScript } from './html/page-script.ts';
import { pageStyle } from './html/style.ts';
import { dataTable, expectationTable, metricTable, notes, variantTable } from './html/tables.ts';
import { swatch } from './html/swatch.ts';
import { summarize } from './summary.ts';
import { atOneLoad } from './charts/one-load.ts';
import { variantLooks } from './charts/palette.ts';
import { alarmTable } from './tables/alarms.ts';
import { detectionTable, judgesInstances } from './tables/detection.ts';
import { faultTable } from './tables/faults.ts';
import { ledgerTable } from './tables/ledger.ts';
import { partTables } from './tables/parts.ts';
import { queueTable } from './tables/queues.ts';
import { recoveryTable } from './tables/recovery.ts';
import { rolloutTables } from './tables/rollouts.ts';
import { scalingTables } from './tables/scaling.ts';
import { sizeTables } from './tables/sizes.ts';

export async function renderHtml(original: RunFile): Promise<string> {
  const run = withPlainNames(original);
  const packed: PackedChart[] = [];
  for (const [name, chart] of Object.entries(charts)) {
    if (chart.when(run)) packed.push(await packChart(name, chart.title, chart.spec(run)));
  }
  const scripts = [await vegaScript(), pageScript];
  const title = forTerminal(run.scenario.name);
  return `<!doctype html>
<html lang="en" data-ready="false">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(scripts, pageStyle)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="clusterlab ${forHtml(run.version)}">
<title>${forHtml(title)}: clusterlab report</title>
<style>${pageStyle}</style>
</head>
<body>
<a class="skip" href="#differences">Skip to the results</a>
<main>
${head(run)}
${section('recovery', 'Did it come back?', figures(packed, ['recovery']) + dataTable(recoveryTable(run)) + sentenceList(recoveryTexts(run)))}
${section('loads', 'Over loads', figures(packed, ['load-sweep']) + sentenceList(run.crossings.map((each) => each.sentence)))}
${section('differences', 'Is the difference real?', figures(packed, ['forest']))}
${section('numbers', 'Numbers', numbers(run) + figures(packed, ['per-seed']))}
${highlighter(run)}
${section('faults', ...faults(run, packed))}${changes(run, packed)}
${section('time', 'Over time', figures(packed, ['latency-over-time', 'availability-over-time', 'budget-burn', 'load-over-time', 'attempts-over-time']), timeHint)}${scaling(run, packed)}
${section('tail', 'The tail', figures(packed, ['latency-survival', 'latency-percentiles']))}
${section('load', 'Who carried the load', figures(packed, ['instance-heatmap', 'load-spread']))}
${section('calls', 'Who called whom', partTables(run).map(dataTable).join('\n'))}
${section('queues', 'Queues of messages', figures(packed, ['queues-over-time']) + dataTable(queueTable(run)))}
${section('requests', 'What the slowest requests did', figures(packed, waterfallNames(packed)))}
${section('decisions', 'Why requests went where they went', decisions(run))}
${section('inputs', 'Inputs', inputs(run))}
</main>
<noscript><p class="notice">The pictures are drawn by scripts inside this file, which are switched off.</p></noscript>
<script type="application/json" id="charts">${forScript(packed)}</script>
${scripts.map((script) => `<script>${script}</script>`).join('\n')}
</body>
</html>
`;
}

/** Nothing may be loaded from anywhere, and nothing may run but what has one of these digests. */
function policy(scripts: readonly string[], style: string): string {
  const digest = (text: string): string => `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;
  return [
    "default-src 'none'",
    `script-src ${scripts.map(digest).join(' ')}`,
    `style-src ${digest(style)}`,
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function head(run: RunFile): string {
  const { name, scale, requests, loops } = summarize(run);
  const [first, ...rest] = run.verdict.map(forTerminal);
  const about = run.scenario.about === '' ? '' : `<p class="about">${forHtml(run.scenario.about)}</p>`;
  const verdict =
    first === undefined ? '' : `<p class="verdict${first.length > longVerdict ? ' long' : ''}">${forHtml(first)}</p>`;
  return `<header>
<h1>${forHtml(forTerminal(name))}</h1>
${about}
${verdict}
${rest.map((sentence) => `<p class="more">${forHtml(sentence)}</p>`).join('\n')}
<p class="scale">${[...scale, requests].map(forHtml).join(' · ')}<br>${forHtml(forTerminal(loops))}</p>
${expectationBadge(run)}
</header>`;
}

/** Characters; beyond, a headline is no longer read at a glance and is set smaller. */
const longVerdict = 140;

function expectationBadge(run: RunFile): string {
  const { expectations } = run;
  if (expectations.length === 0) return '';
  const failed = expectations.filter((each) => !each.passed).length;
  const text =
    failed === 0 ? `All ${expectations.length} expectations hold` : `${failed} of ${expectations.length} expectations fail`;
  return `<p><a class="badge ${failed === 0 ? 'pass' : 'fail'}" href="#numbers">${failed === 0 ? '✓' : '✗'} ${text}</a></p>`;
}

const numbers = (run: RunFile): string =>
  [variantTable(run), notes(run), expectationTable(run), dataTable(ledgerTable(run)), budget(run), metricTable(run)].join('\n');

/** Where nobody judges instances, the table has only the users' part. */
const budget = (run: RunFile): string => (judgesInstances(run) ? '' : dataTable(detectionTable(run)));

/** Heading and content: what the faults did, who noticed, and what that was worth. */
function faults(run: RunFile, packed: readonly PackedChart[]): [string, string] {
  const harm = dataTable(faultTable(run));
  const judged = judgesInstances(run) ? dataTable(detectionTable(run)) : '';
  const fired = dataTable(alarmTable(run));
  const content =
    harm + figures(packed, ['belief-timeline', 'detection-frontier']) + judged + figures(packed, ['alarms']) + fired;
  return [harm === '' ? 'Who noticed' : 'Faults, and who noticed them', content];
}

/** What was rolled out, how that went, and what it did. Starts a line of its own where there is something to say. */
function changes(run: RunFile, packed: readonly PackedChart[]): string {
  const [summary, ...rest] = rolloutTables(run).map(dataTable);
  const pictures = figures(packed, ['traffic-by-version', 'canary', 'version-map', 'leaders']);
  const content = section('changes', 'Changes', [summary ?? '', pictures, ...rest].join('\n'));
  return content === '' ? '' : `\n${content}`;
}

/** Starts a line of its own where there is something to say. */
function scaling(run: RunFile, packed: readonly PackedChart[]): string {
  const tables = [...scalingTables(run), ...sizeTables(run)].map(dataTable).join('\n');
  const content = section(
    'scaling',
    'Did capacity follow demand?',
    figures(packed, ['replicas', 'pareto']) + tables + figures(packed, ['nodes']),
  );
  return content === '' ? '' : `\n${content}`;
}

/** What the verdict does not say already: with many variants it only counts them. */
function recoveryTexts({ variants, verdict }: RunFile): string[] {
  const said = verdict.join(' ');
  return variants
    .flatMap(({ metastability }) => [metastability?.sentence ?? '', metastability?.escape?.sentence ?? ''])
    .filter((text) => text !== '' && !said.includes(text.replace(/\.$/, '')));
}

const sentenceList = (sentences: readonly string[]): string =>
  sentences.length === 0
    ? ''
    : `<ul class="notes">${sentences.map((text) => `<li>${forHtml(forTerminal(text))}</li>`).join('')}</ul>`;

const waterfallNames = (packed: readonly PackedChart[]): string[] =>
  packed.map(({ name }) => name).filter((name) => name.startsWith('waterfall-'));

const timeHint = 'Drag a picture to move along, hold Shift and turn the wheel to zoom, double-click to go back.';

function section(id: string, title: string, content: string, hint = ''): string {
  if (content.trim() === '') return '';
  return `<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${hint === '' ? '' : `<p class="hint">${hint}</p>\n`}${content}
</section>`;
}

const figures = (packed: readonly PackedChart[], names: readonly string[]): string =>
  packed
    .filter(({ name }) => names.includes(name))
    .map(
      ({ name, title, finding }) => `<figure id="chart-${name}">
<div class="plot" role="img" aria-label="${forHtml(`${title}: ${finding}`)}"></div>
<figcaption>
<span>${forHtml(title)}</span>
<span class="tools"><button type="button" data-save="svg">SVG</button><button type="button" data-save="vega">Vega-Lite</button><button type="button" data-save="csv">CSV</button></span>
</figcaption>
<details><summary>Data</summary><div class="rows"></div></details>
</figure>`,
    )
    .join('\n');

/** Picks a variant out in all charts at once; the same as a click on a legend, but reachable by keyboard. */
function highlighter(run: RunFile): string {
  const looks = variantLooks(atOneLoad(run));
  if (looks.length < 2) return '';
  const buttons = looks.map(
    (look) =>
      `<button type="button" aria-pressed="false" data-variant="${forHtml(look.label)}">${swatch(look)}${forHtml(look.label)}</button>`,
  );
  return `<div class="highlighter" role="group" aria-label="Highlight a variant in the charts"><span>Highlight</span>${buttons.join('')}</div>`;
}
