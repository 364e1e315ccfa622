/** Queues of messages between services: the rows behind their messages and deliveries. A message is a request on the edge that publishes
 *  it, over when it has been done; each delivery is a request on the queue's own edge. */
import { type Engine } from '../engine/index.ts';
import { type Outcome, outcomes } from '../policies/balancing/balancer.ts';
import { type RequestResult, results } from '../policies/pipeline/results.ts';
import type { Scenario } from '../scenario/spec.ts';
import type { QueueResult } from '../stats/result.ts';
import { stages } from './call-table.ts';
import type { Client } from './client.ts';
import type { EdgeDraws } from './edge-draws.ts';
import { eventKinds } from './events.ts';
import type { Fleet } from './fleet.ts';
import { MessageQueue } from './message-queue.ts';
import {
  ARRIVAL_MS,
  AWAITED,
  CLIENT,
  HELD_BY_CALLER,
  HELD_BY_SERVER,
  HOLDERS,
  INDEX,
  INSTANCE,
  type RequestTable,
  TAG,
} from './request-table.ts';

export interface MessagesHost {
  /** A message is published on this edge by a service. */
  begin(request: number): void;
  finish(request: number, result: RequestResult): void;
  /** A delivery begins and ends, for the books of its edge. */
  deliveryBegun(delivery: number, edge: number, times: number): void;
  deliveryOver(delivery: number, edge: number, outcome: Outcome): void;
  isUp(instance: number): boolean;
}

const NONE = -1;

export class Messages {
  private readonly engine: Engine;
  private readonly requests: RequestTable;
  private readonly fleet: Fleet;
  private readonly scenario: Omit<Scenario, 'variants'>;
  private readonly draws: readonly EdgeDraws[];
  private readonly clients: readonly Client[];
  private readonly firstClient: Int32Array;
  private readonly host: MessagesHost;
  private readonly queues: readonly MessageQueue[];
  /** By instance: how often it has crashed, so that a delivery of an earlier life frees no slot. */
  private readonly crashes: Int32Array;
  private readonly depthSeries: number[][];
  private readonly oldest: number[][];

  constructor(
    engine: Engine,
    requests: RequestTable,
    fleet: Fleet,
    scenario: Omit<Scenario, 'variants'>,
    draws: readonly EdgeDraws[],
    clients: readonly Client[],
    firstClient: Int32Array,
    host: MessagesHost,
  ) {
    this.engine = engine;
    this.requests = requests;
    this.fleet = fleet;
    this.scenario = scenario;
    this.draws = draws;
    this.clients = clients;
    this.firstClient = firstClient;
    this.host = host;
    this.crashes = new Int32Array(fleet.count);
    this.depthSeries = scenario.queues.map(() => []);
    this.oldest = scenario.queues.map(() => []);
    this.queues = scenario.queues.map((spec, number) => {
      const consumers = scenario.services[spec.service].instances.length;
      return new MessageQueue(
        engine,
        eventKinds.visibility,
        number,
        { ...spec, consumers },
        {
          deliver: (message, consumer) => this.deliver(number, message, consumer),
          done: (message) => host.finish(message, results.ok),
          dead: (message) => host.finish(message, results.error),
        },
      );
    });
    for (let instance = 0; instance < fleet.count; instance++) this.cameUp(instance);
  }

  /** A service leaves a message; false when the queue is full. */
  publishFrom(edge: number, attempt: number, index: number): boolean {
    const { requests } = this;
    const message = requests.allocate();
    requests.reals[(message << 3) + ARRIVAL_MS] = this.engine.time;
    requests.reals[(message << 3) + INDEX] = index;
    requests.ints[(message << 4) + TAG] = requests.classOf(attempt);
    requests.ints[(message << 4) + CLIENT] = this.clients[this.firstClient[edge]].number;
    requests.ints[(message << 4) + HOLDERS] = HELD_BY_CALLER;
    requests.ints[(message << 4) + INSTANCE] = NONE;
    requests.calls.parent[message] = NONE;
    requests.calls.key[message] = requests.calls.key[attempt];
    const before = this.queues[this.scenario.edges[edge].queue].refused.total;
    this.host.begin(message);
    return this.queues[this.scenario.edges[edge].queue].refused.total === before;
  }

  /** A request has begun on an edge into a queue. */
  publish(message: number, queue: number): void {
    const { attempts, calls } = this.requests;
    // Counts its deliveries.
    calls.call[message] = 0;
    if (attempts.sent.length > 0) {
      attempts.sent[message] = 1;
      attempts.retries[message] = 0;
      attempts.hedges[message] = 0;
    }
    if (!this.queues[queue].publish(message)) this.host.finish(message, results.refused);
  }

