/** Where requests come from. Everything drawn here (instant, class, service demand, key, which proxy) comes from streams that no policy
 *  touches: the n-th request is the same request under every variant. Open-loop sources draw in the order of arrival; where answers
 *  decide when the next request comes (users, users who ask again), draws are keyed by who asks for the how many-eth time. */
import type { KeyedDraws, Streams } from '../core/streams.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import { type Engine } from '../engine/index.ts';
import { type RequestResult, results } from '../policies/pipeline/results.ts';
import type { TrafficSpec } from '../scenario/spec.ts';
import { AliasTable } from '../stats/alias.ts';
import { makeSampler, type Sampler } from '../stats/samplers.ts';
import { ZipfSampler } from '../stats/zipf.ts';
import { type ArrivalProcess, makeArrivals } from './arrivals.ts';
import type { Client } from './client.ts';
import type { EdgeDraws } from './edge-draws.ts';
import { eventKinds } from './events.ts';
import { setKey } from './request-keys.ts';
import {
  ARRIVAL_MS,
  CLIENT,
  HELD_BY_CLIENT,
  HOLDERS,
  INDEX,
  INSTANCE,
  type RequestTable,
  TAG,
  WORK_MS,
} from './request-table.ts';
import { Users } from './users.ts';

/** Variates are drawn ahead in runs of this many: a tight loop over one sampler is faster than one call between other work. */
const BATCH = 256;
const NONE = -1;
/** Numbers of requests that users make lie beyond those of open-loop arrivals; 2^40 apart per repetition. */
const REPEAT = 1099511627776;

export interface TrafficParts {
  readonly engine: Engine;
  readonly requests: RequestTable;
  readonly streams: Streams;
  readonly source: number;
  readonly spec: TrafficSpec;
  readonly draws: EdgeDraws;
  /** The clients of its edge. */
  readonly clients: readonly Client[];
}

export class TrafficSource {
  /** Whether it wants to know how requests end. */
  readonly isListening: boolean;
  private readonly engine: Engine;
  private readonly requests: RequestTable;
  private readonly clients: readonly Client[];
  private readonly draws: EdgeDraws;
  private readonly spec: TrafficSpec;
  private readonly source: number;
  private readonly arrivals: ArrivalProcess | undefined;
  private readonly users: Users | undefined;
  private readonly track: number;
  // By class: work drawn ahead.
  private readonly workRngs: readonly Xoshiro128[];
  private readonly workBatches: readonly Float64Array[];
  private readonly workTaken: Int32Array;
  /** Whether requests are of one class, with nothing but work and perhaps a key: the short way. Its work drawn ahead. */
  private readonly isSimple: boolean;
  private readonly batch: Float64Array;
  private taken: number;
  private readonly classes: AliasTable | undefined;
  private readonly classRng: Xoshiro128;
  private readonly onlyClass: number;
  private readonly clientRng: Xoshiro128;
  private readonly keys: ZipfSampler | undefined;
  private readonly keyRng: Xoshiro128;
  private readonly keyed: KeyedDraws;
  private readonly scratch: Xoshiro128;
  private readonly repeatAfter: Sampler | undefined;
  private readonly arrivalBatch: Float64Array;
  private arrivalsTaken: number;
  private count: number;
  /** Requests that will be asked again, waiting: their number, repetition and class, by token. */
  private readonly repeatIndex: number[];
  private readonly repeatCount: number[];
  private readonly freeTokens: number[];

