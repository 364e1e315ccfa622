/** How waits grow before anything random is done to them. Repeated multiplication, so that whole numbers stay exact; retries
 *  are few. */
import type { Ms } from '../../../../core/time.ts';

/** `startMs · factor^steps`, at most `capMs`. */
export function geometricMs(startMs: Ms, factor: number, steps: number, capMs: Ms): Ms {
  let ms = startMs;
  for (let step = 0; step < steps && ms < capMs; step++) ms *= factor;
  return Math.min(ms, capMs);
}

/** In parameters a limit of 0 says that there is none. */
export const orNoLimit = (ms: Ms): Ms => (ms === 0 ? Infinity : ms);
