/** The model of `queue-and-orbit.ts` with chance: a Markov chain over (requests in the queue, requests in the orbit), both
 *  bounded. Answers what the fluid cannot: how long a healthy system lasts before it collapses without any trigger, how long a
 *  collapsed one stays, and which of the two states it spends its time in. Stable: collapse takes ages and recovery is quick.
 *  Metastable: the reverse.
 *
 *  Timeouts follow Chebyshev's bound, scaled down by `alpha`, so times are comparable between settings and not forecasts. Mind
 *  the edges: arrivals that time out come on top of the arrival rate, as in the original, but not while the orbit is full, which
 *  fills towards alpha · arrivalRate · timeout · (retries + 1). An orbit with much less room lets the system recover too early:
 *  in the published example of 9.5 arrivals, 9 s and three retries after 3,850 s with 20 places, after 273,000 s with 100. Time
 *  and memory grow with queueSize · orbitSize³ and queueSize · orbitSize²: 100 by 20 takes 20 ms, 100 by 100 0.7 s.
 *
 *  After metafor's single-server model (mpi-sws-rse/metafor, `ctmc_model/single_server`). */
import { log } from '../../core/math.ts';
import { BandedChain } from './banded-chain.ts';
import { orbitRates, type QueueAndOrbit, timeoutProbability } from './queue-and-orbit.ts';

export interface QueueOrbitChain extends QueueAndOrbit {
  /** Lengths 0 … size − 1; the queue holds at most one less than this. */
  readonly queueSize: number;
  readonly orbitSize: number;
  /** Share of the bounded timeouts that really happen; metafor fits it to measurements. 0.25 unless told. */
  readonly alpha?: number;
  /** Whether clients that find the queue full come back; if not, the whole orbit is discarded while it is full. False unless
   *  told. */
  readonly retryWhenFull?: boolean;
}

/** What the chain does in the long run, and how long it takes from one end to the other. */
export interface QueueOrbitSolution {
  readonly meanQueue: number;
  readonly meanOrbit: number;
  readonly probabilityQueueFull: number;
  /** From an empty system until the queue is full for the first time. */
  readonly meanTimeEmptyToFull: number;
  readonly log10MeanTimeEmptyToFull: number;
  /** From a full queue and orbit until the queue is down to a tenth of its size. */
  readonly meanTimeFullToTenPercent: number;
  readonly log10MeanTimeFullToTenPercent: number;
}

export function solveQueueOrbit(model: QueueOrbitChain): QueueOrbitSolution {
  const { queueSize, orbitSize } = model;
  const chain = queueOrbitChain(model);
  const shares = chain.stationary();
  let meanQueue = 0;
  let meanOrbit = 0;
  let probabilityQueueFull = 0;
  shares.forEach((share, state) => {
    const queue = Math.floor(state / orbitSize);
    meanQueue += share * queue;
    meanOrbit += share * (state - queue * orbitSize);
    if (queue === queueSize - 1) probabilityQueueFull += share;
  });
  const meanTimeEmptyToFull = chain.meanTimeFromFirst((queueSize - 1) * orbitSize);
  const goal = Math.floor(queueSize / 10);
  const meanTimeFullToTenPercent = chain.mirrored().meanTimeFromFirst((queueSize - 1 - goal) * orbitSize);
  return {
    meanQueue,
    meanOrbit,
    probabilityQueueFull,
    meanTimeEmptyToFull,
    log10MeanTimeEmptyToFull: log10(meanTimeEmptyToFull),
    meanTimeFullToTenPercent,
    log10MeanTimeFullToTenPercent: log10(meanTimeFullToTenPercent),
  };
}

/** State queue · orbitSize + orbit: a jump changes either by at most one, so that no jump is longer than orbitSize + 1. */
export function queueOrbitChain(model: QueueOrbitChain): BandedChain {
  const { arrivalRate, serviceRate, queueSize, orbitSize, threads = 1, alpha = 0.25, retryWhenFull = false } = model;
  if (!(queueSize >= 2 && orbitSize >= 1 && arrivalRate > 0 && serviceRate > 0)) {
    throw new RangeError('a queue needs two lengths, an orbit one, and both rates must be positive');
  }
  const { retry, giveUp } = orbitRates(model);
  const chain = new BandedChain(queueSize * orbitSize, orbitSize + 1);
  for (let queue = 0; queue < queueSize; queue++) {
    const timingOut = timeoutProbability(queue, model);
    const isFull = queue === queueSize - 1;
    for (let orbit = 0; orbit < orbitSize; orbit++) {
      const jump = (queueStep: number, orbitStep: number, rate: number): void => {
        if (orbit + orbitStep < 0 || orbit + orbitStep >= orbitSize || rate === 0) return;
        const state = queue * orbitSize + orbit;
        chain.add(state, state + queueStep * orbitSize + orbitStep, rate);
      };
      if (queue > 0) jump(-1, 0, Math.min(queue, threads) * serviceRate);
      jump(0, -1, orbit * giveUp);
      if (!isFull) {
        // An arrival that will time out is in the queue and in the orbit at once: its server works on for a client that has left.
        jump(1, 1, alpha * arrivalRate * timingOut);
        jump(1, 0, arrivalRate + orbit * retry * timingOut);
        jump(1, -1, orbit * retry * (1 - timingOut));
      } else if (retryWhenFull) jump(0, 1, alpha * (arrivalRate + orbit * retry));
      else jump(0, -1, orbit * retry);
    }
  }
  return chain;
}

const log10 = (x: number): number => (x === Infinity ? Infinity : log(x) / Math.LN10);
