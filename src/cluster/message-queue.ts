/** A queue of messages between services, with the guarantees of Amazon SQS standard queues and their kin: a message is delivered at
 *  least once. Whoever gets one has the visibility timeout to finish it. A message not finished by then, for whatever reason, is
 *  given to somebody else, up to `maxReceives` times, and is then put aside as dead. So a consumer's crash loses nothing, and a
 *  consumer that is merely slower than the timeout makes work twice: the queue's own kind of retry storm.
 *
 *  The oldest message that is visible goes first, one returned included, to the consumer that has been waiting longest; a consumer with
 *  several free slots goes to the back of the line after each message. Whoever finishes a message deletes it, also when its time was
 *  up; what another delivery of it then answers is a duplicate. A failure says nothing to the queue: the message comes back when
 *  its time is up (nobody changes its visibility).
 *
 *  To integrate: the timers of all messages are one track of the engine. Its event arrives as (kind, number, 0), and the world answers
 *  it with `expire()`. */
import { invariant } from '../core/errors.ts';
import { grown, grownFloats, grownInts } from '../core/grow.ts';
import type { Ms } from '../core/time.ts';
import type { Engine } from '../engine/index.ts';
import type { QueueSpec } from '../scenario/spec.ts';
import { LinkedRows } from './linked-rows.ts';
import { RowHeap } from './row-heap.ts';
import { Tally } from './tally.ts';

export interface MessageQueueHost {
  /** Gives the message to a free slot of the consumer, which counts as taken from now on. Returns the row by which the delivery is
   *  answered, later and at most once; a delivery that is never answered needs no word, its row may be used again. */
  deliver(message: number, consumer: number): number;
  /** Somebody has finished the message. Its row may be used again. */
  done(message: number): void;
  /** It was delivered `maxReceives` times in vain. Its row may be used again. */
  dead(message: number): void;
}

export interface MessageQueueSpec extends Pick<QueueSpec, 'visibilityMs' | 'maxReceives' | 'capacity'> {
  /** Instances of the consuming service. */
  readonly consumers: number;
}

const NONE = -1;
/** The only list of those that have one. */
const ALL = 0;

// Where a message is.
const FRESH = 0;
const OUT = 1;
const RETURNED = 2;

export class MessageQueue {
  /** Taken in; those a full queue refused are not among them. */
  readonly published: Tally;
  readonly refused: Tally;
  readonly done: Tally;
  /** Deliveries of a message that had been delivered before. */
  readonly redelivered: Tally;
  /** Good answers for a message that was done or dead already: work for nothing. */
  readonly duplicates: Tally;
  readonly dead: Tally;
  /** Messages held: waiting, or delivered and neither done nor dead. */
  depth: number;
  /** Of these, the ones that wait for a consumer. */
  visible: number;
  private readonly engine: Engine;
  private readonly visibilityMs: Ms;
  private readonly maxReceives: number;
  private readonly capacity: number;
  private readonly host: MessageQueueHost;
  private readonly track: number;
  private sequences: number;
  private isDispatching: boolean;
  // By message.
  private state: Int32Array;
  private receives: Int32Array;
  /** Number of the message among all ever published, -1 when the row holds none: by this a delivery knows its message again. */
  private sequence: Float64Array;
  private publishedMs: Float64Array;
  private dueMs: Float64Array;
  private order: Float64Array;
  /** Messages held, oldest first. Those never delivered are at the end, from `firstFresh`, because the oldest always goes first. */
  private readonly held: LinkedRows;
  private firstFresh: number;
  /** Messages whose time was up, by age. All are older than the fresh ones. */
  private readonly returned: RowHeap;
  /** Messages delivered, in the order in which their time will be up. */
  private readonly out: LinkedRows;
  // By consumer.
  private readonly freeSlots: Int32Array;
  /** Consumers with a free slot, waiting longest first. */
  private readonly line: LinkedRows;
  // By delivery.
  private messageOf: Int32Array;
  private sequenceOf: Float64Array;

  constructor(engine: Engine, kind: number, number: number, spec: MessageQueueSpec, host: MessageQueueHost) {
    this.published = new Tally();
    this.refused = new Tally();
    this.done = new Tally();
    this.redelivered = new Tally();
    this.duplicates = new Tally();
    this.dead = new Tally();
    this.depth = 0;
    this.visible = 0;
    this.engine = engine;
    this.visibilityMs = spec.visibilityMs;
    this.maxReceives = spec.maxReceives;
    this.capacity = spec.capacity;
    this.host = host;
    this.track = engine.addTrack(kind, number);
    this.sequences = -0; // a double from the start
    this.isDispatching = false;
    this.state = new Int32Array(64);
    this.receives = new Int32Array(64);
    this.sequence = new Float64Array(64).fill(NONE);
    this.publishedMs = new Float64Array(64);
    this.dueMs = new Float64Array(64);
    this.order = new Float64Array(64);
    this.held = new LinkedRows(1);
    this.firstFresh = NONE;
    this.returned = new RowHeap();
    this.out = new LinkedRows(1);
    this.freeSlots = new Int32Array(spec.consumers);
    this.line = new LinkedRows(1);
    this.messageOf = new Int32Array(64).fill(NONE);
    this.sequenceOf = new Float64Array(64);
  }

