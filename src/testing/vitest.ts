/** `clusterlab/vitest`: matchers for vitest 4, and the contract of a role as a suite. Importing it registers the matchers. */
import { describe, expect, test } from 'vitest';
import { contractOf, type ContractRole, type MakeFor } from './contracts.ts';
import type { Measurement } from './scenario.ts';
import { checkSlo, compareMeasurements, type NoWorseOptions } from './slo.ts';

interface NoWorseMatcherOptions extends NoWorseOptions {
  /** What an undecided comparison is; by default a failure that asks for more seeds. */
  readonly inconclusive?: 'fail' | 'pass';
}

interface ClusterlabMatchers<Result = unknown> {
  /** Keeps a promise, or all of several, as `expect:` in scenarios writes it: `latency.p99 < 250ms`. */
  toMeetSlo(slo: string | readonly string[]): Result;
  /** Is worse by no more than the margin, on paired seeds. */
  toBeNoWorseThan(other: Measurement, options?: NoWorseMatcherOptions): Result;
}

declare module 'vitest' {
  // The type parameter must be written as vitest writes it.
  // oxlint-disable-next-line typescript/no-explicit-any
  interface Matchers<T = any> extends ClusterlabMatchers<T> {}
}

function measurement(received: unknown, matcher: string): Measurement {
  const isOne = typeof received === 'object' && received !== null && 'variant' in received && 'run' in received;
  if (!isOne) throw new TypeError(`${matcher} asks a variant: expect(result.of('p2c')).${matcher}(…)`);
  return received as Measurement;
}

expect.extend({
  toMeetSlo(received: unknown, slo: string | readonly string[]) {
    const answers = [slo].flat().map((each) => checkSlo(measurement(received, 'toMeetSlo'), each));
    const failed = answers.filter(({ pass }) => !pass);
    const shown = failed.length > 0 ? failed : answers;
    return { pass: failed.length === 0, message: () => shown.map(({ text }) => text).join('\n') };
  },
  toBeNoWorseThan(received: unknown, other: Measurement, { inconclusive = 'fail', ...options }: NoWorseMatcherOptions = {}) {
    const mine = measurement(received, 'toBeNoWorseThan');
    const { verdict, text } = compareMeasurements(mine, measurement(other, 'toBeNoWorseThan'), options);
    const pass = verdict === 'inconclusive' ? inconclusive === 'pass' : verdict !== 'worse';
    const advice = verdict === 'inconclusive' ? "\nAdd seeds, or accept it with { inconclusive: 'pass' }." : '';
    return { pass, message: () => text + advice };
  },
});

/** Registers a test per rule: `contractSuite('balancer', 'mine', (rng) => new MyBalancer({ rng }))`. */
export function contractSuite<Role extends ContractRole>(role: Role, name: string, make: MakeFor<Role>): void {
  describe(`${name} keeps the contract of a ${role}: it`, () => {
    for (const rule of contractOf(role, make)) test(rule.name, () => expect(rule.check()).toEqual([]));
  });
}
