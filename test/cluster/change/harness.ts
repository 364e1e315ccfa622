/** A world with nothing in it but errands, for what is driven by them. */
import { Streams } from '../../../src/core/streams.ts';
import { controlTimers, eventKinds } from '../../../src/cluster/events.ts';
import { Errands } from '../../../src/cluster/orchestration/errands.ts';
import { Engine, priorities } from '../../../src/engine/index.ts';

export class Bench {
  readonly engine = new Engine();
  readonly errands = new Errands(this.engine);
  readonly streams: Streams;

  constructor(seed = 'change') {
    this.streams = new Streams(seed);
  }

  get nowMs(): number {
    return this.engine.time;
  }

  /** At a moment of the run, before all else that happens then, as faults. */
  at(ms: number, act: () => void): void {
    this.errands.later(ms - this.nowMs, act, priorities.fault);
  }

  /** All that happens before that moment. */
  run(untilMs: number): void {
    this.engine.run(untilMs, {
      handle: (kind, number, purpose) => {
        if (kind !== eventKinds.controlTimer || purpose !== controlTimers.errand) throw new Error(`event ${kind}/${purpose}`);
        this.errands.run(number);
      },
    });
  }
}
