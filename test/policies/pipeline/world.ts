/** A driver with a clock of its own, for specifications of the pipeline: endpoints answer by a script, time passes when the test says so,
 *  and everything that happens is written down as one line. It also checks what every driver may rely on; see `violations`. */
import type { Ms } from '../../../src/core/time.ts';
import type { Decision } from '../../../src/live/decision.ts';
import { type Balancer, type EndpointView, type Outcome, outcomes, type Slot } from '../../../src/policies/balancing/balancer.ts';
import { EndpointSet } from '../../../src/policies/balancing/endpoint-set.ts';
import { AttemptTable } from '../../../src/policies/pipeline/attempt-table.ts';
import type { PipelineDriver } from '../../../src/policies/pipeline/driver.ts';
import { needsFullTable, Pipeline, type PipelineParts } from '../../../src/policies/pipeline/pipeline.ts';
import { nameOfResult, type RequestResult } from '../../../src/policies/pipeline/results.ts';

export interface Sending {
  /** Counts requests from 0. */
  readonly request: number;
  readonly ordinal: number;
  readonly endpoint: Slot;
}
export type OutcomeName = keyof typeof outcomes;
/** How an endpoint treats an attempt. Without `afterMs`, it answers before `send` returns; `commitsAfterMs` is when its answer begins. */
export type Reply = { readonly outcome: OutcomeName; readonly afterMs?: Ms; readonly commitsAfterMs?: Ms } | 'silence';

export interface Setup {
  /** Number of endpoints, called `a`, `b`, `c`…; 3 by default. */
  readonly endpoints?: number;
  /** In turn from `a` by default. */
  readonly balancer?: Balancer;
  /** Answers at once by default. */
  readonly reply?: (sending: Sending) => Reply;
  readonly parts?: Partial<PipelineParts>;
  readonly capacity?: number;
  readonly onFinish?: (request: number) => void;
}

interface Event {
  readonly atMs: Ms;
  readonly fire: () => void;
}
interface Row {
  readonly request: number;
  readonly ordinal: number;
  readonly endpoint: Slot;
  readonly rowOfRequest: number;
}

export class World implements PipelineDriver {
  nowMs: Ms = 0;
  /** Decisions in words: `5 sent 0.1 to b (retry)`. */
  readonly story: string[] = [];
  /** The same as data, as the live proxy tells them. */
  readonly decisions: Decision[] = [];
  /** Every call of the pipeline's, timers included, unless it cancels one that is not set. */
  readonly calls: string[] = [];
  /** Promises of the pipeline's to its driver that were broken. */
  readonly violations: string[] = [];
  readonly endpoints: EndpointSet;
  readonly pipeline: Pipeline;
  readonly results: string[] = [];
  readonly attempts: AttemptTable;
  private readonly setup: Setup;
  private readonly events: Event[] = [];
  private readonly alive = new Map<number, { readonly request: number; hedges: number }>();
  private readonly out = new Map<number, Row>();
  private readonly timers = new Map<string, Event>();
  private readonly free: number[] = [];
  private readonly rowOf = new Map<number, number>();
  private capacity: number;
  private used = 0;
  private begun = 0;

  constructor(setup: Setup = {}) {
    this.setup = setup;
    this.capacity = setup.capacity ?? 2;
    const count = setup.endpoints ?? 3;
    this.endpoints = new EndpointSet(count);
    for (let i = 0; i < count; i++) this.endpoints.add(letter(i), {}, 0);
    const balancer = setup.balancer ?? inTurn();
    this.endpoints.bind(balancer, 0);
    this.attempts = new AttemptTable(this.capacity, needsFullTable(setup.parts ?? {}));
    this.pipeline = new Pipeline({
      endpoints: this.endpoints,
      balancer,
      attempts: this.attempts,
      driver: this,
      clock: { now: () => this.nowMs },
      ...setup.parts,
    });
  }

  /** Returns the request's place in the order of starts. */
  start(leftMs: Ms = Infinity): number {
    const row = this.newRow();
    const request = this.begun++;
    this.alive.set(row, { request, hedges: 0 });
    this.rowOf.set(request, row);
    this.pipeline.start(row, leftMs);
    return request;
  }

  cancel(request: number): void {
    const row = this.rowOf.get(request);
    if (row !== undefined) this.pipeline.cancel(row);
  }

