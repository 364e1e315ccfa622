/** What requests do at an instance after their own work: calls to other services in sequence and in parallel, by chance, with caches in
 *  between; messages left in queues; more work. Runs the programs of `program.ts`, one step at a time, for every attempt that has
 *  reached such a service. Whoever waits here gives up when its instance crashes or when it is taken back, and so do its calls. */
import type { KeyedDraws, Streams } from '../core/streams.ts';
import type { Ms } from '../core/time.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import { type Engine, NO_EVENT } from '../engine/index.ts';
import { type Outcome, outcomes } from '../policies/balancing/balancer.ts';
import { type RequestResult, results } from '../policies/pipeline/results.ts';
import type { CallSpec, Scenario } from '../scenario/spec.ts';
import { makeSampler, type Sampler } from '../stats/samplers.ts';
import { CallCache, HIT, MISS } from './call-cache.ts';
import { type CallTable, DONE, NOT_STARTED, stages } from './call-table.ts';
import type { Client } from './client.ts';
import type { EdgeDraws } from './edge-draws.ts';
import { eventKinds } from './events.ts';
import type { Fleet } from './fleet.ts';
import type { Operation, Program } from './program.ts';
import { compileProgram } from './program.ts';
import {
  AWAITED,
  ARRIVAL_MS,
  CLIENT,
  DEGRADED,
  HELD_BY_CALLER,
  HOLDERS,
  INDEX,
  INSTANCE,
  type RequestTable,
  TAG,
  WORK_MS,
} from './request-table.ts';
import { setKey } from './request-keys.ts';
import type { Tracer } from './tracer.ts';

export interface CallsHost {
  /** A call goes out. */
  begin(request: number, leftMs: Ms): void;
  cancel(request: number): void;
  /** The attempt goes back to work at its instance. */
  workAgain(attempt: number, instance: number): void;
  /** The attempt's program is over. */
  finished(attempt: number, instance: number, outcome: Outcome): void;
  /** A message; false if the queue is full. */
  publish(edge: number, attempt: number, index: number): boolean;
  clients: readonly Client[];
}

const blocked = 0;
const over = 1;
const failed = 2;
type Progress = typeof blocked | typeof over | typeof failed;

/** Numbers drawn for one attempt: attempts, steps, copies stay apart. */
const STEPS_MAX = 4096;
const COPIES_MAX = 1024;
/** 2^52. */
const ROOM = 4503599627370496;

export class Calls {
  tracer: Tracer | undefined;
  private readonly engine: Engine;
  private readonly fleet: Fleet;
  private readonly requests: RequestTable;
  private readonly table: CallTable;
  private readonly draws: readonly EdgeDraws[];
  private readonly host: CallsHost;
  private readonly scenario: Omit<Scenario, 'variants'>;
  /** By service. */
  private readonly programs: readonly Program[];
  private readonly keyed: readonly KeyedDraws[];
  private readonly caches: readonly (readonly (CallCache | undefined)[])[];
  private readonly hitTimes: readonly (readonly (Sampler | undefined)[])[];
  private readonly rng: Xoshiro128;
  /** By edge: number of its first client. */
  private readonly firstClient: Int32Array;

  constructor(
    engine: Engine,
    fleet: Fleet,
    requests: RequestTable,
    draws: readonly EdgeDraws[],
    streams: Streams,
    scenario: Omit<Scenario, 'variants'>,
    firstClient: Int32Array,
    host: CallsHost,
  ) {
    this.tracer = undefined;
    this.engine = engine;
    this.fleet = fleet;
    this.requests = requests;
    this.table = requests.calls;
    this.draws = draws;
    this.host = host;
    this.scenario = scenario;
    this.firstClient = firstClient;
    this.programs = scenario.services.map(({ steps }) => compileProgram(steps));
    this.keyed = scenario.services.map(({ name }) => streams.keyed(`calls/${name}`));
    const keys = keysOf(scenario);
    this.caches = this.programs.map(({ calls }, service) =>
      calls.map(({ cache }, call) => {
        if (cache === undefined) return undefined;
        const places = cache.shared ? 1 : scenario.services[service].instances.length;
        return new CallCache(cache, places, streams.keyed(`cache/${scenario.services[service].name}/${call}`), keys);
      }),
    );
    this.hitTimes = this.programs.map(({ calls }) => calls.map(({ cache }) => cache && makeSampler(cache.hitTime)));
    this.rng = streams.stream('calls');
  }

