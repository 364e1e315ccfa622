/** A gate's report as a comment on a pull request: the verdict, then the table of what is not good, then what changed against the
 *  baseline. Also the job summary of GitHub Actions. */
import type { GateReport, GateScenario } from '../../gate/report.ts';
import { formatMetric } from '../format.ts';
import { forMarkdown } from '../plain-text.ts';
import { changeText, type Finding, findingsOf, headline, marginText, type Outcome } from './findings.ts';
import { inOrder } from './text.ts';

/** A comment is no place for hundreds of rows. */
const rowsMax = 40;

export function gateMarkdown(report: GateReport): string {
  const all = inOrder(findingsOf(report));
  const open = all.filter(({ outcome }) => outcome !== 'good');
  const blocks = [
    `### ${icons[verdictIcon(report)]} ${forMarkdown(headline(report))}`,
    findingsTable(open, 'Everything holds.'),
    ...report.scenarios.flatMap((scenario) => [changesTable(scenario, report), notes(scenario)]),
    ...(open.length < all.length && all.length > 0
      ? [
          `<details><summary>${all.length - open.length} of ${all.length} checks hold</summary>\n\n${findingsTable(
            all.filter(({ outcome }) => outcome === 'good'),
            '',
          )}\n\n</details>`,
        ]
      : []),
    ...report.scenarios.map((scenario) => fenced(scenario.replay)),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

const icons: Readonly<Record<Outcome, string>> = { good: '✅', bad: '❌', warning: '⚠️', open: '❔' };
const verdictIcon = ({ verdict }: GateReport): Outcome => (verdict === 'passed' ? 'good' : verdict === 'failed' ? 'bad' : 'open');

function findingsTable(findings: readonly Finding[], otherwise: string): string {
  if (findings.length === 0) return otherwise;
  const rows = findings
    .slice(0, rowsMax)
    .map(({ outcome, check, variant, text, file, line }) => [
      icons[outcome],
      forMarkdown(check),
      forMarkdown(variant),
      forMarkdown(text),
      forMarkdown(`${file}:${line}`),
    ]);
  const more = findings.length - rows.length;
  return `${table(['', 'check', 'variant', 'found', 'where'], rows)}${more > 0 ? `\n\nand ${more} more` : ''}`;
}

function changesTable({ name, comparisons, seeds }: GateScenario, { baseline }: GateReport): string {
  if (comparisons.length === 0) return '';
  const rows = comparisons
    .slice(0, rowsMax)
    .map((each) => [
      forMarkdown(each.variant),
      forMarkdown(each.text),
      formatMetric(each.metric, each.baselineMean),
      formatMetric(each.metric, each.currentMean),
      each.reason === '' ? changeText(each) : '–',
      each.reason === '' ? marginText(each) : '–',
      each.verdict === 'inconclusive' ? '~ inconclusive' : each.verdict === 'equivalent' ? 'equivalent' : `**${each.verdict}**`,
    ]);
  const header = ['variant', 'metric', forMarkdown(baseline), 'now', 'change, 95 % interval', 'margin', 'verdict'];
  return `**${forMarkdown(name)}** against ${forMarkdown(baseline)}, ${seeds} paired seeds\n\n${table(header, rows)}`;
}

const notes = ({ notes: all }: GateScenario): string => all.map((note) => `- ${forMarkdown(note)}`).join('\n');

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => ':---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** A fence longer than any run of backticks inside. */
function fenced(text: string): string {
  const fence = '`'.repeat(Math.max(3, 1 + Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))));
  return `${fence}sh\n${text}\n${fence}`;
}