  /** Lets time pass, and what is due in it happen, in order. */
  advance(ms: Ms): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      let next: Event | undefined;
      for (const event of this.events) if (event.atMs <= untilMs && (next === undefined || event.atMs < next.atMs)) next = event;
      if (next === undefined) break;
      this.events.splice(this.events.indexOf(next), 1);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.fire();
    }
    if (untilMs < Infinity) this.nowMs = untilMs;
  }

  get requestsAlive(): readonly number[] {
    return [...this.alive.values()].map(({ request }) => request);
  }

  get attemptsOut(): number {
    return this.out.size;
  }

  get timersArmed(): readonly string[] {
    return [...this.timers.keys()];
  }

  newAttempt(request: number): number {
    this.expectAlive(request, 'newAttempt');
    return this.newRow();
  }

  send(request: number, attempt: number, endpoint: Slot, ordinal: number): void {
    this.called('send', request, attempt);
    const live = this.expectAlive(request, 'send');
    if (ordinal > 0 === (request === attempt)) this.violations.push(`attempt ${ordinal} has number ${attempt}`);
    const row: Row = { request: live.request, ordinal, endpoint, rowOfRequest: request };
    this.out.set(attempt, row);
    const isHedge = ordinal > 0 && this.attempts.hedges[request] > live.hedges;
    if (isHedge) live.hedges++;
    const why = ordinal === 0 ? 'first' : isHedge ? 'hedge' : 'retry';
    this.tell({ kind: 'sent', ...this.placeOf(row), why });
    const reply = (this.setup.reply ?? atOnce)({ request: live.request, ordinal, endpoint });
    if (reply === 'silence') return;
    const { afterMs, commitsAfterMs } = reply;
    const end = (): void => this.respond(attempt, row, outcomes[reply.outcome]);
    if (afterMs === undefined) {
      end();
      return;
    }
    if (commitsAfterMs !== undefined) {
      this.at(commitsAfterMs, () => {
        if (this.out.get(attempt) === row) this.pipeline.onCommit(attempt);
      });
    }
    this.at(afterMs, () => {
      if (this.out.get(attempt) === row) end();
    });
  }

  dropAttempt(attempt: number): void {
    this.called('dropAttempt', attempt);
    const row = this.out.get(attempt);
    if (row === undefined) {
      this.violations.push(`dropped attempt ${attempt}, which is not out`);
      return;
    }
    this.expectAlive(row.rowOfRequest, 'dropAttempt');
    this.out.delete(attempt);
    if (row.ordinal > 0) this.free.push(attempt);
    this.tell({ kind: 'dropped', ...this.placeOf(row) });
  }

  armTimeout(request: number, delayMs: Ms, isUsual: boolean): void {
    this.called('armTimeout', request, delayMs, isUsual);
    this.expectAlive(request, 'armTimeout');
    this.arm(`request ${request}`, delayMs, () => this.pipeline.onTimeout(request));
  }

  cancelTimeout(request: number): void {
    this.expectAlive(request, 'cancelTimeout');
    this.disarm(`request ${request}`);
  }

  armAttemptTimeout(attempt: number, delayMs: Ms): void {
    this.called('armAttemptTimeout', attempt);
    this.arm(`attempt ${attempt}`, delayMs, () => this.pipeline.onAttemptTimeout(attempt));
  }

  cancelAttemptTimeout(attempt: number): void {
    this.disarm(`attempt ${attempt}`);
  }

  armNext(request: number, delayMs: Ms): void {
    this.called('armNext', request, delayMs);
    this.expectAlive(request, 'armNext');
    this.arm(`next ${request}`, delayMs, () => this.pipeline.onNext(request));
  }

  cancelNext(request: number): void {
    this.expectAlive(request, 'cancelNext');
    this.disarm(`next ${request}`);
  }

  finish(row: number, result: RequestResult, isDegraded: boolean): void {
    this.called('finish', row, result, isDegraded);
    const live = this.expectAlive(row, 'finish');
    if ([...this.out.values()].some((each) => each.rowOfRequest === row && each.request === live.request)) {
      this.violations.push(`request ${live.request} finished with attempts out`);
    }
    for (const timer of [`request ${row}`, `next ${row}`]) {
      if (this.timers.has(timer)) this.violations.push(`request ${live.request} finished with its timer "${timer}" armed`);
    }
    this.alive.delete(row);
    this.rowOf.delete(live.request);
    this.free.push(row);
    this.results[live.request] = nameOfResult(result);
    this.tell({ kind: 'finished', request: live.request, result: nameOfResult(result), isDegraded });
    this.setup.onFinish?.(live.request);
  }

  probe(): void {}

  invalidPick(row: number, slot: Slot): void {
    this.called('invalidPick', row, slot);
    this.tell({ kind: 'invalidPick', request: this.expectAlive(row, 'invalidPick').request, slot });
  }

  private respond(attempt: number, row: Row, outcome: Outcome): void {
    this.out.delete(attempt);
    this.tell({ kind: 'ended', ...this.placeOf(row), outcome: nameOfResult(outcome) });
    this.pipeline.onResponse(attempt, outcome);
    if (row.ordinal > 0) this.free.push(attempt);
  }

  private newRow(): number {
    const row = this.free.pop() ?? this.used++;
    if (row >= this.capacity) this.attempts.grow((this.capacity *= 2));
    return row;
  }

  private arm(name: string, delayMs: Ms, fire: () => void): void {
    if (this.timers.has(name)) this.violations.push(`timer "${name}" is armed twice`);
    const event = this.at(delayMs, () => {
      this.timers.delete(name);
      fire();
    });
    this.timers.set(name, event);
  }

  private disarm(name: string): void {
    const event = this.timers.get(name);
    if (event === undefined) return;
    this.calls.push(`${this.nowMs} cancel ${name}`);
    this.timers.delete(name);
    this.events.splice(this.events.indexOf(event), 1);
  }

  private at(delayMs: Ms, fire: () => void): Event {
    const event = { atMs: this.nowMs + delayMs, fire };
    this.events.push(event);
    return event;
  }

  private called(name: string, ...values: readonly (number | boolean)[]): void {
    this.calls.push(`${this.nowMs} ${name} ${values.join(' ')}`);
  }

  private expectAlive(row: number, call: string): { readonly request: number; hedges: number } {
    const live = this.alive.get(row);
    if (live !== undefined) return live;
    this.violations.push(`${call} for row ${row}, which is no request that is alive`);
    return { request: -1, hedges: 0 };
  }

  private placeOf({ request, ordinal, endpoint }: Row): { request: number; attempt: number; endpoint: string } {
    return { request, attempt: ordinal, endpoint: this.endpoints.table.ids[endpoint] };
  }

  private tell(decision: Untimed): void {
    this.decisions.push({ ...decision, atMs: this.nowMs } as Decision);
    this.story.push(`${this.nowMs} ${inWords(decision)}`);
  }
}

