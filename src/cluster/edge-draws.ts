/** Random numbers about the requests of one edge that depend on the request alone and not on when they are asked for: the work of retries
 *  and of requests between services, errors. Keyed by (number of the request, attempt), so that they are the same under every policy. */
import type { KeyedDraws, Streams } from '../core/streams.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import type { EdgeSpec, ServiceSpec } from '../scenario/spec.ts';
import { makeSampler, type Sampler } from '../stats/samplers.ts';
import { TRAFFIC } from './client.ts';
import { INDEX, type RequestTable, WORK_MS } from './request-table.ts';

/** Attempts of one purpose stay apart from the next. */
const PURPOSES = 65_536;

export class EdgeDraws {
  /** For single numbers: errors. */
  readonly keyed: KeyedDraws;
  /** By class. */
  readonly work: readonly Sampler[];
  private readonly requests: RequestTable;
  private readonly works: KeyedDraws;
  private readonly rng: Xoshiro128;

  constructor(requests: RequestTable, streams: Streams, edge: EdgeSpec, service: ServiceSpec, classes: number) {
    const name = `${edge.caller === TRAFFIC ? 'traffic' : 'edge'}/${edge.name}`;
    this.requests = requests;
    this.keyed = streams.keyed(name);
    this.works = streams.keyed(`${name}/retry`);
    this.rng = streams.stream(`${name}/retry`);
    const usual = makeSampler(service.work);
    this.work = Array.from({ length: classes }, (_, cls) => {
      const own = service.workByClass[cls] ?? null;
      return own === null ? usual : makeSampler(own);
    });
  }

  /** Gives the attempt its work: that of an earlier one may be used up in part. */
  redrawWork(attempt: number, ordinal: number): void {
    const { requests, rng } = this;
    this.works.fork(requests.reals[(attempt << 3) + INDEX], ordinal, rng);
    requests.reals[(attempt << 3) + WORK_MS] = this.work[requests.classOf(attempt)].sample(rng);
  }

  /** Uniform in [0, 1): whether this attempt meets an error or another fault of a share of the requests, by purpose. */
  luck(attempt: number, purpose: number): number {
    return this.keyed.unit(this.requests.reals[(attempt << 3) + INDEX], this.requests.ordinalOf(attempt) + purpose * PURPOSES);
  }
}
