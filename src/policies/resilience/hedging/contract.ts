/** What every hedging policy owes the pipeline, as checks that can be run on one. Each rule returns the violations it found,
 *  in words; none is good. */
import { fmix32 } from '../../../core/hash.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import type { Hedge, HedgeDeps } from './hedge.ts';

export type MakeHedge = (deps: HedgeDeps) => Hedge;

export interface HedgeRule {
  /** A sentence that the policy should make true. */
  readonly name: string;
  check(make: MakeHedge): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkHedge = (make: MakeHedge): readonly string[] =>
  hedgeRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const hedgeRules: readonly HedgeRule[] = [
  {
    name: 'waits a time that is not negative, or for ever',
    check: (make) => {
      const trial = new HedgeTrial(make);
      for (let request = 0; request < 2000; request++) {
        trial.request(request);
        for (let sent = 1; sent <= MOST; sent++) {
          const ms = trial.hedge.delayMs(sent, trial.nowMs);
          if (!(ms >= 0)) return [`waits ${ms} ms after ${sent} attempts, at ${trial.nowMs} ms`];
        }
      }
      return [];
    },
  },
  {
    name: 'stops after some number of attempts',
    check: (make) => {
      const trial = new HedgeTrial(make);
      for (let request = 0; request < 2000; request++) trial.request(request);
      const ms = trial.hedge.delayMs(MOST, trial.nowMs);
      return ms === Infinity ? [] : [`would send another after ${MOST} attempts, in ${ms} ms`];
    },
  },
  {
    name: 'hedges a request that takes longer than all before it',
    check: (make) => {
      const trial = new HedgeTrial(make);
      let hedged = 0;
      for (let request = 0; request < 2000; request++) {
        trial.request(request);
        if (trial.hedge.delayMs(1, trial.nowMs) < 60_000 && trial.hedge.tryHedge(trial.nowMs)) hedged++;
      }
      return hedged > 0 ? [] : ['hedged none of 2000 requests that took a minute'];
    },
  },
  {
    name: 'is not changed by being asked when the next attempt is due',
    check: (make) => {
      const quiet = new HedgeTrial(make);
      const asked = new HedgeTrial(make);
      for (let request = 0; request < 2000; request++) {
        quiet.request(request);
        asked.request(request);
        for (let sent = 1; sent <= 3; sent++) asked.hedge.delayMs(sent, asked.nowMs);
        const difference = disagreement(quiet, asked);
        if (difference !== '') return [`${difference}, after ${request + 1} requests`];
      }
      return [];
    },
  },
  {
    name: 'shares nothing with another policy',
    check: (make) => {
      const alone = new HedgeTrial(make);
      const beside = new HedgeTrial(make);
      const other = new HedgeTrial(make);
      for (let request = 0; request < 2000; request++) {
        alone.request(request);
        beside.request(request);
        other.request(5 * request + 3);
        other.hedge.tryHedge(other.nowMs);
        const difference = disagreement(alone, beside);
        if (difference !== '') return [`${difference}, after ${request + 1} requests`];
      }
      return [];
    },
  },
];

/** More attempts than any policy should make for one request. */
const MOST = 100;

function disagreement(one: HedgeTrial, two: HedgeTrial): string {
  const oneMs = one.hedge.delayMs(1, one.nowMs);
  const twoMs = two.hedge.delayMs(1, two.nowMs);
  if (oneMs !== twoMs) return `waits ${twoMs} ms instead of ${oneMs} ms`;
  return one.hedge.tryHedge(one.nowMs) === two.hedge.tryHedge(two.nowMs) ? '' : 'grants what it refused, or the other way round';
}

/** One client with a request every 50 ms. */
class HedgeTrial {
  readonly hedge: Hedge;
  nowMs: Ms = 0;

  constructor(make: MakeHedge) {
    this.hedge = make({ rng: constantRng });
  }

  /** A request whose latency, up to 200 ms, depends on the number alone. */
  request(choice: number): void {
    this.nowMs += 50;
    this.hedge.onRequest(this.nowMs);
    this.hedge.onLatency((fmix32(choice + 1) >>> 8) % 200, this.nowMs);
  }
}

const constantRng: Rng = { next: () => 0.5, uint32: () => 0x8000_0000, below: (n) => Math.floor(n / 2) };
