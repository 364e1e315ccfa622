/** One adapter per kind of `detection.json`. */
import { heartbeat } from '../../../src/policies/detection/index.ts';
import { type Adapters, NotCovered } from '../vector-file.ts';
import { Script } from './stage.ts';

export const detectionAdapters: Adapters = {
  'fd.deadline.scenario': (input: {
    readonly heartbeatIntervalMs: number;
    readonly acceptableHeartbeatPauseMs: number;
    readonly steps: readonly { readonly op: string; readonly atMs: number }[];
  }) => {
    let isWatched = false;
    let isAvailable = true;
    const sink = { believe: (_slot: number, alive: boolean) => (isAvailable = alive) };
    // The sum of the two is all that matters there.
    const every = input.heartbeatIntervalMs + input.acceptableHeartbeatPauseMs;
    const detector = heartbeat.make({ every, misses: 1 }, { rng: new Script(), sink });
    const results: boolean[] = [];
    for (const { op, atMs } of input.steps) {
      detector.onTimer(atMs);
      if (op === 'avail') results.push(isAvailable);
      else if (op !== 'hb') throw new NotCovered(op);
      else if (isWatched) detector.onHeartbeat(0, atMs);
      else detector.watch(0, atMs);
      if (op === 'hb') isWatched = true;
    }
    return { results };
  },
};