type Untimed = Decision extends infer Each ? (Each extends Decision ? Omit<Each, 'atMs'> : never) : never;

/** Without the time. */
export function inWords(decision: Untimed): string {
  switch (decision.kind) {
    case 'sent': {
      const why = decision.why === 'first' ? '' : ` (${decision.why})`;
      return `sent ${decision.request}.${decision.attempt} to ${decision.endpoint}${why}`;
    }
    case 'ended':
      return `ended ${decision.request}.${decision.attempt} ${decision.outcome}`;
    case 'dropped':
      return `dropped ${decision.request}.${decision.attempt}`;
    case 'finished':
      return `finished ${decision.request} ${decision.result}${decision.isDegraded ? ' (fallback)' : ''}`;
    case 'invalidPick':
      return `invalid pick ${decision.slot} for ${decision.request}`;
  }
}

export const letter = (index: number): string => String.fromCharCode(97 + index);

/** Endpoints in turn, from the first. */
export function inTurn(): Balancer {
  let view: EndpointView;
  let turn = 0;
  return {
    update: (changed) => (view = changed),
    pick: () => (view.count === 0 ? -1 : view.members[turn++ % view.count]),
  };
}

/** These slots, one after the other. */
export function picking(...slots: readonly Slot[]): Balancer & { readonly contexts: string[] } {
  const contexts: string[] = [];
  let next = 0;
  return {
    contexts,
    update: () => undefined,
    pick: ({ attempt, hasHash, hashHigh, hashLow }) => {
      contexts.push(`${attempt} ${hasHash ? `${hashHigh}:${hashLow}` : '-'}`);
      return slots[next++];
    },
  };
}

const atOnce = (): Reply => ({ outcome: 'ok', afterMs: 0 });
