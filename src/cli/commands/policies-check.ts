/** `policies check`: one line for each thing a policy owes its driver, and below it what was found against it. */
import { exitCodes, type ExitCode } from '../../core/errors.ts';
import { checkPolicy, type PolicyReport } from '../../lab/check-policy.ts';
import { forTerminal } from '../../report/plain-text.ts';
import { plural } from '../../report/summary.ts';
import type { Role } from '../../scenario/roles.ts';
import { wrap } from '../table.ts';
import type { Terminal } from '../terminal.ts';

export interface CheckOptions {
  readonly param?: readonly string[];
  /** A role of `policies:` in scenarios. */
  readonly role?: Role;
  readonly allowOutside?: boolean;
  readonly timeLimit: number;
  readonly json?: boolean;
}

export async function checkPolicies(
  use: string,
  { param = [], role, allowOutside = false, timeLimit, json }: CheckOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const report = await checkPolicy(use, {
    params: param,
    allowOutside,
    timeLimitMs: timeLimit * 1000,
    onOutput: (text) => terminal.note(text.split('\n').map(forTerminal).join('\n')),
    ...(role === undefined ? {} : { role }),
  });
  const failed = report.checks.filter(({ violations }) => violations.length > 0).length;
  terminal.print(json === true ? asJson(report) : asText(report, failed, terminal.results.width));
  return failed === 0 ? exitCodes.ok : exitCodes.badInput;
}

function asText({ policy, role, checks }: PolicyReport, failed: number, width: number): string {
  const lines = checks.flatMap(({ name, violations }) => [
    `  ${(violations.length === 0 ? 'ok' : 'failed').padEnd(6)}  ${name}`,
    ...shown(violations).flatMap((violation) => wrapped(violation, width)),
  ]);
  const verdict =
    failed === 0
      ? `It keeps all it owes: ${plural(checks.length, 'check')}.`
      : `${failed} of ${plural(checks.length, 'check')} failed.`;
  return [forTerminal(`${role} ${policy}`), ...lines, '', verdict, ''].join('\n');
}

const maxShown = 3;

/** The same mistake is found again and again; a few say it all. */
function shown(violations: readonly string[]): readonly string[] {
  const different = [...new Set(violations)];
  if (different.length <= maxShown) return different;
  return [...different.slice(0, maxShown), `... and ${different.length - maxShown} more like these`];
}

const indent = ' '.repeat(12);
const wrapped = (text: string, width: number): string[] =>
  text.split('\n').flatMap((line) => wrap(forTerminal(line), Math.max(40, width - indent.length)).map((each) => indent + each));

function asJson({ policy, role, checks }: PolicyReport): string {
  const all = checks.map(({ name, violations }) => ({ name, ok: violations.length === 0, violations }));
  return `${JSON.stringify({ policy, role, ok: all.every(({ ok }) => ok), checks: all }, null, 2)}\n`;
}
