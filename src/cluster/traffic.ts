/** Where requests come from. Everything drawn here (instant, service demand, key, which proxy) comes from streams that no policy
 *  touches, in the order of arrival: the n-th request is the same request under every variant. */
import { hashPair } from '../core/hash.ts';
import type { KeyedDraws, Streams } from '../core/streams.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import { type Engine } from '../engine/index.ts';
import type { ServiceSpec, TrafficSpec } from '../scenario/spec.ts';
import { makeSampler, type Sampler } from '../stats/samplers.ts';
import { ZipfSampler } from '../stats/zipf.ts';
import { type ArrivalProcess, makeArrivals } from './arrivals.ts';
import type { Client } from './client.ts';
import { eventKinds } from './events.ts';
import { ARRIVAL_MS, CLIENT, HELD_BY_CLIENT, HOLDERS, INDEX, type RequestTable, WORK_MS } from './request-table.ts';

/** Variates are drawn ahead in runs of this many: a tight loop over one sampler is faster than one call between other work. */
const BATCH = 256;
/** Keys hash the same in every run: which endpoint a key belongs to is a property of the key, not of the seed. */
const KEY_SPACE = new Int32Array([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]);

export class TrafficSource {
  /** Keyed draws about this source's requests (errors…). */
  readonly keyed: KeyedDraws;
  private readonly engine: Engine;
  private readonly requests: RequestTable;
  private readonly clients: readonly Client[];
  private readonly arrivals: ArrivalProcess;
  private readonly track: number;
  private readonly work: Sampler;
  private readonly workRng: Xoshiro128;
  private readonly workBatch: Float64Array;
  private workTaken: number;
  private readonly retryDraws: KeyedDraws;
  private readonly retryRng: Xoshiro128;
  private readonly clientRng: Xoshiro128;
  private readonly keys: ZipfSampler | undefined;
  private readonly keyRng: Xoshiro128;
  private readonly arrivalBatch: Float64Array;
  private arrivalsTaken: number;
  private count: number;
  private readonly hash: Int32Array;

  constructor(
    engine: Engine,
    requests: RequestTable,
    streams: Streams,
    source: number,
    spec: TrafficSpec,
    service: ServiceSpec,
    clients: readonly Client[],
  ) {
    const name = `traffic/${spec.name}`;
    this.engine = engine;
    this.requests = requests;
    this.clients = clients;
    this.keyed = streams.keyed(name);
    this.arrivals = makeArrivals(spec.arrivals, spec.profile, streams.stream(`${name}/arrivals`));
    this.work = makeSampler(service.work);
    this.workRng = streams.stream(`${name}/work`);
    this.workBatch = new Float64Array(BATCH);
    this.workTaken = BATCH;
    this.retryDraws = streams.keyed(`${name}/retry`);
    this.retryRng = streams.stream(`${name}/retry`);
    this.clientRng = streams.stream(`${name}/balancer`);
    this.keys = spec.keys === undefined ? undefined : new ZipfSampler(spec.keys.count, spec.keys.exponent);
    this.keyRng = streams.stream(`${name}/keys`);
    this.arrivalBatch = new Float64Array(BATCH);
    this.arrivalsTaken = BATCH;
    this.count = 0;
    this.hash = new Int32Array(4);
    this.track = engine.addTrack(eventKinds.arrival, source);
    this.scheduleNext();
  }

  /** A request arrives now: returns its row, already held by its client, and shows the engine the next arrival. */
  arrive(): number {
    const requests = this.requests;
    const request = requests.allocate();
    requests.reals[(request << 3) + ARRIVAL_MS] = this.engine.time;
    if (this.workTaken === BATCH) this.drawWork();
    requests.reals[(request << 3) + WORK_MS] = this.workBatch[this.workTaken++];
    requests.reals[(request << 3) + INDEX] = this.count++;
    requests.ints[(request << 4) + HOLDERS] = HELD_BY_CLIENT;
    const client = this.clients.length === 1 ? this.clients[0] : this.clients[this.clientRng.below(this.clients.length)];
    requests.ints[(request << 4) + CLIENT] = client.number;
    if (this.keys !== undefined) {
      const key = this.keys.sample(this.keyRng);
      hashPair(key, 0, 0, KEY_SPACE, this.hash);
      client.pipeline.setHash(this.hash[0] >>> 0, this.hash[1] >>> 0);
    }
    this.scheduleNext();
    return request;
  }

  /** The work of a retry: drawn anew, keyed by request and attempt, so that it is the same wherever the retry goes. */
  redrawWork(request: number, attempt: number): void {
    this.retryDraws.fork(this.requests.reals[(request << 3) + INDEX], attempt, this.retryRng);
    this.requests.reals[(request << 3) + WORK_MS] = this.work.sample(this.retryRng);
  }

  private scheduleNext(): void {
    if (this.arrivalsTaken === BATCH) this.drawArrivals();
    const { engine, track } = this;
    engine.trackTime[track] = this.arrivalBatch[this.arrivalsTaken++];
    engine.trackOrder[track] = engine.nextOrder();
    engine.trackChanged(track);
  }

  private drawWork(): void {
    for (let i = 0; i < BATCH; i++) this.workBatch[i] = this.work.sample(this.workRng);
    this.workTaken = 0;
  }

  private drawArrivals(): void {
    this.arrivals.drawInto(this.arrivalBatch);
    this.arrivalsTaken = 0;
  }
}
