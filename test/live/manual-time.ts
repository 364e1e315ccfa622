/** Time that passes when a test says so, beside sockets that are real: what is due fires in order, and after each thing that fired the test
 *  says when all that followed from it on the sockets has happened. */
import { setImmediate } from 'node:timers/promises';
import type { Clock, Ms } from '../../src/core/time.ts';
import type { Timer, Timers } from '../../src/live/index.ts';

interface Pending {
  readonly atMs: Ms;
  readonly fire: () => void;
}

export class ManualTime implements Clock, Timers {
  #nowMs: Ms = 0;
  readonly #pending = new Set<Pending>();

  now(): Ms {
    return this.#nowMs;
  }

  set(delayMs: Ms, fire: () => void): Timer {
    const pending = { atMs: this.#nowMs + delayMs, fire };
    this.#pending.add(pending);
    return { clear: () => void this.#pending.delete(pending) };
  }

  /** Timers that would still fire. */
  get pending(): number {
    return [...this.#pending].filter(({ atMs }) => atMs < Infinity).length;
  }

  /** `isSettled`: whether everything on the sockets has happened. */
  async passTo(untilMs: Ms, isSettled: () => boolean = () => true): Promise<void> {
    await until(isSettled);
    for (;;) {
      let next: Pending | undefined;
      // Of equals the first that was set.
      for (const each of this.#pending) if (each.atMs <= untilMs && (next === undefined || each.atMs < next.atMs)) next = each;
      if (next === undefined) break;
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
      await until(isSettled);
    }
    this.#nowMs = untilMs;
  }
}

/** Lets the sockets work until it holds. What has not come in 20 s never will; a loop without end would outlive its test. */
export async function until(condition: () => boolean): Promise<void> {
  const latestMs = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > latestMs) throw new Error(`never came true: ${condition.toString()}`);
    await setImmediate();
  }
}
