/** `min cost subject to latency.p99 < 250ms and availability >= 99.9%`, taken apart. Metrics and limits are checked with the scenario, as
 *  lines of `expect`. */
import { InputError } from '../../core/errors.ts';
import { show } from '../../core/quantity.ts';

export interface Goal {
  readonly text: string;
  readonly direction: 'min' | 'max';
  /** `latency.p99` or `latency.p99{class=read}`. */
  readonly metric: string;
  readonly constraints: readonly string[];
}

const example = 'write "min cost subject to latency.p99 < 250ms and availability >= 99.9%"';
/** What stands between braces may hold anything. */
const words = String.raw`((?:[^{]|\{[^}]*\})+?)`;
const goalPattern = new RegExp(
  String.raw`^(min|max|minimi[sz]e|maximi[sz]e)\s+${words}(?:\s+(?:subject\s+to|s\.t\.|such\s+that|where|while)\s+(.+))?$`,
  'is',
);

/** Throws InputError. */
export function parseGoal(text: string): Goal {
  const complain = (problem: string, hint = example): InputError => InputError.of('bad-goal', `--goal: ${problem}`, hint);
  const [, verb, metric, rest] = goalPattern.exec(text.trim()) ?? [];
  if (verb === undefined || metric === undefined) throw complain(`${show(text)} is not a goal`);
  if (/\s/.test(metric.replace(/\{[^}]*\}/g, '').trim()))
    throw complain(
      `${show(metric)} is not one metric`,
      rest === undefined ? example : 'one goal; everything else goes behind "subject to"',
    );
  const constraints = rest === undefined ? [] : splitChecks(rest);
  if (constraints.includes('')) throw complain(`${show(rest)} has an empty promise`);
  return { text: text.trim(), direction: /^min/i.test(verb) ? 'min' : 'max', metric: metric.trim(), constraints };
}

/** At `and`, `&&` and commas that stand in no braces. */
function splitChecks(text: string): string[] {
  const hidden: string[] = [];
  const flat = text.replace(/\{[^}]*\}/g, (part) => `{${hidden.push(part) - 1}}`);
  return flat
    .split(/\s+and(?:\s+|$)|\s*&&\s*|\s*,\s*/i)
    .map((part) => part.trim().replace(/\{(\d+)\}/g, (_, index: string) => hidden[Number(index)]));
}
