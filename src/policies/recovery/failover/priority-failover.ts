/** All traffic to the first site that is good, in order of preference, with a delay before going back.
 *
 *  Use it for a primary and its stand-bys, where one site can carry everything. It fails when none can: the stand-by falls over in turn,
 *  and traffic is handed on. Failing back too soon moves traffic into a site whose caches are cold and whose replicas are behind.
 *
 *  A site turns bad after it was below one threshold for some time without a break, and good after it was above a higher one for a longer
 *  time. In between it stays what it was, so that one that hovers at a threshold does not take the traffic back and forth. When no site is
 *  good the traffic stays where it is. Without fail-back it also stays there after the preferred site is good again. */
import { boolean, duration, fraction } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { defineFailover, type Failover, type FailoverDeps, type FailoverSink } from './failover.ts';

export const priorityFailover = defineFailover({
  name: 'priority-failover',
  summary: 'Sends everything to the first good site, and goes back only after a delay.',
  useWhen: 'There is a preferred site, and stand-bys that can each carry the whole load.',
  failsWhen: 'A stand-by cannot carry the load, or health is judged by what one observer can reach.',
  cost: 'O(sites)',
  sources: [
    'RFC 5798, Virtual Router Redundancy Protocol: Preempt_Mode',
    'acassen/keepalived: doc/man/man5/keepalived.conf.5, preempt_delay and nopreempt',
    'AWS: Amazon Route 53 Developer Guide, active-passive failover',
  ],
  aliases: [
    { system: 'VRRP', name: 'Preempt_Mode' },
    { system: 'Route 53', name: 'failover' },
  ],
  params: {
    failBelow: fraction({ default: 0.5, about: 'A site with a smaller healthy share is failing.' }),
    recoverAbove: fraction({ default: 0.8, about: 'A site with at least this share is recovering; not below `failBelow`.' }),
    failAfter: duration({ default: 10_000, min: 0, about: 'How long a site must fail without a break to be bad.' }),
    failBackDelay: duration({
      default: 60_000,
      min: 0,
      about: 'How long a bad site must recover without a break to be good.',
      official: 'keepalived preempt_delay',
    }),
    failBack: boolean({
      default: true,
      about: 'Whether traffic goes back to a preferred site that is good again.',
      official: 'VRRP Preempt_Mode, keepalived nopreempt',
    }),
  },
  create: (params, { sites, sink }: FailoverDeps) => new PriorityFailover(params, sites, sink),
});

interface PriorityFailoverParams {
  readonly failBelow: number;
  readonly recoverAbove: number;
  readonly failAfter: Ms;
  readonly failBackDelay: Ms;
  readonly failBack: boolean;
}

class PriorityFailover implements Failover {
  readonly #params: PriorityFailoverParams;
  readonly #sink: FailoverSink;
  readonly #isGood: boolean[];
  /** When each site turns, if nothing changes before; Infinity if it does not. */
  readonly #turnsAtMs: Ms[];
  #active = 0;

  constructor(params: PriorityFailoverParams, sites: number, sink: FailoverSink) {
    this.#params = params;
    this.#sink = sink;
    this.#isGood = Array.from({ length: sites }, () => true);
    this.#turnsAtMs = Array.from({ length: sites }, () => Infinity);
  }

  get active(): number {
    return this.#active;
  }

  report(site: number, healthyShare: number, nowMs: Ms): void {
    // What was due before this report came.
    this.onTimer(nowMs);
    const { failBelow, recoverAbove, failAfter, failBackDelay } = this.#params;
    const isGood = this.#isGood[site];
    const isTurning = isGood ? healthyShare < failBelow : healthyShare >= Math.max(failBelow, recoverAbove);
    if (!isTurning) this.#turnsAtMs[site] = Infinity;
    else if (this.#turnsAtMs[site] === Infinity) this.#turnsAtMs[site] = nowMs + (isGood ? failAfter : failBackDelay);
    this.onTimer(nowMs);
  }

  nextTimerMs(): Ms {
    return Math.min(Infinity, ...this.#turnsAtMs);
  }

  onTimer(nowMs: Ms): void {
    let hasTurned = false;
    for (let site = 0; site < this.#turnsAtMs.length; site++) {
      if (nowMs < this.#turnsAtMs[site]) continue;
      this.#turnsAtMs[site] = Infinity;
      this.#isGood[site] = !this.#isGood[site];
      hasTurned = true;
    }
    if (hasTurned) this.#choose(nowMs);
  }

  #choose(nowMs: Ms): void {
    const best = this.#isGood.indexOf(true);
    const stays = best === -1 || (this.#isGood[this.#active] && (best > this.#active || !this.#params.failBack));
    if (stays || best === this.#active) return;
    this.#active = best;
    this.#sink.switchTo(best, nowMs);
  }
}
