/** Spans of chosen requests: what they waited for, where, how long. The requests are chosen in a first run (`slowest.ts`); a second run of
 *  the same world, which is the same to the last bit, records their spans. So a run without spans pays nothing for them. */
import type { Ms } from '../core/time.ts';
import type { Engine } from '../engine/index.ts';
import { type Outcome, outcomes } from '../policies/balancing/balancer.ts';
import { type RequestResult, results } from '../policies/pipeline/results.ts';
import type { Scenario } from '../scenario/spec.ts';
import type { Span, Waterfall } from '../stats/result.ts';
import type { Client } from './client.ts';
import type { Fleet } from './fleet.ts';
import { ARRIVAL_MS, CLIENT, INDEX, INSTANCE, type RequestTable } from './request-table.ts';
import type { SlowRequest } from './slowest.ts';

const NONE = -1;
/** One request with a hundred calls, each tried four times, stays far below. */
const SPANS_MAX = 4000;

interface OpenSpan {
  parent: number;
  kind: string;
  what: string;
  fromMs: Ms;
  toMs: Ms;
  outcome: string;
}

interface Trace {
  readonly request: SlowRequest;
  readonly spans: OpenSpan[];
  class: string;
  arrivalMs: Ms;
}

export class Tracer {
  private readonly engine: Engine;
  private readonly requests: RequestTable;
  private readonly fleet: Fleet;
  private readonly clients: readonly Client[];
  private readonly scenario: Omit<Scenario, 'variants'>;
  private readonly traces: readonly Trace[];
  private readonly wanted: ReadonlyMap<string, number>;
  // By row: the trace it belongs to, and its spans there.
  private readonly traceOf: number[];
  private readonly requestSpan: number[];
  private readonly attemptSpan: number[];
  private readonly innerSpan: number[];
  /** By row of a request: when its last attempt ended while no other was out. */
  private readonly idleSinceMs: Ms[];

  constructor(
    engine: Engine,
    requests: RequestTable,
    fleet: Fleet,
    clients: readonly Client[],
    scenario: Omit<Scenario, 'variants'>,
    wanted: readonly SlowRequest[],
  ) {
    this.engine = engine;
    this.requests = requests;
    this.fleet = fleet;
    this.clients = clients;
    this.scenario = scenario;
    this.traces = wanted.map((request) => ({ request, spans: [], class: '', arrivalMs: NaN }));
    this.wanted = new Map(wanted.map(({ edge, index }, trace) => [`${edge}/${index}`, trace]));
    this.traceOf = [];
    this.requestSpan = [];
    this.attemptSpan = [];
    this.innerSpan = [];
    this.idleSinceMs = [];
  }

  begun(request: number, edge: number): void {
    const client = this.clientOf(request);
    this.attemptSpan[request] = NONE;
    this.innerSpan[request] = NONE;
    this.idleSinceMs[request] = NaN;
    this.requestSpan[request] = NONE;
    const parent = client.isInternal ? this.requests.calls.parent[request] : NONE;
    const trace = client.isInternal ? this.traceOfParent(parent) : this.wantedTrace(request, edge);
    this.traceOf[request] = trace;
    if (trace === NONE) return;
    if (!client.isInternal) {
      this.traces[trace].class = this.scenario.classes[this.requests.classOf(request)].name;
      this.traces[trace].arrivalMs = this.requests.reals[(request << 3) + ARRIVAL_MS];
    }
    const above = parent === NONE ? NONE : this.attemptSpan[parent];
    this.requestSpan[request] = this.open(trace, above, 'request', this.scenario.edges[edge].name);
  }

  sent(request: number, attempt: number): void {
    const trace = this.traceOf[request] ?? NONE;
    this.traceOf[attempt] = trace;
    this.innerSpan[attempt] = NONE;
    this.attemptSpan[attempt] = NONE;
    if (trace === NONE) return;
    const above = this.requestSpan[request];
    const since = this.idleSinceMs[request];
    if (since < this.engine.time) {
      const backoff = this.open(trace, above, 'backoff', '');
      if (backoff !== NONE) this.traces[trace].spans[backoff].fromMs = since;
      this.close(trace, backoff, '');
    }
    this.idleSinceMs[request] = NaN;
    this.attemptSpan[attempt] = this.open(trace, above, 'attempt', this.whereIs(attempt));
    this.inner(attempt, 'network', '');
  }

  connecting(attempt: number): void {
    this.inner(attempt, 'connect', this.whereIs(attempt));
  }

  connected(attempt: number): void {
    this.inner(attempt, 'network', '');
  }

  /** It reached its instance and waits for a slot. */
  arrived(attempt: number): void {
    this.inner(attempt, 'queue', this.whereIs(attempt));
  }

  started(attempt: number): void {
    this.inner(attempt, 'work', this.whereIs(attempt));
  }

