/** The policies' table of the benchmark: it measures what it says, and its marks are earned. How fast a policy is belongs to
 *  `npm run bench`; nothing here depends on the speed of the machine. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { balancers } from '../../src/policies/balancing/index.ts';

interface Row {
  readonly policy: string;
  readonly endpoints: number;
  readonly nsPerPick: number;
}
const { formatPolicies }: { formatPolicies(rows: readonly Row[]): Promise<string> } = (await import(
  join(import.meta.dirname, 'policies.mjs')
)) as never;

test('every balancer can be measured, with work in flight, reports, probes and timers', () => {
  const child = join(import.meta.dirname, 'pick.mjs');
  for (const name of ['none', 'p2c', 'least-request', 'prequal', 'client-side-weighted-round-robin']) {
    const measured = JSON.parse(execFileSync(process.execPath, [child, name, '10,20', '0.1'], { encoding: 'utf8' })) as unknown;
    // Weights make a difference to two of them, which are measured with both.
    expect(measured).toHaveProperty('1', [expect.any(Number), expect.any(Number)]);
    expect(name in balancers || name === 'none').toBe(true);
  }
});

test('a policy that grows faster than its definition says is marked, and no other', async () => {
  const rows = [
    ...row('p2c', [30, 30, 60, 119]),
    ...row('random', [30, 30, 60, 121]),
    ...row('edf-weighted-round-robin', [30, 60, 120, 239]),
    ...row('fast-weighted-round-robin', [30, 60, 120, 241]),
    ...row('weighted-round-robin', [30, 300, 3000, 30_000]),
    // Half a nanosecond is no measure for anything.
    ...row('round-robin', [0.5, 1, 20, 79]),
  ];
  const marked = (await formatPolicies(rows)).split('\n').filter((line) => line.includes('GROWS'));
  expect(marked.map((line) => line.split(' ')[0])).toEqual(['random', 'fast-weighted-round-robin']);
});

const row = (policy: string, ns: readonly number[]): Row[] =>
  [10, 100, 1000, 10_000].map((endpoints, index) => ({ policy, endpoints, nsPerPick: ns[index] }));
