/** A world whose load changes for good at one instant, everything else being the same to the last draw: arrivals before it come at the same
 *  instants as without. Only streams with a rate can be changed while they run; a number of users, a recorded replay and bursts by the
 *  clock cannot. */
import type { Ms } from '../core/time.ts';
import { curveOf, multiply } from '../scenario/rate-curve-spec.ts';
import type { Scenario } from '../scenario/spec.ts';

export interface LoadStep {
  readonly atMs: Ms;
  /** On the rate of every stream from then on. */
  readonly factor: number;
}

type World = Omit<Scenario, 'variants'>;

export function withLoadStep(world: World, { atMs, factor }: LoadStep): World {
  const step = curveOf([
    { atMs: 0, factor: 1 },
    { atMs, factor: 1 },
    { atMs, factor },
  ]);
  const { durationMs } = world.run;
  const traffic = world.traffic.map((stream) => ({ ...stream, profile: multiply(stream.profile, step, durationMs) }));
  return { ...world, traffic };
}

/** Names of the streams that go on as they are whatever the step says. */
export const streamsWithoutRate = (world: World): string[] =>
  world.traffic.filter(({ arrivals }) => !('perSecond' in arrivals || arrivals.type === 'mmpp')).map(({ name }) => name);