  /** Work is done, others are waited for. */
  paused(attempt: number): void {
    this.inner(attempt, 'downstream', this.whereIs(attempt));
  }

  /** It leaves its instance. */
  stopped(attempt: number): void {
    this.inner(attempt, 'network', '');
  }

  /** Answered from a cache: it never left. */
  cached(request: number): void {
    const trace = this.traceOfParent(this.requests.calls.parent[request]);
    this.traceOf[request] = trace;
    this.attemptSpan[request] = NONE;
    this.innerSpan[request] = NONE;
    if (trace === NONE) return;
    this.requestSpan[request] = this.open(trace, this.attemptSpan[this.requests.calls.parent[request]], 'cache', '');
  }

  /** Nobody waits for it any more; what its instance still does for it is recorded, too. */
  dropped(attempt: number): void {
    const trace = this.traceOf[attempt] ?? NONE;
    if (trace === NONE) return;
    this.close(trace, this.attemptSpan[attempt], 'given up');
    this.markIdle(attempt);
  }

  answered(attempt: number, outcome: Outcome): void {
    const trace = this.traceOf[attempt] ?? NONE;
    if (trace === NONE) return;
    this.closeInner(attempt);
    this.close(trace, this.attemptSpan[attempt], nameOf(outcome));
    this.markIdle(attempt);
  }

  ended(request: number, result: RequestResult): void {
    const trace = this.traceOf[request] ?? NONE;
    if (trace === NONE) return;
    this.close(trace, this.requestSpan[request], nameOf(result));
  }

  waterfalls(): Waterfall[] {
    return this.traces.map(({ request, spans, class: name, arrivalMs }) => ({
      edge: this.scenario.edges[request.edge].name,
      request: request.index,
      class: name,
      arrivalMs,
      latencyMs: request.latencyMs,
      result: nameOf(request.result),
      spans: spans.filter(isWorthShowing).length === spans.length ? spans.map(closed) : withoutEmpty(spans),
    }));
  }

  private wantedTrace(request: number, edge: number): number {
    return this.wanted.get(`${edge}/${this.requests.reals[(request << 3) + INDEX]}`) ?? NONE;
  }

  private traceOfParent(parent: number): number {
    return parent === NONE ? NONE : (this.traceOf[parent] ?? NONE);
  }

  /** The request waits from now on, unless another attempt is out. */
  private markIdle(attempt: number): void {
    const { attempts } = this.requests;
    if (attempts.request.length === 0) return;
    const request = attempts.request[attempt];
    this.idleSinceMs[request] = this.engine.time;
  }

  private inner(attempt: number, kind: string, what: string): void {
    const trace = this.traceOf[attempt] ?? NONE;
    if (trace === NONE) return;
    this.closeInner(attempt);
    this.innerSpan[attempt] = this.open(trace, this.attemptSpan[attempt], kind, what);
  }

  private closeInner(attempt: number): void {
    this.close(this.traceOf[attempt], this.innerSpan[attempt], '');
    this.innerSpan[attempt] = NONE;
  }

  private open(trace: number, parent: number, kind: string, what: string): number {
    const { spans } = this.traces[trace];
    if (spans.length >= SPANS_MAX) return NONE;
    return spans.push({ parent, kind, what, fromMs: this.engine.time, toMs: NaN, outcome: '' }) - 1;
  }

  private close(trace: number, span: number, outcome: string): void {
    if (span === NONE || span === undefined) return;
    const open = this.traces[trace].spans[span];
    if (!Number.isNaN(open.toMs)) return;
    open.toMs = this.engine.time;
    open.outcome = outcome;
  }

  private whereIs(attempt: number): string {
    return this.fleet.ids[this.requests.ints[(attempt << 4) + INSTANCE]] ?? '';
  }

  private clientOf(request: number): Client {
    return this.clients[this.requests.ints[(request << 4) + CLIENT]];
  }
}

/** What took no time tells nothing, unless something hangs below it. */
function isWorthShowing(span: OpenSpan): boolean {
  return span.toMs > span.fromMs || span.kind === 'request' || span.kind === 'attempt';
}

/** Never closed: still going on when the run ended, or work for a row that nobody asked about again. */
const closed = (span: OpenSpan): Span => ({ ...span, toMs: Number.isNaN(span.toMs) ? span.fromMs : span.toMs });

function withoutEmpty(spans: readonly OpenSpan[]): Span[] {
  const place: number[] = [];
  const kept: Span[] = [];
  spans.forEach((span, i) => {
    place[i] = NONE;
    if (isWorthShowing(span))
      place[i] = kept.push({ ...closed(span), parent: span.parent === NONE ? NONE : place[span.parent] }) - 1;
  });
  return kept;
}

const resultNames = new Map<number, string>([
  ...Object.entries(results).map(([name, code]) => [code, name] as const),
  [outcomes.lost, 'connectionLost'],
]);
const nameOf = (result: number): string => resultNames.get(result) ?? '';
