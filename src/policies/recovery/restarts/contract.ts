/** What every restart policy owes its host, as checks that can be run on one. Each rule returns the violations it found, in words; none
 *  is good. */
import type { Ms } from '../../../core/time.ts';
import type { RestartDeps, RestartPolicy } from './restart-policy.ts';
import { EvenDraws } from '../../shared/fixed-draws.ts';

export type MakeRestartPolicy = (deps: RestartDeps) => RestartPolicy;

export interface RestartRule {
  /** A sentence that the policy should make true. */
  readonly name: string;
  check(make: MakeRestartPolicy): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkRestartPolicy = (make: MakeRestartPolicy): readonly string[] =>
  restartRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const restartRules: readonly RestartRule[] = [
  {
    name: 'never restarts before the end',
    check: (make) =>
      lives.flatMap((runMs) =>
        crashes(make({ rng: new EvenDraws() }), 0, runMs, 50)
          .filter(({ endedAtMs, restartAtMs }) => !(restartAtMs >= endedAtMs))
          .map(({ endedAtMs, restartAtMs }) => `restarts at ${restartAtMs} what ended at ${endedAtMs}`)
          .slice(0, 1),
      ),
  },
  {
    name: 'does not wear its host down with a process that cannot start',
    check: (make) => {
      const loop = crashes(make({ rng: new EvenDraws() }), 0, 0, 1000);
      const withinAnHour = loop.filter(({ restartAtMs }) => restartAtMs <= AN_HOUR).length;
      return withinAnHour <= 100 ? [] : [`restarts it ${withinAnHour} times in an hour`];
    },
  },
  {
    name: 'restarts soon what ran well for a day, or never does',
    check: (make) => {
      const policy = make({ rng: new EvenDraws() });
      const restarts = crashes(policy, 0, 24 * AN_HOUR, 5);
      const waits = restarts.map(({ endedAtMs, restartAtMs }) => restartAtMs - endedAtMs);
      if (waits.every((waitMs) => waitMs === Infinity)) return [];
      return waits.every((waitMs) => waitMs <= 60_000) ? [] : [`waits [${waits}] ms after days of running`];
    },
  },
  {
    name: 'judges every instance by itself',
    check: (make) => {
      const alone = make({ rng: new EvenDraws() });
      const crowded = make({ rng: new EvenDraws() });
      crashes(crowded, 1, 0, 20);
      const drawn = crowded.restartAtMs(2, 0, 1000, true) - alone.restartAtMs(2, 0, 1000, true);
      // Draws were used by the other instance, so waits may differ by their jitter, not by orders.
      return Math.abs(drawn) <= 10_000 || Number.isNaN(drawn) ? [] : [`is off by ${drawn} ms beside an instance that crashes`];
    },
  },
  {
    name: 'starts afresh with an instance that it was told to forget',
    check: (make) => {
      const policy = make({ rng: new EvenDraws() });
      const fresh = make({ rng: new EvenDraws() });
      crashes(policy, 1, 0, 20);
      policy.forget(1);
      const atMs = 2 * AN_HOUR;
      const remembered = policy.restartAtMs(1, atMs, atMs, true) - fresh.restartAtMs(1, atMs, atMs, true);
      return Math.abs(remembered) <= 10_000 || Number.isNaN(remembered)
        ? []
        : [`is off by ${remembered} ms after it was told to forget`];
    },
  },
  {
    name: 'does the same with the same draws',
    check: (make) => {
      const story = (): string =>
        crashes(make({ rng: new EvenDraws() }), 3, 5000, 40)
          .map(({ restartAtMs }) => restartAtMs)
          .join();
      return story() === story() ? [] : ['two policies with the same draws restart at different times'];
    },
  },
];

const AN_HOUR: Ms = 3_600_000;
const lives: readonly Ms[] = [0, 1, 5000, 600_000, 600_001, AN_HOUR];

interface Restart {
  readonly endedAtMs: Ms;
  readonly restartAtMs: Ms;
}

/** An instance whose process fails after so long every time. */
function crashes(policy: RestartPolicy, instance: number, runMs: Ms, times: number): readonly Restart[] {
  const restarts: Restart[] = [];
  let startedAtMs = 0;
  for (let i = 0; i < times && startedAtMs < Infinity; i++) {
    const endedAtMs = startedAtMs + runMs;
    const restartAtMs = policy.restartAtMs(instance, startedAtMs, endedAtMs, true);
    restarts.push({ endedAtMs, restartAtMs });
    if (restartAtMs < Infinity) policy.onRestarted(instance, restartAtMs);
    startedAtMs = restartAtMs;
  }
  return restarts;
}
