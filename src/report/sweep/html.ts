/** A sweep as one page that needs no network and no script: the answer, the pictures, all numbers, how to get them again. */
import { createHash } from 'node:crypto';
import type { SweepFile } from '../../lab/sweep/types.ts';
import { formatEstimate, formatPercent } from '../format.ts';
import { pageStyle } from '../html/style.ts';
import { forHtml, forTerminal } from '../plain-text.ts';
import { cellEstimate, effectText, nobody } from './rows.ts';

/** Beyond, the page would be heavy; sweep.csv has all of them. */
const rowsMax = 500;

/** `pictures`: title and SVG. */
export function sweepHtml(sweep: SweepFile, pictures: readonly { readonly title: string; readonly svg: string }[]): string {
  const text = (value: string): string => forHtml(forTerminal(value));
  const { scenario, verdict, variants, seeds, points } = sweep;
  const [first = '', ...rest] = verdict;
  const digest = createHash('sha256').update(pageStyle, 'utf8').digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; img-src data:; base-uri 'none'; form-action 'none'`;
  const image = (svg: string): string => `data:image/svg+xml;base64,${Buffer.from(svg, 'utf8').toString('base64')}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(scenario.name)}: sweep</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<header>
<h1>${text(scenario.name)}</h1>
${scenario.about === '' ? '' : `<p class="about">${text(scenario.about)}</p>`}
<p class="verdict long">${text(first)}</p>
${rest.map((sentence) => `<p class="more">${text(sentence)}</p>`).join('\n')}
<p class="scale">${points.length} points · ${variants.length} variants · ${seeds.length} seeds · ${text(sweep.metric)}${sweep.complete ? '' : ' · incomplete'}</p>
</header>
${pictures.map(({ title, svg }) => `<figure><div class="plot"><img alt="${text(title)}" src="${image(svg)}"></div></figure>`).join('\n')}
<section><h2>What matters</h2>${effectTable(sweep, text)}</section>
<section><h2>Every point</h2>${pointTable(sweep, text)}</section>
<section><h2>Inputs</h2><pre>${text(sweep.replay)}</pre><details><summary>${text(scenario.file)}</summary><pre>${forHtml(scenario.text)}</pre></details></section>
</main>
</body>
</html>
`;
}

type Text = (value: string) => string;

function effectTable({ effects, metric }: SweepFile, text: Text): string {
  const rows = effects
    .filter(({ share }) => share > 0)
    .map(({ factors, share, levels }) => {
      const parts = levels.map(({ value, effect }) => `${value} ${effectText(metric, effect.mean)}`).join(', ');
      return `<tr><td>${text(factors.join(' with '))}</td><td>${formatPercent(share)}</td><td>${text(parts)}</td></tr>`;
    });
  if (rows.length === 0) return '<p>Nothing varies.</p>';
  return `<table><thead><tr><th>factor</th><th>share of the variation</th><th>effect on the mean</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function pointTable(sweep: SweepFile, text: Text): string {
  const { factors, variants, winners, points, metric } = sweep;
  const head = [...factors.map(({ path }) => path), ...variants, 'winner'].map((name) => `<th>${text(name)}</th>`).join('');
  const rows = points.slice(0, rowsMax).map(({ levels }, point) => {
    const cells = [
      ...levels.map((level, i) => text(factors[i].values[level])),
      ...variants.map((_, variant) => {
        const { value, interval } = formatEstimate(metric.split('{', 1)[0], cellEstimate(sweep, point, variant));
        return text(value) + (interval === null ? '' : `<br><small>${text(interval)}</small>`);
      }),
      text(variants[winners[point].winner] ?? (variants.length > 1 ? nobody : '')),
    ];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const more = points.length - rows.length;
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>${more > 0 ? `<p>and ${more} more in sweep.csv</p>` : ''}`;
}
