/** Drives a pipeline over HTTP: attempts are exchanges with endpoints, timers are the machine's. The simulator's gateway is the other
 *  driver of the same object.
 *
 *  An endpoint's answer is judged when its head is there. A good one is committed to and handed on as it comes; the attempt lasts until
 *  its last byte, so that what balances by requests in flight counts it that long. A bad one ends the attempt, and is handed on only if
 *  nothing is tried instead. */
import type { IncomingMessage } from 'node:http';
import type { Clock, Ms } from '../core/time.ts';
import { type LoadReport, type Outcome, outcomes, type Slot } from '../policies/balancing/balancer.ts';
import type { EndpointSet } from '../policies/balancing/endpoint-set.ts';
import type { AttemptTable } from '../policies/pipeline/attempt-table.ts';
import type { PipelineDriver } from '../policies/pipeline/driver.ts';
import type { Pipeline } from '../policies/pipeline/pipeline.ts';
import { nameOfResult, type RequestResult } from '../policies/pipeline/results.ts';
import type { Decision } from './decision.ts';
import { type Agents, Exchange, type Message } from './exchange.ts';
import type { Timer, Timers } from './system.ts';

/** A request, as whoever has it answered gives it to the driver. */
export interface Call {
  /** Read anew for every attempt. `leftMs`: until the request's deadline, Infinity for none. */
  message(leftMs: Ms): Message;
  /** An endpoint's answer begins, to be read to its end; at most once. */
  answer(answer: IncomingMessage): void;
  /** The request is over; once. `ok` without `isDegraded` only after the last byte of an answer. */
  finish(result: RequestResult, isDegraded: boolean): void;
}

export interface HttpDriverParts {
  readonly endpoints: EndpointSet;
  readonly attempts: AttemptTable;
  /** How many requests and attempts the table holds now. */
  readonly capacity: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly agents: Agents;
  outcomeOf(answer: IncomingMessage): Outcome;
  /** What an answer says of its endpoint's load, for balancers that listen. */
  readonly reportOf?: ((answer: IncomingMessage) => LoadReport | undefined) | undefined;
  /** Asks an endpoint for its load, for balancers that probe. */
  readonly probe?: ((endpoint: string) => Promise<LoadReport | undefined>) | undefined;
  readonly onDecision?: ((decision: Decision) => void) | undefined;
  /** An attempt is sent to some endpoint. */
  readonly onSend?: (() => void) | undefined;
  /** An attempt has met an endpoint that could not be reached, or a connection that broke. */
  readonly onConnectionFailure?: (() => void) | undefined;
}

interface Live {
  readonly call: Call;
  readonly sequence: number;
  /** Infinity if there is none. */
  deadlineMs: Ms;
  hedges: number;
  /** The bad answer that is being told to the pipeline, and its outcome. */
  badAnswer: IncomingMessage | undefined;
  badOutcome: RequestResult | undefined;
}
interface Try {
  readonly live: Live;
  readonly ordinal: number;
  readonly slot: Slot;
  readonly endpoint: string;
  exchange: Exchange | undefined;
}

export class HttpPipelineDriver implements PipelineDriver {
  readonly #parts: HttpDriverParts;
  #pipeline: Pipeline | undefined;
  #capacity: number;
  #used = 0;
  #sequence = 0;
  readonly #free: number[] = [];
  // By number of the request or attempt.
  readonly #lives: (Live | undefined)[] = [];
  readonly #tries: (Try | undefined)[] = [];
  readonly #timeouts: (Timer | undefined)[] = [];
  readonly #attemptTimeouts: (Timer | undefined)[] = [];
  readonly #nexts: (Timer | undefined)[] = [];

  constructor(parts: HttpDriverParts) {
    this.#parts = parts;
    this.#capacity = parts.capacity;
  }

  /** The pipeline needs its driver to be made, and the driver its pipeline to be used. */
  attach(pipeline: Pipeline): void {
    this.#pipeline = pipeline;
  }

  /** Starts a request; returns how to cancel it, which does nothing once it is over. */
  start(call: Call, leftMs: Ms = Infinity): () => void {
    const request = this.#newNumber();
    const live: Live = {
      call,
      sequence: this.#sequence++,
      deadlineMs: this.#parts.clock.now() + leftMs,
      hedges: 0,
      badAnswer: undefined,
      badOutcome: undefined,
    };
    this.#lives[request] = live;
    this.#pipeline!.start(request, leftMs);
    return () => {
      // By then its number may be another request's.
      if (this.#lives[request] === live) this.#pipeline!.cancel(request);
    };
  }

  /** Requests that are not over. */
  get active(): number {
    return this.#lives.reduce((count, live) => (live === undefined ? count : count + 1), 0);
  }

  newAttempt(): number {
    return this.#newNumber();
  }

  send(request: number, attempt: number, slot: Slot, ordinal: number): void {
    const { endpoints, attempts, clock } = this.#parts;
    const live = this.#lives[request]!;
    const endpoint = endpoints.table.ids[slot];
    const sent: Try = { live, ordinal, slot, endpoint, exchange: undefined };
    this.#tries[attempt] = sent;
    const isHedge = ordinal > 0 && attempts.hedges[request] > live.hedges;
    if (isHedge) live.hedges++;
    const atMs = clock.now();
    this.#tell({ kind: 'sent', ...placeOf(sent), why: ordinal === 0 ? 'first' : isHedge ? 'hedge' : 'retry', atMs });
    this.#parts.onSend?.();
    try {
      sent.exchange = new Exchange(new URL(endpoint), live.call.message(live.deadlineMs - atMs), this.#parts.agents, {
        answered: (answer) => this.#answered(attempt, sent, answer),
        failed: (outcome) => this.#ended(attempt, sent, outcome),
      });
    } catch {
      // What cannot be written as HTTP.
      this.#ended(attempt, sent, outcomes.error);
    }
  }

