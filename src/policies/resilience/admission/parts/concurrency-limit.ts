/** A limit on requests in flight that learns from how requests went: what the adaptive policies are made of. Door, window and shares are
 *  put around it (`LimitedAdmission`, `WindowedLimit`, `partitioned`, `priority`). */
import { InputError } from '../../../../core/errors.ts';
import type { Ms } from '../../../../core/time.ts';

export interface ConcurrencyLimit {
  /** A whole number. */
  limit(): number;
  /** A request that was admitted when `inFlight` were in flight, itself included, ended `rttMs` > 0 later, or was dropped then. */
  onSample(rttMs: Ms, inFlight: number, dropped: boolean, nowMs: Ms): void;
}

/** Refuses limits that start outside their own bounds, which the systems followed either ignore or clamp without a word. */
export function checkBounds(minLimit: number, initialLimit: number, maxLimit: number, maxName: string): void {
  if (minLimit > maxLimit) {
    throw InputError.of('limit-bounds', `minLimit: ${minLimit} is above ${maxName}, which is ${maxLimit}`);
  }
  if (initialLimit < minLimit || initialLimit > maxLimit) {
    throw InputError.of(
      'limit-bounds',
      `initialLimit: ${initialLimit} is not between the least and the greatest limit, ${minLimit} and ${maxLimit}`,
      `set initialLimit, ${minLimit > 1 ? 'minLimit or ' : ''}${maxName}`,
    );
  }
}
