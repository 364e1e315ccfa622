/** A gate's report for people at a terminal and in logs: what failed first, each with its place and the command that repeats it, then the
 *  verdict. */
import type { GateReport } from '../../gate/report.ts';
import { forTerminal } from '../plain-text.ts';
import { type Finding, findingsOf, headline, type Outcome } from './findings.ts';

export interface GateLook {
  readonly unicode: boolean;
  /** Only what is not good. */
  readonly quiet?: boolean;
}

export function gateText(report: GateReport, { unicode, quiet = false }: GateLook): string {
  const marks: Readonly<Record<Outcome, string>> = unicode
    ? { good: '✓', bad: '✗', warning: '⚠', open: '~' }
    : { good: 'ok', bad: 'FAIL', warning: 'WARN', open: '~' };
  const all = findingsOf(report);
  const lines = report.scenarios.flatMap((scenario) => {
    const own = all.filter((each) => each.scenario === scenario.name);
    const seeds =
      scenario.seeds < scenario.seedsMax ? `${scenario.seeds} of ${scenario.seedsMax} seeds` : `${scenario.seeds} seeds`;
    const isBad = own.some(({ outcome }) => outcome === 'bad' || outcome === 'warning');
    const shown = quiet ? own.filter(({ outcome }) => outcome !== 'good') : own;
    if (quiet && shown.length === 0) return [];
    return [
      `${scenario.name}   ${seeds}, ${own.length} ${own.length === 1 ? 'check' : 'checks'}`,
      ...inOrder(shown).map((each) => lineOf(each, marks)),
      ...scenario.notes.map((note) => `  note: ${note}`),
      ...(isBad ? [`  Again: ${scenario.replay}`] : []),
      '',
    ];
  });
  return `${[...lines, headline(report)].map(forTerminal).join('\n')}\n`;
}

const lineOf = (each: Finding, marks: Readonly<Record<Outcome, string>>): string =>
  `${each.file}:${each.line}:${each.column} ${marks[each.outcome]} ${each.check}   ${each.variant}: ${each.text}`;

const order: readonly Outcome[] = ['bad', 'warning', 'open', 'good'];

/** Worst first. */
export const inOrder = (findings: readonly Finding[]): Finding[] =>
  findings.toSorted((x, y) => order.indexOf(x.outcome) - order.indexOf(y.outcome) || y.weight - x.weight);
