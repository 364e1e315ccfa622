/** Faults of any kind and schedule in few words, and what tests of them look at. */
import { Streams } from '../../../src/core/streams.ts';
import type { Detector, DetectorDeps } from '../../../src/policies/detection/detector.ts';
import type { DistributionSpec } from '../../../src/core/distribution-spec.ts';
import type { FaultEffect, FaultSchedule, FaultSpec, LinkSpec } from '../../../src/scenario/spec.ts';
import { constant, type Played, rounded } from '../world-builder.ts';

/** At `instances` of the one service; `rest` for hit and cascade. */
export const fault = (
  effect: FaultEffect,
  instances: readonly number[],
  schedule: FaultSchedule,
  rest: Partial<Pick<FaultSpec, 'hit' | 'cascade'>> = {},
): FaultSpec => ({
  hit: 1,
  ...effect,
  label: effect.type,
  targets: instances.map((instance) => ({ service: 0, instance })),
  schedule,
  ...rest,
});

export const once = (atMs: number, forMs = Infinity): FaultSchedule => ({ type: 'once', atMs, forMs });
export const flapping = (
  atMs: number,
  forMs: number,
  down: number | DistributionSpec,
  up: number | DistributionSpec,
): FaultSchedule => ({
  type: 'flapping',
  atMs,
  forMs,
  down: lawOf(down),
  up: lawOf(up),
});
const lawOf = (law: number | DistributionSpec): DistributionSpec => (typeof law === 'number' ? constant(law) : law);

export const around = (direction: 'in' | 'out' | 'both'): LinkSpec => ({ type: 'instances', direction });
export const between = (from: string, to: string, oneWay = false): LinkSpec => ({
  type: 'zones',
  from: [from],
  to: [to],
  oneWay,
});

/** Times at which instances were bad: name, from, to. */
export const badTimes = (played: Played): (string | number)[][] =>
  played.truth.map(({ instance, fromMs, toMs }) => [instance, rounded(fromMs), rounded(toMs)]);

/** When whose heartbeats arrived, and their numbers. Believes whatever it likes: nothing. */
export function listener(everyMs: number): {
  detector: (deps: DetectorDeps) => Detector;
  heard: { slot: number; ms: number; beat: number }[];
} {
  const heard: { slot: number; ms: number; beat: number }[] = [];
  const nothing = (): void => {};
  const detector = (): Detector => ({
    heartbeatEveryMs: everyMs,
    watch: nothing,
    unwatch: nothing,
    onHeartbeat: (slot, ms, beat) => heard.push({ slot, ms: rounded(ms), beat }),
    nextTimerMs: () => Infinity,
    onTimer: nothing,
  });
  return { detector, heard };
}

/** The phase of each instance in [0, 1): of its heartbeats, or of its renewals (`discovery/phase`), in the world of this seed. */
export const phasesOf = (stream: string, count: number, seed = 'test:1'): number[] => {
  const rng = new Streams(seed).stream(stream);
  return Array.from({ length: count }, () => rng.next());
};

/** Instants (k + phase) · every: the last before `ms`, and the first from it on. */
export const lastBefore = (ms: number, everyMs: number, phase: number): number =>
  (Math.ceil(ms / everyMs - phase) - 1 + phase) * everyMs;
export const firstFrom = (ms: number, everyMs: number, phase: number): number =>
  (Math.ceil(ms / everyMs - phase) + phase) * everyMs;
