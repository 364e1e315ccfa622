/** The same world under another load: every stream's requests multiplied by one factor. */
import type { World } from './compile.ts';
import type { ArrivalSpec, TrafficSpec } from './spec.ts';

export const atLoad = <Any extends Pick<World, 'traffic'>>(world: Any, factor: number): Any => ({
  ...world,
  traffic: world.traffic.map((stream) => ({ ...stream, arrivals: scaled(stream.arrivals, factor) })),
});

/** A recording that is over well before the run: what follows is silence, not load. */
export const endsEarly = ({ traffic, run }: Pick<World, 'traffic' | 'run'>): TrafficSpec | undefined =>
  traffic.find(
    ({ arrivals }) => arrivals.type === 'replay' && !arrivals.closed && arrivals.data.timesMs.at(-1)! < 0.95 * run.durationMs,
  );

/** Rates where there are rates; of users and of bursts the number; a recording is played faster. */
function scaled(arrivals: ArrivalSpec, factor: number): ArrivalSpec {
  switch (arrivals.type) {
    case 'users':
      return { ...arrivals, users: Math.max(1, Math.round(arrivals.users * factor)) };
    case 'bursts':
      return { ...arrivals, size: Math.max(1, Math.round(arrivals.size * factor)) };
    case 'mmpp':
      return { ...arrivals, states: arrivals.states.map((state) => ({ ...state, perSecond: state.perSecond * factor })) };
    case 'replay':
      return { ...arrivals, data: { ...arrivals.data, timesMs: arrivals.data.timesMs.map((timeMs) => timeMs / factor) } };
    default:
      return { ...arrivals, perSecond: arrivals.perSecond * factor };
  }
}