  /** An attempt reached the instance; it has done nothing yet. */
  arrived(attempt: number): void {
    this.table.pc[attempt] = NOT_STARTED;
    this.table.open[attempt] = 0;
    this.table.firstChild[attempt] = -1;
    this.table.isLaunching[attempt] = 0;
  }

  hasStarted(attempt: number): boolean {
    return this.table.pc[attempt] !== NOT_STARTED;
  }

  /** Whether it waits for others, not for its instance. */
  isWaiting(attempt: number): boolean {
    return this.table.pc[attempt] >= 0 && this.table.open[attempt] > 0;
  }

  /** Its own work, or a later step's, is done. */
  worked(attempt: number, instance: number): void {
    if (this.table.pc[attempt] === NOT_STARTED) this.table.pc[attempt] = 0;
    this.goOn(attempt, instance);
  }

  /** Taken back, or lost with its instance: its calls are not wanted any more. */
  abandon(attempt: number): void {
    if (this.table.pc[attempt] === NOT_STARTED) return;
    this.table.pc[attempt] = DONE;
    this.cancelCalls(attempt);
  }

  /** A call is over. */
  ended(parent: number, call: number, request: number, result: RequestResult, isDegraded: boolean): void {
    const { table } = this;
    const instance = this.requests.ints[(parent << 4) + INSTANCE];
    const service = this.fleet.service[instance];
    this.unlink(parent, request);
    this.countEnd(parent, this.programs[service].calls[call], result, isDegraded);
    // Whoever waited for the fetch hears of it last: it may make a common caller give up the one that fetched.
    const cache = this.caches[service][call];
    if (cache !== undefined && table.stage[request] === stages.wire) this.tellCache(cache, service, instance, request, result);
  }

  /** A cached answer is there. */
  cacheAnswered(request: number): void {
    this.table.nextEvent[request] = NO_EVENT;
    this.endCached(request, results.ok);
  }

  /** Empties the caches that serve this instance. */
  flush(instance: number): void {
    const service = this.fleet.service[instance];
    this.caches[service].forEach((cache, call) => {
      const spec = this.programs[service].calls[call].cache;
      cache?.flush(spec?.shared === true ? 0 : instance - this.fleet.base[service]);
    });
  }

  markWarmup(): void {
    for (const own of this.caches) for (const cache of own) cache?.markWarmup();
  }

  /** Hits and misses since warm-up of the calls on an edge. */
  cacheCounts(edge: number): { readonly hits: number; readonly misses: number } {
    let hits = 0;
    let misses = 0;
    this.programs.forEach(({ calls }, service) =>
      calls.forEach((call, number) => {
        const cache = this.caches[service][number];
        if (call.edge !== edge || cache === undefined) return;
        hits += cache.hits.measured;
        misses += cache.misses.measured;
      }),
    );
    return { hits, misses };
  }

  private goOn(attempt: number, instance: number): void {
    const progress = this.advance(attempt, instance);
    if (progress === blocked) return;
    this.table.pc[attempt] = DONE;
    this.host.finished(attempt, instance, progress === failed ? outcomes.error : outcomes.ok);
  }

