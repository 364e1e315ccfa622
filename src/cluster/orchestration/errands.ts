/** Things to be done later by whoever runs the cluster. Rare enough for closures; requests have events of their own. */
import type { Ms } from '../../core/time.ts';
import { type Engine, type EventHandle, priorities } from '../../engine/index.ts';
import { PolicyFault } from '../../core/errors.ts';
import { controlTimers, eventKinds } from '../events.ts';

export class Errands {
  private readonly engine: Engine;
  private readonly pending: ({ readonly act: () => void; readonly event: EventHandle } | undefined)[];
  private readonly free: number[];

  constructor(engine: Engine) {
    this.engine = engine;
    this.pending = [];
    this.free = [];
  }

  get nowMs(): Ms {
    return this.engine.time;
  }

  /** Returns what `cancel` wants. */
  later(delayMs: Ms, act: () => void, priority: number = priorities.normal): number {
    const number = this.free.pop() ?? this.pending.length;
    const event = this.engine.at(this.engine.time + delayMs, eventKinds.controlTimer, number, controlTimers.errand, priority);
    this.pending[number] = { act, event };
    return number;
  }

  cancel(number: number): void {
    const errand = this.pending[number];
    if (errand === undefined) return;
    this.engine.cancel(errand.event);
    this.pending[number] = undefined;
    this.free.push(number);
  }

  /** It is due. */
  run(number: number): void {
    const errand = this.pending[number];
    this.pending[number] = undefined;
    this.free.push(number);
    errand?.act();
  }

  /** Again and again: at `firstMs + k · everyMs`, without drift. */
  every(firstMs: Ms, everyMs: Ms, act: () => void, priority: number = priorities.normal): void {
    const turn = (k: number): void => {
      const delayMs = Math.max(0, firstMs + k * everyMs - this.engine.time);
      const next = (): void => {
        act();
        turn(k + 1);
      };
      this.later(delayMs, next, priority);
    };
    turn(0);
  }

  /** Wakes the policy when it wants to be. To be called whenever it may have changed its mind. */
  waker(name: string, policy: { nextTimerMs(): Ms; onTimer(nowMs: Ms): void }, after: () => void = () => undefined): () => void {
    let dueMs = Infinity;
    const wake = (): void => {
      const at = policy.nextTimerMs();
      if (Number.isNaN(at)) throw new PolicyFault(name, `nextTimerMs() of the ${name} returned NaN at ${this.engine.time} ms`);
      if (at >= dueMs) return;
      dueMs = at;
      this.later(Math.max(0, at - this.engine.time), () => {
        // One that was put off has been followed by another.
        if (this.engine.time < dueMs) return;
        dueMs = Infinity;
        policy.onTimer(this.engine.time);
        after();
        wake();
      });
    };
    return wake;
  }
}
