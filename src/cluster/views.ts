/** Statistics of parts of the requests: of an edge, a class, a service, a stretch of time. Each view keeps its own ledger and histograms
 *  and is told of every request that belongs to it. Made only for scenarios that have several of them, or whose expectations ask. */
import type { Engine } from '../engine/index.ts';
import { type RequestResult, RESULTS, results } from '../policies/pipeline/results.ts';
import type { EdgeSpec, ViewSpec } from '../scenario/spec.ts';
import { Histogram } from '../stats/histogram.ts';
import { TRAFFIC } from './client.ts';
import { ARRIVAL_MS, type RequestTable } from './request-table.ts';

export class View {
  readonly spec: ViewSpec;
  /** Requests that arrived in the view's time, and how they ended. */
  offered: number;
  readonly results: Float64Array;
  degraded: number;
  attempts: number;
  retries: number;
  hedges: number;
  readonly latency: Histogram;
  readonly wait: Histogram;
  noWaits: number;
  /** Ended well within the view's time, whenever they arrived: what throughput counts. */
  okWithin: number;

  constructor(spec: ViewSpec) {
    this.spec = spec;
    this.offered = 0;
    this.results = new Float64Array(RESULTS);
    this.degraded = 0;
    this.attempts = 0;
    this.retries = 0;
    this.hedges = 0;
    this.latency = new Histogram();
    this.wait = new Histogram();
    this.noWaits = 0;
    this.okWithin = 0;
  }
}

export class Views {
  readonly all: readonly View[];
  private readonly clock: Engine;
  private readonly requests: RequestTable;
  /** By edge: whether attempts of requests are counted by their pipelines. */
  private readonly counts: readonly boolean[];
  /** By edge. */
  private readonly byEdge: readonly (readonly View[])[];

  constructor(
    clock: Engine,
    requests: RequestTable,
    specs: readonly ViewSpec[],
    edges: readonly EdgeSpec[],
    counts: readonly boolean[],
  ) {
    this.clock = clock;
    this.requests = requests;
    this.counts = counts;
    this.all = specs.map((spec) => new View(spec));
    this.byEdge = edges.map(({ caller }, edge) =>
      this.all.filter(({ spec }) => (spec.edges.length === 0 ? caller === TRAFFIC : spec.edges.includes(edge))),
    );
  }

  offered(request: number, edge: number): void {
    const views = this.byEdge[edge];
    for (let i = 0; i < views.length; i++) if (this.covers(views[i].spec, request)) views[i].offered++;
  }

  startedAtOnce(request: number, edge: number): void {
    const views = this.byEdge[edge];
    for (let i = 0; i < views.length; i++) if (this.covers(views[i].spec, request)) views[i].noWaits++;
  }

  startedAfterWait(request: number, edge: number, waitMs: number): void {
    const views = this.byEdge[edge];
    for (let i = 0; i < views.length; i++) if (this.covers(views[i].spec, request)) views[i].wait.record(waitMs);
  }

  ended(request: number, edge: number, result: RequestResult, isDegraded: boolean): void {
    const views = this.byEdge[edge];
    const nowMs = this.clock.time;
    for (let i = 0; i < views.length; i++) {
      const view = views[i];
      const { spec } = view;
      const isOk = result === results.ok;
      if (spec.class >= 0 && spec.class !== this.requests.classOf(request)) continue;
      if (isOk && nowMs >= spec.fromMs && nowMs < spec.toMs) view.okWithin++;
      const arrivalMs = this.requests.reals[(request << 3) + ARRIVAL_MS];
      if (arrivalMs < spec.fromMs || arrivalMs >= spec.toMs) continue;
      view.results[result]++;
      if (isDegraded) view.degraded++;
      if (isOk) view.latency.record(nowMs - arrivalMs);
      this.countAttempts(view, request, edge);
    }
  }

  private countAttempts(view: View, request: number, edge: number): void {
    if (!this.counts[edge]) {
      view.attempts++;
      return;
    }
    const { attempts } = this.requests;
    view.attempts += attempts.sent[request];
    view.retries += attempts.retries[request];
    view.hedges += attempts.hedges[request];
  }

  private covers(spec: ViewSpec, request: number): boolean {
    const arrivalMs = this.requests.reals[(request << 3) + ARRIVAL_MS];
    return arrivalMs >= spec.fromMs && arrivalMs < spec.toMs && (spec.class < 0 || spec.class === this.requests.classOf(request));
  }
}