  /** Takes the message in, a row of the caller's that must not be here; false when the queue is full. */
  publish(message: number): boolean {
    if (this.depth >= this.capacity) {
      this.refused.add();
      return false;
    }
    while (message >= this.state.length) this.growMessages();
    invariant(this.sequence[message] === NONE, 'a message was published while it is in the queue');
    this.published.add();
    this.depth++;
    this.visible++;
    this.state[message] = FRESH;
    this.receives[message] = 0;
    this.sequence[message] = this.sequences++;
    this.publishedMs[message] = this.engine.time;
    this.held.append(ALL, message);
    if (this.firstFresh === NONE) this.firstFresh = message;
    this.dispatch();
    return true;
  }

  /** The consumer has one more slot for messages. */
  slotFree(consumer: number): void {
    if (this.freeSlots[consumer]++ === 0) this.line.append(ALL, consumer);
    this.dispatch();
  }

  /** One of its free slots is taken by something else than a message of this queue. */
  slotTaken(consumer: number): void {
    invariant(this.freeSlots[consumer] > 0, 'a consumer without a free slot has one taken');
    if (--this.freeSlots[consumer] === 0) this.line.unlink(ALL, consumer);
  }

  /** It has crashed: nothing more is given to it until it announces slots again. What it has is never answered. */
  consumerGone(consumer: number): void {
    if (this.freeSlots[consumer] === 0) return;
    this.freeSlots[consumer] = 0;
    this.line.unlink(ALL, consumer);
  }

  /** What became of a delivery. Not to be called from within `deliver`. */
  answered(delivery: number, isGood: boolean): void {
    const message = delivery < this.messageOf.length ? this.messageOf[delivery] : NONE;
    invariant(message !== NONE, 'a delivery was answered that was not made, or twice');
    this.messageOf[delivery] = NONE;
    if (!isGood) return;
    if (this.sequence[message] !== this.sequenceOf[delivery]) {
      this.duplicates.add();
      return;
    }
    if (this.state[message] === OUT) this.stopTimer(message);
    else {
      this.returned.remove(message);
      this.visible--;
    }
    this.drop(message);
    this.done.add();
    this.host.done(message);
  }

  /** The event of the track: the time of one delivered message is up. */
  expire(): void {
    const message = this.out.first[ALL];
    this.stopTimer(message);
    if (this.receives[message] >= this.maxReceives) {
      this.drop(message);
      this.dead.add();
      this.host.dead(message);
      return;
    }
    this.state[message] = RETURNED;
    this.returned.push(message, this.sequence[message]);
    this.visible++;
    this.dispatch();
  }

  /** Age of the oldest message held; 0 when there is none. */
  oldestMs(nowMs: Ms): Ms {
    const oldest = this.held.first[ALL];
    return oldest === NONE ? 0 : nowMs - this.publishedMs[oldest];
  }

  markWarmup(): void {
    this.published.mark();
    this.refused.mark();
    this.done.mark();
    this.redelivered.mark();
    this.duplicates.mark();
    this.dead.mark();
  }

  /** Looks anew each time, because `deliver` may publish, announce and take slots, and not from within `deliver`: where work takes no
   *  time, a long queue would be a deep recursion. */
  private dispatch(): void {
    if (this.isDispatching) return;
    this.isDispatching = true;
    while (this.visible > 0) {
      const consumer = this.line.first[ALL];
      if (consumer === NONE) break;
      this.deliver(this.takeOldest(), consumer);
    }
    this.isDispatching = false;
  }

  private takeOldest(): number {
    this.visible--;
    if (this.returned.size > 0) return this.returned.pop();
    const message = this.firstFresh;
    this.firstFresh = this.held.next[message];
    return message;
  }

  private deliver(message: number, consumer: number): void {
    this.line.unlink(ALL, consumer);
    if (--this.freeSlots[consumer] > 0) this.line.append(ALL, consumer);
    if (this.receives[message]++ > 0) this.redelivered.add();
    this.startTimer(message);
    const sequence = this.sequence[message];
    const delivery = this.host.deliver(message, consumer);
    while (delivery >= this.messageOf.length) this.growDeliveries();
    this.messageOf[delivery] = message;
    this.sequenceOf[delivery] = sequence;
  }

  /** The message is in the queue no more. It has been delivered, so it is not fresh. */
  private drop(message: number): void {
    this.held.unlink(ALL, message);
    this.sequence[message] = NONE;
    this.depth--;
  }

  private startTimer(message: number): void {
    this.state[message] = OUT;
    this.dueMs[message] = this.engine.time + this.visibilityMs;
    this.order[message] = this.engine.nextOrder();
    this.out.append(ALL, message);
    if (this.out.first[ALL] === message) this.showTimer();
  }

  private stopTimer(message: number): void {
    const wasFirst = this.out.first[ALL] === message;
    this.out.unlink(ALL, message);
    if (wasFirst) this.showTimer();
  }

  private showTimer(): void {
    const first = this.out.first[ALL];
    this.engine.trackTime[this.track] = first === NONE ? Infinity : this.dueMs[first];
    this.engine.trackOrder[this.track] = first === NONE ? 0 : this.order[first];
    this.engine.trackChanged(this.track);
  }

  private growMessages(): void {
    const size = this.state.length * 2;
    this.state = grownInts(this.state, size);
    this.receives = grownInts(this.receives, size);
    this.sequence = grown(this.sequence, new Float64Array(size).fill(NONE));
    this.publishedMs = grownFloats(this.publishedMs, size);
    this.dueMs = grownFloats(this.dueMs, size);
    this.order = grownFloats(this.order, size);
  }

  private growDeliveries(): void {
    const size = this.messageOf.length * 2;
    this.messageOf = grown(this.messageOf, new Int32Array(size).fill(NONE));
    this.sequenceOf = grownFloats(this.sequenceOf, size);
  }
}