  private advance(attempt: number, instance: number): Progress {
    const { table } = this;
    const service = this.fleet.service[instance];
    const { operations } = this.programs[service];
    for (;;) {
      const pc = table.pc[attempt];
      if (pc >= operations.length) return over;
      const operation = operations[pc];
      table.pc[attempt] = pc + 1;
      switch (operation.kind) {
        case 'jump':
          table.pc[attempt] = operation.target;
          break;
        case 'branch': {
          const luck = this.keyed[service].unit(this.indexOf(attempt), this.keyOf(attempt, pc, 0));
          const chosen = operation.bounds.findIndex((bound) => luck < bound);
          if (chosen >= 0) table.pc[attempt] = operation.targets[chosen];
          break;
        }
        case 'work':
          this.keyed[service].fork(this.indexOf(attempt), this.keyOf(attempt, pc, 0), this.rng);
          this.requests.reals[(attempt << 3) + WORK_MS] = operation.work.sample(this.rng);
          this.host.workAgain(attempt, instance);
          return blocked;
        case 'publish':
          if (!this.host.publish(operation.edge, attempt, this.childIndex(attempt, service, pc, 0))) return failed;
          break;
        case 'calls': {
          const progress = this.launch(attempt, instance, service, pc, operation);
          if (progress !== over) return progress;
        }
      }
    }
  }

  /** Starts all calls of a step. `over` means that the step is, not the program. */
  private launch(
    attempt: number,
    instance: number,
    service: number,
    pc: number,
    { calls, first, wait }: Operation & { readonly kind: 'calls' },
  ): Progress {
    const { table } = this;
    const cls = this.requests.classOf(attempt);
    let total = 0;
    for (const call of calls) if (makes(call, cls)) total += call.copies;
    table.open[attempt] = total;
    table.needed[attempt] = Math.min(wait, total);
    table.spare[attempt] = wait < 0 ? 0 : Math.max(0, total - wait);
    if (total === 0) return over;
    table.isLaunching[attempt] = 1;
    for (let i = 0, copyNumber = 0; i < calls.length; i++) {
      const call = calls[i];
      if (!makes(call, cls)) continue;
      for (let copy = 0; copy < call.copies; copy++) {
        this.start(attempt, instance, service, call, first + i, this.childIndex(attempt, service, pc, copyNumber++));
      }
    }
    table.isLaunching[attempt] = 0;
    return this.judge(attempt);
  }

  /** How the step stands; once it is decided, the calls still out are cancelled. */
  private judge(attempt: number): Progress {
    const { table } = this;
    const isLost = table.spare[attempt] < 0;
    if (!isLost && !(table.needed[attempt] < 0 ? table.open[attempt] === 0 : table.needed[attempt] === 0)) return blocked;
    this.cancelCalls(attempt);
    return isLost ? failed : over;
  }

  private start(attempt: number, instance: number, service: number, call: CallSpec, number: number, index: number): void {
    const { requests, table } = this;
    const request = requests.allocate();
    const edge = this.scenario.edges[call.edge];
    requests.reals[(request << 3) + ARRIVAL_MS] = this.engine.time;
    requests.reals[(request << 3) + INDEX] = index;
    requests.ints[(request << 4) + TAG] = requests.classOf(attempt);
    requests.ints[(request << 4) + HOLDERS] = HELD_BY_CALLER;
    const ordinal = edge.balancers === 0 ? instance - this.fleet.base[service] : this.proxyFor(index, call.edge, edge.balancers);
    const client = this.host.clients[this.firstClient[call.edge] + ordinal];
    requests.ints[(request << 4) + CLIENT] = client.number;
    requests.ints[(request << 4) + INSTANCE] = -1;
    table.key[request] = table.key[attempt];
    table.call[request] = number;
    table.nextEvent[request] = NO_EVENT;
    table.deadlineEvent[request] = NO_EVENT;
    table.pc[request] = NOT_STARTED;
    this.link(attempt, request);
    const cache = this.caches[service][number];
    if (cache !== undefined && this.askCache(cache, service, number, instance, request, index)) return;
    this.send(attempt, request, call.edge, client);
  }

