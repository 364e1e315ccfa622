/** Prequal: ask a few random endpoints for their load ahead of time, keep the answers in a small pool, and pick from it: the quickest of
 *  those that are not hot, where hot means more requests in flight than the usual.
 *
 *  Sees the load that all clients together cause, and latency as the endpoint itself measures it, without waiting for the answers. Made
 *  for large fleets at high and uneven load. It fails where the driver cannot probe, or where traffic is so thin that answers are stale
 *  when used: with fewer than two answers in the pool it picks at random.
 *
 *  An answer serves several picks; each adds one to the load it reports. How many is the reuse budget
 *  max(1, (1 + delta) / ((1 − poolSize/n) · probeRate − removeRate)), with maxReuse where that has no bound, its fraction rounded at
 *  random. The paper's text was not at hand: the formula and the order of removals follow open implementations, which differ in part. */
import { duration, fraction, int, number, type ParamValues } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';
import {
  type Balancer,
  defineBalancer,
  type EndpointView,
  type LoadReport,
  NO_ENDPOINT,
  type PickContext,
  type Slot,
} from './balancer.ts';
import { Newcomers } from './parts/newcomers.ts';
import { ProbePool } from './parts/probe-pool.ts';
import { SortedWindow } from './parts/sorted-window.ts';

const params = {
  probeRate: number({ default: 3, min: 0, about: 'Probes sent per request; fractions are spread evenly.', official: 'r_probe' }),
  poolSize: int({ default: 16, min: 1, about: 'Answers kept.', official: 'm' }),
  maxAge: duration({ default: 1000, min: 1, about: 'Age at which an answer is dropped.' }),
  removeRate: number({
    default: 1,
    min: 0,
    about: 'Answers removed per request, the oldest and the worst in turn.',
    official: 'r_remove',
  }),
  qRif: fraction({
    default: 0.84,
    about:
      'An answer is hot above this quantile of requests in flight in recent answers; 0 goes by load alone, 1 by latency alone.',
    official: 'Q_RIF = 2^−0.25',
  }),
  rifHistory: int({ default: 64, min: 1, about: 'Recent answers over which the quantile is taken.' }),
  delta: number({ default: 1, min: 0, about: 'Enters the reuse budget.', official: 'δ' }),
  maxReuse: int({ default: 16, min: 1, about: 'Most picks one answer may serve.' }),
};

export const prequal = defineBalancer({
  name: 'prequal',
  summary: 'Picks from a pool of probe answers: the quickest endpoint that is not hot.',
  useWhen: 'Many clients share many endpoints at high, uneven load, and endpoints can be probed.',
  failsWhen: 'Traffic is thin, so that answers are stale; or probing is not possible: picks are random then.',
  cost: 'O(pool size)',
  sources: [
    'Wydrowski, Kleinberg, Rumble, Archer: Load is not what you should balance: Introducing Prequal (NSDI 2024)',
    'prequal-rs/prequal: crates/prequal-core',
  ],
  aliases: [],
  params,
  create: (values, deps) => new Prequal(values, deps.rng),
});

/** How many picks one answer may serve; Infinity where the formula has no bound. */
export function reuseBudget(poolSize: number, endpoints: number, probeRate: number, removeRate: number, delta: number): number {
  const surplus = (1 - poolSize / endpoints) * probeRate - removeRate;
  return surplus > 0 ? Math.max(1, (1 + delta) / surplus) : Infinity;
}

class Prequal implements Balancer {
  readonly #values: ParamValues<typeof params>;
  readonly #rng: Rng;
  readonly #pool: ProbePool;
  readonly #recentInFlight: SortedWindow;
  readonly #newcomers = new Newcomers();
  /** The members in an order that the draws of probes shuffle on. */
  #shuffled: Int32Array = new Int32Array(0);
  #isMember: Uint8Array = new Uint8Array(0);
  #reuse = 1;
  /** Probes to send and answers to remove, with their fractions; in an array, so that the numbers are not boxed. */
  readonly #owed = new Float64Array(2);
  #removesOldest = true;

  constructor(values: ParamValues<typeof params>, rng: Rng) {
    this.#values = values;
    this.#rng = rng;
    this.#pool = new ProbePool(values.poolSize);
    this.#recentInFlight = new SortedWindow(values.rifHistory);
  }

  update({ members, count, table }: EndpointView): void {
    const { poolSize, probeRate, removeRate, delta, maxReuse } = this.#values;
    this.#shuffled = members.slice(0, count);
    this.#isMember = new Uint8Array(table.active.length);
    for (const slot of this.#shuffled) {
      this.#isMember[slot] = 1;
      if (this.#newcomers.meet(table, slot)) this.#pool.removeSlot(slot);
    }
    for (let slot = 0; slot < this.#isMember.length; slot++) if (this.#isMember[slot] === 0) this.#pool.removeSlot(slot);
    this.#reuse = Math.min(maxReuse, reuseBudget(poolSize, count, probeRate, removeRate, delta));
  }

  pick(context: PickContext): Slot {
    const count = this.#shuffled.length;
    if (count < 2) return count === 0 ? NO_ENDPOINT : this.#shuffled[0];
    this.#pool.expire(context.nowMs, this.#values.maxAge);
    const slot = this.#pool.count < 2 ? this.#shuffled[this.#rng.below(count)] : this.#pool.use(this.#pool.select());
    this.#removeSome();
    this.#owed[PROBES] += this.#values.probeRate;
    return slot;
  }

  probes(out: Int32Array): number {
    const wanted = Math.min(Math.floor(this.#owed[PROBES]), this.#shuffled.length, out.length);
    this.#owed[PROBES] -= Math.floor(this.#owed[PROBES]);
    for (let i = 0; i < wanted; i++) {
      const at = i + this.#rng.below(this.#shuffled.length - i);
      out[i] = this.#shuffled[at];
      this.#shuffled[at] = this.#shuffled[i];
      this.#shuffled[i] = out[i];
    }
    return wanted;
  }

  onReport(slot: Slot, nowMs: Ms, report: LoadReport): void {
    if (!report.isProbe || slot >= this.#isMember.length || this.#isMember[slot] === 0) return;
    this.#recentInFlight.add(report.inFlight);
    this.#pool.setThreshold(this.#recentInFlight.quantile(this.#values.qRif));
    const whole = Math.floor(this.#reuse);
    const uses = whole + (this.#rng.next() < this.#reuse - whole ? 1 : 0);
    this.#pool.insert(slot, nowMs, report.inFlight, report.latencyMs, uses);
  }

  /** removeRate answers a pick, the oldest and the worst in turn. */
  #removeSome(): void {
    for (this.#owed[REMOVALS] += this.#values.removeRate; this.#owed[REMOVALS] >= 1; this.#owed[REMOVALS]--) {
      if (this.#removesOldest) this.#pool.removeOldest();
      else this.#pool.removeWorst();
      this.#removesOldest = !this.#removesOldest;
    }
  }
}

const PROBES = 0;
const REMOVALS = 1;
