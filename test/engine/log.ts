/** Runs an engine and writes down what happened. */
import type { Engine } from '../../src/engine/index.ts';

export interface Logged {
  readonly time: number;
  readonly kind: number;
  readonly a: number;
  readonly b: number;
}

/** `react` is called for every event, after it was written down. */
export function logOf(engine: Engine, untilMs: number, react: (event: Logged) => unknown = () => {}): Logged[] {
  const log: Logged[] = [];
  engine.run(untilMs, {
    handle: (kind, a, b) => {
      const event = { time: engine.time, kind, a, b };
      log.push(event);
      react(event);
    },
  });
  return log;
}