  private send(attempt: number, request: number, edge: number, client: Client): void {
    const { table } = this;
    table.stage[request] = stages.wire;
    this.draws[edge].redrawWork(request, 0);
    setKey(client.pipeline, table.key[request]);
    const deadlineMs = table.deadlineMs[attempt];
    this.host.begin(request, deadlineMs === Infinity ? Infinity : deadlineMs - this.engine.time);
  }

  /** True if the cache takes care of the call, at least for now. */
  private askCache(cache: CallCache, service: number, number: number, instance: number, request: number, index: number): boolean {
    const { table } = this;
    const place = this.placeOf(service, number, instance);
    const answer = cache.lookup(place, table.key[request], index, this.engine.time);
    if (answer === MISS) return false;
    if (answer === HIT) {
      table.stage[request] = stages.cacheHit;
      this.keyed[service].fork(index, number, this.rng);
      const takesMs = this.hitTimes[service][number]!.sample(this.rng);
      if (this.tracer !== undefined) this.tracer.cached(request);
      if (takesMs > 0) table.nextEvent[request] = this.engine.at(this.engine.time + takesMs, eventKinds.cacheAnswer, request, 0);
      else this.cacheAnswered(request);
      return true;
    }
    table.stage[request] = stages.cacheJoin;
    if (this.tracer !== undefined) this.tracer.cached(request);
    cache.join(place, table.key[request], request);
    return true;
  }

  /** The fetch that a miss started is over: the cache learns the answer, and whoever waited for it goes on. */
  private tellCache(cache: CallCache, service: number, instance: number, request: number, result: RequestResult): void {
    const { table } = this;
    const place = this.placeOf(service, table.call[request], instance);
    const key = table.key[request];
    const nowMs = this.engine.time;
    if (result === results.cancelled) {
      // By an event: who gives up a call is in the middle of something.
      cache.fetchAbandoned(place, key, (waiter) => {
        table.stage[waiter] = stages.cacheAgain;
        table.nextEvent[waiter] = this.engine.at(nowMs, eventKinds.cacheAnswer, waiter, 1);
      });
      return;
    }
    const tookMs = nowMs - this.requests.reals[(request << 3) + ARRIVAL_MS];
    cache.fetched(place, key, result === results.ok, tookMs, nowMs, (waiter) => this.endCached(waiter, result));
  }

  /** Its fetcher has gone: a waiter looks again, and fetches if nobody else does. */
  fetchInstead(request: number): void {
    const { requests, table } = this;
    table.nextEvent[request] = NO_EVENT;
    if (this.tracer !== undefined) this.tracer.ended(request, results.cancelled);
    const attempt = table.parent[request];
    const instance = requests.ints[(attempt << 4) + INSTANCE];
    const service = this.fleet.service[instance];
    const number = table.call[request];
    const index = requests.reals[(request << 3) + INDEX];
    if (this.askCache(this.caches[service][number]!, service, number, instance, request, index)) return;
    const { edge } = this.programs[service].calls[number];
    this.send(attempt, request, edge, this.host.clients[requests.ints[(request << 4) + CLIENT]]);
  }

  /** A call that never left the cache is over. */
  private endCached(request: number, result: RequestResult): void {
    const { requests, table } = this;
    const parent = table.parent[request];
    const instance = requests.ints[(parent << 4) + INSTANCE];
    const service = this.fleet.service[instance];
    const call = this.programs[service].calls[table.call[request]];
    if (this.tracer !== undefined) this.tracer.ended(request, result);
    this.unlink(parent, request);
    requests.release(request, HELD_BY_CALLER | AWAITED);
    this.countEnd(parent, call, result, false);
  }