  constructor(parts: TrafficParts) {
    const { engine, requests, streams, source, spec, draws, clients } = parts;
    const name = `traffic/${spec.name}`;
    const { arrivals } = spec;
    this.engine = engine;
    this.requests = requests;
    this.clients = clients;
    this.draws = draws;
    this.spec = spec;
    this.source = source;
    const isClosed = arrivals.type === 'users' || (arrivals.type === 'replay' && arrivals.closed);
    this.arrivals = isClosed ? undefined : makeArrivals(arrivals, spec.profile, streams.stream(`${name}/arrivals`));
    // Of one class: the stream that scenarios without classes have always used.
    this.workRngs = draws.work.map((_, cls) => streams.stream(cls === 0 ? `${name}/work` : `${name}/work/${cls}`));
    this.workBatches = draws.work.map(() => new Float64Array(BATCH));
    this.workTaken = new Int32Array(draws.work.length).fill(BATCH);
    this.classes = spec.mix.length > 1 ? new AliasTable(spec.mix.map(({ share }) => share)) : undefined;
    this.classRng = streams.stream(`${name}/class`);
    this.onlyClass = spec.mix[0]?.class ?? 0;
    this.clientRng = streams.stream(`${name}/balancer`);
    this.keys = spec.keys === undefined ? undefined : new ZipfSampler(spec.keys.count, spec.keys.exponent);
    this.keyRng = streams.stream(`${name}/keys`);
    this.keyed = streams.keyed(`${name}/users`);
    this.scratch = streams.stream(`${name}/users`);
    this.repeatAfter = spec.userRetries === undefined ? undefined : makeSampler(spec.userRetries.after);
    this.arrivalBatch = new Float64Array(BATCH);
    this.arrivalsTaken = BATCH;
    this.count = 0;
    this.repeatIndex = [];
    this.repeatCount = [];
    this.freeTokens = [];
    this.isSimple = arrivals.type !== 'replay' && this.classes === undefined && !requests.calls.isUsed;
    this.batch = new Float64Array(BATCH);
    this.taken = BATCH;
    this.isListening = isClosed || this.repeatAfter !== undefined;
    this.track = engine.addTrack(eventKinds.arrival, source);
    this.users = isClosed ? new Users(engine, arrivals, source, this.keyed, this.scratch) : undefined;
    if (!isClosed) this.scheduleNext();
  }

  /** A request arrives now: returns its row, already held by its client, and shows the engine the next arrival. */
  arrive(): number {
    if (!this.isSimple) return this.arriveFully();
    const { requests, onlyClass } = this;
    const request = requests.allocate();
    requests.reals[(request << 3) + ARRIVAL_MS] = this.engine.time;
    if (this.taken === BATCH) this.drawAhead();
    requests.reals[(request << 3) + WORK_MS] = this.batch[this.taken++];
    requests.reals[(request << 3) + INDEX] = this.count++;
    requests.ints[(request << 4) + HOLDERS] = HELD_BY_CLIENT;
    requests.ints[(request << 4) + TAG] = onlyClass;
    const client = this.clients.length === 1 ? this.clients[0] : this.clients[this.clientRng.below(this.clients.length)];
    requests.ints[(request << 4) + CLIENT] = client.number;
    if (this.keys !== undefined) setKey(client.pipeline, this.keys.sample(this.keyRng));
    this.scheduleNext();
    return request;
  }

  private arriveFully(): number {
    const { arrivals } = this.spec;
    const request = this.allocate(this.count++);
    const replay = arrivals.type === 'replay' ? arrivals.data : undefined;
    const place = this.count - 1;
    const cls = replay !== undefined ? replay.classes[place] : this.classes === undefined ? this.onlyClass : this.drawClass();
    this.requests.ints[(request << 4) + TAG] = cls;
    const workMs = replay?.workMs?.[place] ?? NaN;
    this.requests.reals[(request << 3) + WORK_MS] = Number.isNaN(workMs) ? this.drawWork(cls) : workMs;
    const client = this.clients.length === 1 ? this.clients[0] : this.clients[this.clientRng.below(this.clients.length)];
    this.requests.ints[(request << 4) + CLIENT] = client.number;
    if (replay?.keys !== undefined) this.giveKey(request, client, replay.keys[place]);
    else if (this.keys !== undefined) this.giveKey(request, client, this.keys.sample(this.keyRng));
    this.scheduleNext();
    return request;
  }

  private drawAhead(): void {
    const sampler = this.draws.work[this.onlyClass];
    const rng = this.workRngs[this.onlyClass];
    for (let i = 0; i < BATCH; i++) this.batch[i] = sampler.sample(rng);
    this.taken = 0;
  }

  /** A user's request: from a closed loop, or one that failed and is asked again. */
  userWakes(token: number): number {
    if (this.users !== undefined && token < this.users.count) return this.nextOfUser(this.users, token);
    const at = token - (this.users?.count ?? 0);
    const request = this.keyedRequest(this.repeatIndex[at] + this.repeatCount[at] * REPEAT, this.repeatIndex[at]);
    this.requests.calls.repeats[request] = this.repeatCount[at];
    this.freeTokens.push(at);
    return request;
  }

  /** A request is over; only told to sources that listen. */
  ended(request: number, result: RequestResult): void {
    const { calls } = this.requests;
    if (this.asksAgain(request, result)) return;
    if (this.users !== undefined && calls.origin[request] >= 0) this.users.ended(calls.origin[request]);
  }

