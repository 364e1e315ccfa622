/** A gate's report for GitHub Actions: workflow commands that put each failure on its line of the scenario. GitHub shows ten of a kind per
 *  step, so the worst come first and the rest is counted.
 *  Format: docs.github.com, "Workflow commands"; escaping as in @actions/core. */
import type { GateReport } from '../../gate/report.ts';
import { forTerminal } from '../plain-text.ts';
import { type Finding, findingsOf } from './findings.ts';
import { inOrder } from './text.ts';

const perKind = 10;
const commands = { bad: 'error', warning: 'warning', open: 'notice' } as const;

export function gateAnnotations(report: GateReport): string {
  const all = inOrder(findingsOf(report));
  return (['bad', 'warning', 'open'] as const)
    .flatMap((outcome) => {
      const own = all.filter((each) => each.outcome === outcome);
      // One of the ten is the line that counts the others.
      const shown = own.length > perKind ? own.slice(0, perKind - 1) : own;
      const more = own.length - shown.length;
      return [
        ...shown.map((each) => annotation(commands[outcome], each)),
        ...(more > 0 ? [`::${commands[outcome]} title=clusterlab::and ${more} more like these`] : []),
      ];
    })
    .map((line) => `${line}\n`)
    .join('');
}

function annotation(command: string, each: Finding): string {
  const title = `${each.check} (${each.variant})`;
  const properties = { file: each.file, line: each.line, col: each.column, endColumn: each.column + each.length, title };
  const list = Object.entries(properties).map(([key, value]) => `${key}=${property(forTerminal(String(value)))}`);
  return `::${command} ${list.join(',')}::${data(`${forTerminal(each.text)}\nAgain: ${forTerminal(each.replay)}`)}`;
}

const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