  private countEnd(parent: number, call: CallSpec, result: RequestResult, isDegraded: boolean): void {
    const { requests, table } = this;
    table.open[parent]--;
    const isGood = result === results.ok;
    if (isDegraded || (!isGood && call.optional)) requests.ints[(parent << 4) + HOLDERS] |= DEGRADED;
    if (isGood) {
      if (table.needed[parent] > 0) table.needed[parent]--;
    } else if (!call.optional || table.needed[parent] >= 0) table.spare[parent]--;
    if (table.isLaunching[parent] !== 0) return;
    const progress = this.judge(parent);
    if (progress === blocked) return;
    const instance = requests.ints[(parent << 4) + INSTANCE];
    if (progress === over) this.goOn(parent, instance);
    else {
      table.pc[parent] = DONE;
      this.host.finished(parent, instance, outcomes.error);
    }
  }

  private cancelCalls(attempt: number): void {
    const { table, requests } = this;
    table.isLaunching[attempt] = 1;
    for (let request = table.firstChild[attempt]; request >= 0; request = table.firstChild[attempt]) {
      const stage = table.stage[request];
      if (stage !== stages.cacheHit && stage !== stages.cacheJoin && stage !== stages.cacheAgain) {
        this.host.cancel(request);
        continue;
      }
      const instance = requests.ints[(attempt << 4) + INSTANCE];
      const service = this.fleet.service[instance];
      if (stage === stages.cacheJoin) this.caches[service][table.call[request]]!.forget(request);
      else if (table.nextEvent[request] !== NO_EVENT) this.engine.cancel(table.nextEvent[request]);
      table.nextEvent[request] = NO_EVENT;
      if (this.tracer !== undefined) this.tracer.ended(request, results.cancelled);
      this.unlink(attempt, request);
      requests.release(request, HELD_BY_CALLER | AWAITED);
    }
    table.isLaunching[attempt] = 0;
    table.open[attempt] = 0;
  }

  private placeOf(service: number, call: number, instance: number): number {
    return this.programs[service].calls[call].cache?.shared === true ? 0 : instance - this.fleet.base[service];
  }

  /** One of the edge's shared proxies, at random. */
  private proxyFor(index: number, edge: number, proxies: number): number {
    return proxies === 1 ? 0 : Math.floor(this.draws[edge].keyed.unit(index, ROOM) * proxies);
  }

  private indexOf(attempt: number): number {
    return this.requests.reals[(attempt << 3) + INDEX];
  }

  private keyOf(attempt: number, pc: number, copy: number): number {
    return (this.requests.ordinalOf(attempt) * STEPS_MAX + pc) * COPIES_MAX + copy;
  }

  /** The number of a call: the same for the same request, attempt, step and copy, and else a different one. */
  private childIndex(attempt: number, service: number, pc: number, copy: number): number {
    return Math.floor(this.keyed[service].unit(this.indexOf(attempt), this.keyOf(attempt, pc, copy)) * ROOM);
  }

  private link(attempt: number, request: number): void {
    const { table } = this;
    const first = table.firstChild[attempt];
    table.parent[request] = attempt;
    table.nextSibling[request] = first;
    table.previousSibling[request] = -1;
    if (first >= 0) table.previousSibling[first] = request;
    table.firstChild[attempt] = request;
  }

  private unlink(attempt: number, request: number): void {
    const { table } = this;
    const before = table.previousSibling[request];
    const after = table.nextSibling[request];
    if (before >= 0) table.nextSibling[before] = after;
    else table.firstChild[attempt] = after;
    if (after >= 0) table.previousSibling[after] = before;
    table.previousSibling[request] = -1;
    table.nextSibling[request] = -1;
  }
}

const makes = (call: CallSpec, cls: number): boolean => call.classes.length === 0 || call.classes.includes(cls);

/** How many different keys requests have. */
const keysOf = ({ traffic }: Omit<Scenario, 'variants'>): number =>
  traffic.reduce((most, { keys, arrivals }) => {
    const recorded = arrivals.type === 'replay' ? (arrivals.data.keys?.reduce((top, key) => Math.max(top, key + 1), 0) ?? 0) : 0;
    return Math.max(most, keys?.count ?? 0, recorded);
  }, 0);