  /** A delivery was answered by its instance, or lost with it. */
  answered(delivery: number, outcome: Outcome): void {
    const { requests } = this;
    const { edge, spec } = this.clients[requests.ints[(delivery << 4) + CLIENT]];
    const instance = requests.ints[(delivery << 4) + INSTANCE];
    const isSameLife = this.crashes[instance] === requests.calls.repeats[delivery];
    const queue = this.queues[spec.queue];
    this.host.deliveryOver(delivery, edge, outcome);
    requests.release(delivery, HELD_BY_CALLER | AWAITED);
    queue.answered(delivery, outcome === outcomes.ok);
    if (isSameLife && this.host.isUp(instance)) queue.slotFree(instance - this.fleet.base[spec.service]);
  }

  /** The time of one delivered message is up. */
  expire(queue: number): void {
    this.queues[queue].expire();
  }

  wentDown(instance: number): void {
    this.crashes[instance]++;
    this.forEachConsumedBy(instance, (queue, consumer) => queue.consumerGone(consumer));
  }

  cameUp(instance: number): void {
    const slots = this.fleet.slots(instance);
    this.forEachConsumedBy(instance, (queue, consumer) => {
      for (let slot = 0; slot < slots; slot++) queue.slotFree(consumer);
    });
  }

  /** Messages that wait or are out, by queue. */
  depths(): Record<string, number> {
    return Object.fromEntries(this.queues.map(({ depth }, queue) => [this.scenario.queues[queue].name, depth]));
  }

  closeWindow(nowMs: number): void {
    this.queues.forEach((queue, number) => {
      this.depthSeries[number].push(queue.depth);
      this.oldest[number].push(queue.oldestMs(nowMs));
    });
  }

  markWarmup(): void {
    for (const queue of this.queues) queue.markWarmup();
  }

  results(): QueueResult[] {
    return this.queues.map((queue, number) => ({
      name: this.scenario.queues[number].name,
      depth: this.depthSeries[number],
      oldestMs: this.oldest[number],
      published: queue.published.measured,
      done: queue.done.measured,
      redelivered: queue.redelivered.measured,
      dead: queue.dead.measured,
    }));
  }

  private deliver(queue: number, message: number, consumer: number): number {
    const { requests } = this;
    const { edge, service } = this.scenario.queues[queue];
    const instance = this.fleet.base[service] + consumer;
    const delivery = requests.allocate();
    requests.reals[(delivery << 3) + ARRIVAL_MS] = this.engine.time;
    requests.reals[(delivery << 3) + INDEX] = requests.reals[(message << 3) + INDEX];
    // A message delivered again is work anew, with luck of its own.
    const before = requests.calls.call[message]++;
    requests.ints[(delivery << 4) + TAG] = requests.classOf(message) | (before << 16);
    requests.ints[(delivery << 4) + CLIENT] = this.clients[this.firstClient[edge]].number;
    requests.ints[(delivery << 4) + INSTANCE] = instance;
    requests.ints[(delivery << 4) + HOLDERS] = HELD_BY_CALLER | HELD_BY_SERVER | AWAITED;
    requests.calls.parent[delivery] = NONE;
    requests.calls.stage[delivery] = stages.wire;
    requests.calls.key[delivery] = requests.calls.key[message];
    requests.calls.deadlineMs[delivery] = Infinity;
    requests.calls.requestDeadlineMs[delivery] = Infinity;
    requests.calls.repeats[delivery] = this.crashes[instance];
    this.draws[edge].redrawWork(delivery, before);
    const { attempts } = requests;
    if (attempts.sent.length > 0) {
      attempts.sent[delivery] = 1;
      attempts.retries[delivery] = 0;
      attempts.hedges[delivery] = 0;
    }
    this.host.deliveryBegun(delivery, edge, requests.calls.call[message] - 1);
    // By an event, although it takes no time: the queue must not hear of the answer before it knows of the delivery.
    this.engine.at(this.engine.time, eventKinds.requestDelivered, delivery, 0);
    return delivery;
  }

  private forEachConsumedBy(instance: number, each: (queue: MessageQueue, consumer: number) => void): void {
    const service = this.fleet.service[instance];
    this.scenario.queues.forEach((spec, number) => {
      if (spec.service === service) each(this.queues[number], instance - this.fleet.base[service]);
    });
  }
}
