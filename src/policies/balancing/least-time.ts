/** Least time, as nginx has it: the lowest average response time, in steps of 20 ms, times requests in flight, for the weight.
 *
 *  Counts and measures, and lets endpoints of about the same speed take turns. Only successes are averaged, so fast failures do not
 *  attract. It fails where speeds change: the average moves by a twentieth per answer, and a slow endpoint that gets no requests stays
 *  slow in memory, but for a halving per failTimeout since its last trial. Above 5 s all are equally bad and only counts decide.
 *
 *  With `inflight`, the time that running requests have taken so far counts too, so a stall shows before its first answer. */
import { boolean, duration } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import {
  type Balancer,
  defineBalancer,
  type EndpointView,
  NO_ENDPOINT,
  type Outcome,
  outcomes,
  type PickContext,
  type Slot,
} from './balancer.ts';
import { grownFloats } from '../../core/grow.ts';
import { Newcomers } from './parts/newcomers.ts';
import { SmoothWeights } from './parts/smooth-weights.ts';

export const leastTime = defineBalancer({
  name: 'least-time',
  summary: 'Picks the lowest average response time times requests in flight, for the weight (nginx).',
  useWhen: 'One client, or a few, see most of the load, and endpoints differ in speed for long.',
  failsWhen: 'Speeds change within seconds: the average follows one answer in twenty.',
  cost: 'O(n)',
  sources: ['nginx/nginx: src/http/modules/ngx_http_upstream_least_time_module.c'],
  aliases: [{ system: 'nginx', name: 'least_time' }],
  params: {
    inflight: boolean({
      default: false,
      about: 'Also count the average time that running requests have taken so far.',
      official: 'nginx least_time … inflight',
    }),
    failTimeout: duration({
      default: 10_000,
      min: 0,
      about: 'An average is halved for each failTimeout (and a second) since the endpoint’s last trial.',
      official: 'nginx fail_timeout',
    }),
  },
  create: ({ inflight, failTimeout }) => new LeastTime(inflight, failTimeout),
});

/** The estimated time one more request would take, in milliseconds. */
export const leastTimeEta = (averageMs: Ms, inFlight: number): number =>
  (averageMs > LONGEST_MS ? LONGEST_MS : averageMs + STEP_MS - (averageMs % STEP_MS)) * (1 + inFlight);

/** nginx's running average, in whole milliseconds; 0 is no average yet. */
export const leastTimeAverage = (averageMs: Ms, sampleMs: Ms): Ms =>
  averageMs === 0 ? Math.floor(sampleMs) : Math.floor(0.5 + 0.05 * Math.floor(sampleMs) + 0.95 * averageMs);

const LONGEST_MS = 5000;
const STEP_MS = 20;

class LeastTime implements Balancer {
  readonly #countsInFlight: boolean;
  readonly #failTimeoutMs: Ms;
  readonly #smooth = new SmoothWeights();
  readonly #newcomers = new Newcomers();
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #active: Uint32Array = new Uint32Array(0);
  #weights: Float64Array = new Float64Array(0);
  #averageMs: Float64Array = new Float64Array(0);
  #checkedMs: Float64Array = new Float64Array(0);
  /** Sum of the start times of running requests, and the running average made of them. */
  #startSumMs: Float64Array = new Float64Array(0);
  #runningMs: Float64Array = new Float64Array(0);
  /** Of the pick under way, by member index. */
  #etas: Float64Array = new Float64Array(0);

  constructor(countsInFlight: boolean, failTimeoutMs: Ms) {
    this.#countsInFlight = countsInFlight;
    this.#failTimeoutMs = failTimeoutMs;
  }

  update(view: EndpointView, nowMs: Ms): void {
    const { members, count, table } = view;
    this.#members = members;
    this.#count = count;
    this.#active = table.active;
    this.#weights = table.weight;
    this.#smooth.update(view);
    const size = table.weight.length;
    if (size > this.#averageMs.length) {
      this.#averageMs = grownFloats(this.#averageMs, size);
      this.#checkedMs = grownFloats(this.#checkedMs, size);
      this.#startSumMs = grownFloats(this.#startSumMs, size);
      this.#runningMs = grownFloats(this.#runningMs, size);
      this.#etas = new Float64Array(size);
    }
    for (let i = 0; i < count; i++) {
      const slot = members[i];
      if (!this.#newcomers.meet(table, slot)) continue;
      this.#averageMs[slot] = this.#startSumMs[slot] = this.#runningMs[slot] = 0;
      this.#checkedMs[slot] = nowMs;
    }
  }

  pick(context: PickContext): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    let least = 0;
    let isTied = false;
    for (let i = 0; i < this.#count; i++) {
      this.#etas[i] = this.#eta(this.#members[i], context.nowMs);
      if (i === 0) continue;
      const order = this.#compare(i, least);
      if (order < 0) {
        least = i;
        isTied = false;
      } else if (order === 0) {
        isTied = true;
      }
    }
    const slot = isTied ? this.#takeTurns(least) : this.#members[least];
    if (context.nowMs - this.#checkedMs[slot] > this.#failTimeoutMs) this.#checkedMs[slot] = context.nowMs;
    return slot;
  }

  onStart(slot: Slot, nowMs: Ms): void {
    this.#startSumMs[slot] += nowMs;
  }

  onEnd(slot: Slot, nowMs: Ms, latencyMs: Ms, outcome: Outcome): void {
    this.#startSumMs[slot] -= nowMs - latencyMs;
    if (outcome === outcomes.ok) this.#averageMs[slot] = leastTimeAverage(this.#averageMs[slot], latencyMs);
  }

  #eta(slot: Slot, nowMs: Ms): number {
    let averageMs = this.#averageMs[slot];
    const sinceMs = nowMs - this.#checkedMs[slot];
    if (sinceMs > this.#failTimeoutMs) {
      const halvings = Math.floor(sinceMs / (this.#failTimeoutMs + 1000));
      averageMs = halvings < 31 ? averageMs >> halvings : 0;
    }
    const running = this.#active[slot];
    if (this.#countsInFlight && running > 0) {
      const takenMs = nowMs - this.#startSumMs[slot] / running;
      this.#runningMs[slot] = leastTimeAverage(this.#runningMs[slot], takenMs);
      averageMs = Math.max(averageMs, this.#runningMs[slot]);
    }
    return leastTimeEta(averageMs, running);
  }

  /** One step of smooth weighted round robin among those as good as the first of them. */
  #takeTurns(first: number): Slot {
    const smooth = this.#smooth;
    let best = first;
    let total = smooth.advance(this.#members[first]);
    for (let i = first + 1; i < this.#count; i++) {
      if (this.#compare(i, first) !== 0) continue;
      total += smooth.advance(this.#members[i]);
      if (smooth.current(this.#members[i]) > smooth.current(this.#members[best])) best = i;
    }
    smooth.take(this.#members[best], total);
    return this.#members[best];
  }

  #compare(a: number, b: number): number {
    return this.#etas[a] * this.#weights[this.#members[b]] - this.#etas[b] * this.#weights[this.#members[a]];
  }
}
