/** What a live pipeline is given of the machine it runs on: time, timers and chance. Each can be replaced, which is how tests advance an
 *  hour in no time. */
import { getRandomValues } from 'node:crypto';
import type { Rng } from '../core/rng.ts';
import type { Clock, Ms } from '../core/time.ts';
import { Xoshiro128 } from '../core/xoshiro.ts';

export interface Timers {
  /** Calls `fire` once after `delayMs`, unless cleared before; never before `set` has returned. */
  set(delayMs: Ms, fire: () => void): Timer;
}
export interface Timer {
  clear(): void;
}

/** A monotonic clock that starts at 0 now. */
export function systemClock(): Clock {
  const startMs = performance.now();
  return { now: () => performance.now() - startMs };
}

/** What somebody waits for: a program does not end before. */
export const systemTimers: Timers = { set: (delayMs, fire) => wait(delayMs, fire, true) };

/** What goes on beside the requests: no reason for a program to go on. */
export const backgroundTimers: Timers = { set: (delayMs, fire) => wait(delayMs, fire, false) };

function wait(delayMs: Ms, fire: () => void, keepsAlive: boolean): Timer {
  let leftMs = Math.ceil(delayMs);
  let handle: NodeJS.Timeout;
  const waitOn = (): void => {
    const partMs = Math.min(leftMs, LONGEST_MS);
    leftMs -= partMs;
    handle = setTimeout(leftMs > 0 ? waitOn : fire, partMs);
    if (!keepsAlive) handle.unref();
  };
  waitOn();
  return { clear: () => clearTimeout(handle) };
}

/** A stream of its own, different in every process: clients that draw alike would act in step. */
export function systemRng(): Rng {
  const [a, b, c, d] = getRandomValues(new Int32Array(4));
  return new Xoshiro128(a, b, c, d);
}

/** `setTimeout` takes what is longer for 1 ms. */
const LONGEST_MS: Ms = 2 ** 31 - 1;
