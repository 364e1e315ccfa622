/** Messages that all take the same time: they arrive in the order sent, so a ring buffer holds them and nothing enters the
 *  calendar. The track fires once per message; `takeA`/`takeB` give what was sent. Not cancellable. */
import type { Ms } from '../core/time.ts';
import type { Engine } from './engine.ts';

export class DelayLine {
  readonly delay: Ms;
  private readonly engine: Engine;
  private readonly track: number;
  private due: Float64Array;
  private order: Float64Array;
  private as: Int32Array;
  private bs: Int32Array;
  private head: number;
  private count: number;

  /** A message arrives at the world as (kind, line, 0). */
  constructor(engine: Engine, kind: number, line: number, delay: Ms) {
    this.delay = delay;
    this.engine = engine;
    this.track = engine.addTrack(kind, line);
    this.due = new Float64Array(64);
    this.order = new Float64Array(64);
    this.as = new Int32Array(64);
    this.bs = new Int32Array(64);
    this.head = 0;
    this.count = 0;
  }

  send(a: number, b: number): void {
    if (this.count === this.due.length) this.grow();
    const index = (this.head + this.count) & (this.due.length - 1);
    this.due[index] = this.engine.time + this.delay;
    this.order[index] = this.engine.nextOrder();
    this.as[index] = a;
    this.bs[index] = b;
    if (this.count++ === 0) this.show();
  }

  /** What the arriving message carries; read both, then `advance`. */
  headA(): number {
    return this.as[this.head];
  }
  headB(): number {
    return this.bs[this.head];
  }

  /** Drops the message that arrived and shows the next one. */
  advance(): void {
    this.head = (this.head + 1) & (this.due.length - 1);
    this.count--;
    this.show();
  }

  private show(): void {
    this.engine.trackTime[this.track] = this.count === 0 ? Infinity : this.due[this.head];
    this.engine.trackOrder[this.track] = this.order[this.head];
    this.engine.trackChanged(this.track);
  }

  private grow(): void {
    const size = this.due.length;
    const unroll = <Buffer extends Float64Array | Int32Array>(from: Buffer, to: Buffer): Buffer => {
      for (let i = 0; i < size; i++) to[i] = from[(this.head + i) & (size - 1)];
      return to;
    };
    this.due = unroll(this.due, new Float64Array(size * 2));
    this.order = unroll(this.order, new Float64Array(size * 2));
    this.as = unroll(this.as, new Int32Array(size * 2));
    this.bs = unroll(this.bs, new Int32Array(size * 2));
    this.head = 0;
  }
}