  dropAttempt(attempt: number): void {
    const sent = this.#tries[attempt]!;
    this.#release(attempt, sent);
    this.#tell({ kind: 'dropped', ...placeOf(sent), atMs: this.#parts.clock.now() });
    sent.exchange?.drop();
  }

  armTimeout(request: number, delayMs: Ms): void {
    const live = this.#lives[request]!;
    live.deadlineMs = Math.min(live.deadlineMs, this.#parts.clock.now() + delayMs);
    this.#timeouts[request] = this.#parts.timers.set(delayMs, () => this.#pipeline!.onTimeout(request));
  }

  cancelTimeout(request: number): void {
    this.#timeouts[request]?.clear();
  }

  armAttemptTimeout(attempt: number, delayMs: Ms): void {
    this.#attemptTimeouts[attempt] = this.#parts.timers.set(delayMs, () => this.#pipeline!.onAttemptTimeout(attempt));
  }

  cancelAttemptTimeout(attempt: number): void {
    this.#attemptTimeouts[attempt]?.clear();
  }

  armNext(request: number, delayMs: Ms): void {
    this.#nexts[request] = this.#parts.timers.set(delayMs, () => this.#pipeline!.onNext(request));
  }

  cancelNext(request: number): void {
    this.#nexts[request]?.clear();
  }

  finish(request: number, result: RequestResult, isDegraded: boolean): void {
    const live = this.#lives[request]!;
    this.#lives[request] = undefined;
    this.#free.push(request);
    const atMs = this.#parts.clock.now();
    this.#tell({ kind: 'finished', request: live.sequence, result: nameOfResult(result), isDegraded, atMs });
    const { badAnswer } = live;
    if (badAnswer !== undefined && result === live.badOutcome) {
      live.badAnswer = undefined;
      live.call.answer(badAnswer);
    }
    live.call.finish(result, isDegraded);
  }

  probe(_request: number, slot: Slot): void {
    const { probe, endpoints } = this.#parts;
    const endpoint = endpoints.table.ids[slot];
    const generation = endpoints.table.generation[slot];
    probe?.(endpoint).then(
      (report) => {
        // Its slot may be somebody else's by now.
        if (report !== undefined && endpoints.table.generation[slot] === generation) this.#pipeline!.onReport(slot, report);
      },
      // A probe that fails is a probe without an answer.
      () => undefined,
    );
  }

  invalidPick(request: number, slot: Slot): void {
    this.#tell({ kind: 'invalidPick', request: this.#lives[request]!.sequence, slot, atMs: this.#parts.clock.now() });
  }

  #answered(attempt: number, sent: Try, answer: IncomingMessage): void {
    const { live } = sent;
    const outcome = this.#parts.outcomeOf(answer);
    const report = this.#parts.reportOf?.(answer);
    if (outcome === outcomes.ok) {
      // Its end comes before the caller's, which would otherwise look like a caller that leaves.
      answer.once('end', () => this.#endedOnce(attempt, sent, outcomes.ok));
      answer.once('close', () => this.#endedOnce(attempt, sent, outcomes.lost));
      this.#pipeline!.onCommit(attempt);
      live.call.answer(answer);
    } else {
      live.badAnswer = answer;
      live.badOutcome = outcome;
      this.#ended(attempt, sent, outcome);
      // Nobody wants it: read to its end, so that its connection can be used again.
      if (live.badAnswer === answer) answer.resume();
      live.badAnswer = undefined;
    }
    if (report !== undefined) this.#pipeline!.onReport(sent.slot, report);
  }

  /** Unless it has ended or was dropped before; its number may be another attempt's by now. */
  #endedOnce(attempt: number, sent: Try, outcome: Outcome): void {
    if (this.#tries[attempt] === sent) this.#ended(attempt, sent, outcome);
  }

  #ended(attempt: number, sent: Try, outcome: Outcome): void {
    this.#tell({ kind: 'ended', ...placeOf(sent), outcome: nameOfResult(outcome), atMs: this.#parts.clock.now() });
    this.#tries[attempt] = undefined;
    if (outcome === outcomes.refused || outcome === outcomes.lost) this.#parts.onConnectionFailure?.();
    this.#pipeline!.onResponse(attempt, outcome);
    // The pipeline is done with it only now.
    if (sent.ordinal > 0) this.#free.push(attempt);
  }

  #release(attempt: number, sent: Try): void {
    this.#tries[attempt] = undefined;
    // The first attempt has the request's number, which is free when that is over.
    if (sent.ordinal > 0) this.#free.push(attempt);
  }

  #newNumber(): number {
    const number = this.#free.pop() ?? this.#used++;
    if (number >= this.#capacity) {
      this.#capacity *= 2;
      this.#parts.attempts.grow(this.#capacity);
    }
    return number;
  }

  #tell(decision: Decision): void {
    this.#parts.onDecision?.(decision);
  }
}

const placeOf = ({ live, ordinal, endpoint }: Try): { request: number; attempt: number; endpoint: string } => ({
  request: live.sequence,
  attempt: ordinal,
  endpoint,
});