  /** Whether its user asks again instead of going on. */
  private asksAgain(request: number, result: RequestResult): boolean {
    const { userRetries } = this.spec;
    const { calls, reals } = this.requests;
    if (userRetries === undefined || this.repeatAfter === undefined || result === results.ok) return false;
    const repeats = calls.repeats[request] + 1;
    if (repeats > userRetries.max) return false;
    const index = reals[(request << 3) + INDEX] % REPEAT;
    this.keyed.fork(index, REPEAT + repeats, this.scratch);
    const waitMs = this.repeatAfter.sample(this.scratch);
    const user = calls.origin[request];
    if (user >= 0 && this.users !== undefined) {
      this.users.repeat(user, waitMs, repeats);
      return true;
    }
    const token = this.freeTokens.pop() ?? this.repeatIndex.length;
    this.repeatIndex[token] = index;
    this.repeatCount[token] = repeats;
    const at = this.engine.time + waitMs;
    this.engine.at(at, eventKinds.userWakes, this.source, token + (this.users?.count ?? 0));
    return true;
  }

  private nextOfUser(users: Users, user: number): number {
    const index = users.requestOf(user);
    const repeats = users.repeatsOf(user);
    const request = this.keyedRequest(index + repeats * REPEAT, index, users.placeOf(user));
    this.requests.calls.origin[request] = user;
    this.requests.calls.repeats[request] = repeats;
    return request;
  }

  /** Draws that depend on the number only: `index` for what is the same in every repetition (class, key), `number` for the rest.
   *  `place` is the row of a replay, -1 for none. */
  private keyedRequest(number: number, index: number, place: number = NONE): number {
    const request = this.allocate(number);
    const { scratch, spec } = this;
    const replay = spec.arrivals.type === 'replay' ? spec.arrivals.data : undefined;
    this.keyed.fork(index, 0, scratch);
    const drawn = this.classes === undefined ? this.onlyClass : spec.mix[this.classes.sample(scratch)].class;
    const cls = replay !== undefined && place >= 0 ? replay.classes[place] : drawn;
    const key = this.keys === undefined ? NONE : this.keys.sample(scratch);
    const client = this.clients[this.clients.length === 1 ? 0 : scratch.below(this.clients.length)];
    this.requests.ints[(request << 4) + TAG] = cls;
    this.requests.ints[(request << 4) + CLIENT] = client.number;
    this.keyed.fork(number, 1, scratch);
    const recorded = replay !== undefined && place >= 0 ? (replay.workMs?.[place] ?? NaN) : NaN;
    this.requests.reals[(request << 3) + WORK_MS] = Number.isNaN(recorded) ? this.draws.work[cls].sample(scratch) : recorded;
    const recordedKey = replay !== undefined && place >= 0 ? replay.keys?.[place] : undefined;
    if (recordedKey !== undefined || this.keys !== undefined) this.giveKey(request, client, recordedKey ?? key);
    return request;
  }

  private allocate(index: number): number {
    const { requests } = this;
    const request = requests.allocate();
    requests.reals[(request << 3) + ARRIVAL_MS] = this.engine.time;
    requests.reals[(request << 3) + INDEX] = index;
    requests.ints[(request << 4) + HOLDERS] = HELD_BY_CLIENT;
    requests.ints[(request << 4) + INSTANCE] = NONE;
    if (requests.calls.isUsed) {
      requests.calls.parent[request] = NONE;
      requests.calls.key[request] = NONE;
      requests.calls.origin[request] = NONE;
      requests.calls.repeats[request] = 0;
    }
    return request;
  }

  private giveKey(request: number, client: Client, key: number): void {
    if (this.requests.calls.isUsed) this.requests.calls.key[request] = key;
    setKey(client.pipeline, key);
  }

  private drawClass(): number {
    return this.spec.mix[this.classes!.sample(this.classRng)].class;
  }

  private drawWork(cls: number): number {
    const batch = this.workBatches[cls];
    if (this.workTaken[cls] === BATCH) {
      const sampler = this.draws.work[cls];
      const rng = this.workRngs[cls];
      for (let i = 0; i < BATCH; i++) batch[i] = sampler.sample(rng);
      this.workTaken[cls] = 0;
    }
    return batch[this.workTaken[cls]++];
  }

  private scheduleNext(): void {
    if (this.arrivalsTaken === BATCH) {
      this.arrivals!.drawInto(this.arrivalBatch);
      this.arrivalsTaken = 0;
    }
    const { engine, track } = this;
    engine.trackTime[track] = this.arrivalBatch[this.arrivalsTaken++];
    engine.trackOrder[track] = engine.nextOrder();
    engine.trackChanged(track);
  }
}
