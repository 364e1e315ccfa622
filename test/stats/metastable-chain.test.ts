import { describe, expect, it } from 'vitest';
import { BandedChain } from '../../src/stats/metastable/banded-chain.ts';
import { drift, saddle, timeoutProbability } from '../../src/stats/metastable/queue-and-orbit.ts';
import { queueOrbitChain, solveQueueOrbit } from '../../src/stats/metastable/queue-orbit-chain.ts';

/** A chain on 0 … size − 1 that goes up and down by one. */
function birthAndDeath(size: number, up: number, down: number, bandwidth = 1): BandedChain {
  const chain = new BandedChain(size, bandwidth);
  for (let state = 0; state + 1 < size; state++) {
    chain.add(state, state + 1, up);
    chain.add(state + 1, state, down);
  }
  return chain;
}

/** E[0 → n] = Σ over i < n of Σ over j ≤ i of down^(i−j) / up^(i−j+1): textbook, sums of positive terms. */
function timeUp(n: number, up: number, down: number): number {
  let time = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) time += (down / up) ** (i - j) / up;
  return time;
}

describe('a banded chain', () => {
  it('spends geometric shares of its time in the states of a queue with ten places (M/M/1/10)', () => {
    const shares = birthAndDeath(11, 3, 4).stationary();
    const total = (1 - 0.75 ** 11) / 0.25;
    shares.forEach((share, state) => expect(share / (0.75 ** state / total)).toBeCloseTo(1, 13));
  });

  it('keeps all digits of shares as small as 1e-240, in either direction, and scales what would overflow', () => {
    const down = birthAndDeath(121, 1, 100).stationary();
    expect(down[120] / 0.99 / 1e-240).toBeCloseTo(1, 12);
    const up = birthAndDeath(401, 100, 1).stationary();
    expect(up[400]).toBeCloseTo(0.99, 12);
    expect(up[300] / 0.99 / 1e-200).toBeCloseTo(1, 12);
    expect(up[0]).toBe(0);
  });

  it('needs the textbook time from empty to full, also where it is 1e+20 and a linear solver has no digit left', () => {
    for (const [up, down] of [
      [4, 3],
      [1, 1],
      [3, 4],
      [1, 100],
    ]) {
      expect(birthAndDeath(11, up, down).meanTimeFromFirst(10) / timeUp(10, up, down)).toBeCloseTo(1, 12);
    }
  });

  it('mirrored, needs the time from full to empty', () => {
    const chain = birthAndDeath(11, 3, 4).mirrored();
    expect(chain.meanTimeFromFirst(10) / timeUp(10, 4, 3)).toBeCloseTo(1, 12);
  });

  it('with jumps of two: 0 → 1 and 0 → 2 at rate 1, 1 → 2 at rate 2 needs 1/2 + 1/2 · 1/2 time to state 2', () => {
    const chain = new BandedChain(4, 2);
    chain.add(0, 1, 1);
    chain.add(0, 2, 1);
    chain.add(1, 2, 2);
    chain.add(1, 0, 0);
    expect(chain.meanTimeFromFirst(2)).toBe(0.75);
    expect(chain.meanTimeFromFirst(1)).toBe(0.5);
  });

  it('answers the same with more room for jumps than it needs, and twice', () => {
    const [tight, wide] = [birthAndDeath(20, 3, 4), birthAndDeath(20, 3, 4, 5)];
    expect([...wide.stationary()]).toEqual([...tight.stationary()]);
    expect(wide.meanTimeFromFirst(19)).toBe(tight.meanTimeFromFirst(19));
    expect(wide.meanTimeFromFirst(19)).toBe(wide.meanTimeFromFirst(19));
  });

  it('refuses jumps that are too long, and states without a way out', () => {
    const chain = new BandedChain(3, 1);
    expect(() => chain.add(0, 2, 1)).toThrow('no jump from state 0 to state 2');
    chain.add(0, 1, 1);
    chain.add(1, 2, 1);
    expect(() => chain.stationary()).toThrow('state 2 is never left');
  });
});

describe('the chance of a timeout behind a queue', () => {
  const server = { serviceRate: 10, timeout: 3 };

  it('is nothing when empty, certain from where the mean wait is within a deviation of the timeout, and grows in between', () => {
    expect(timeoutProbability(0, server)).toBe(0);
    // 20 waiting: mean 2 s, deviation √20/10 s, one second of slack: 0.2.
    expect(timeoutProbability(20, server)).toBeCloseTo(0.2, 12);
    // 25: 2.5 s and a deviation of 0.5 s leave exactly no room.
    expect(timeoutProbability(25, server)).toBe(1);
    const chances = Array.from({ length: 25 }, (_, queue) => timeoutProbability(queue + 1, server));
    expect(chances).toEqual(chances.toSorted((x, y) => x - y));
  });

  it('goes by all threads that a queue keeps busy', () => {
    expect(timeoutProbability(40, { ...server, threads: 2 })).toBeCloseTo(0.1, 12);
  });
});

describe('the saddle of queue and orbit', () => {
  const models = [
    { arrivalRate: 9.5, serviceRate: 10, timeout: 9, retries: 3 },
    { arrivalRate: 8, serviceRate: 10, timeout: 3, retries: 4 },
    { arrivalRate: 250, serviceRate: 300, timeout: 1, retries: 1 },
  ];

  it('is where nothing moves; with more in the orbit the queue grows, with a longer queue the orbit does', () => {
    for (const model of models) {
      const at = saddle(model)!;
      const still = drift(model, at.queue, at.orbit);
      expect(Math.abs(still.queue) / model.arrivalRate).toBeLessThan(1e-12);
      expect(Math.abs(still.orbit) / model.arrivalRate).toBeLessThan(1e-12);
      expect(timeoutProbability(at.queue, model)).toBeCloseTo(at.timeoutProbability, 12);
      expect(drift(model, at.queue, 1.1 * at.orbit).queue).toBeGreaterThan(0);
      expect(drift(model, 1.1 * at.queue, at.orbit).orbit).toBeGreaterThan(0);
    }
  });

  it('is at 60 waiting and 6 in the orbit for 9.5 arrivals on a rate of 10, nine seconds and three retries', () => {
    expect(saddle(models[0])?.queue).toBeCloseTo(60, 9);
    expect(saddle(models[0])?.orbit).toBeCloseTo(6, 9);
  });

  it('exists between serviceRate/(retries+1) and the service rate only', () => {
    const at = (arrivalRate: number): boolean => saddle({ arrivalRate, serviceRate: 10, timeout: 3, retries: 4 }) !== null;
    expect([1.9, 2, 2.1, 9.9, 10, 11].map(at)).toEqual([false, false, true, true, false, false]);
  });
});

describe('queue and orbit as a chain', () => {
  const bistable = { arrivalRate: 9.5, serviceRate: 10, timeout: 9, retries: 3, queueSize: 100, orbitSize: 20 };

  it('without timeouts is the plain queue M/M/1/99', () => {
    const { meanOrbit, probabilityQueueFull, meanTimeEmptyToFull } = solveQueueOrbit({ ...bistable, alpha: 0 });
    expect(meanOrbit).toBe(0);
    expect(probabilityQueueFull / ((0.95 ** 99 * 0.05) / (1 - 0.95 ** 100))).toBeCloseTo(1, 10);
    expect(meanTimeEmptyToFull / timeUp(99, 9.5, 10)).toBeCloseTo(1, 10);
  });

  it('flips both ways within the hour at 95 % load with long timeouts: the published numbers of metafor’s generator', () => {
    const solution = solveQueueOrbit(bistable);
    expect(solution.meanQueue).toBeCloseTo(73.3496, 4);
    expect(solution.meanTimeEmptyToFull).toBeCloseTo(1301.8773, 3);
    expect(solution.meanTimeFullToTenPercent).toBeCloseTo(3849.5992, 3);
    expect(solution.log10MeanTimeFullToTenPercent).toBeCloseTo(Math.log10(3849.5992), 6);
  });

  it('with impatient clients collapses within a minute or two and stays for a million years', () => {
    const solution = solveQueueOrbit({ ...bistable, timeout: 3, retries: 4 });
    expect(solution.meanTimeEmptyToFull).toBeCloseTo(62.787, 3);
    expect(solution.log10MeanTimeFullToTenPercent).toBeCloseTo(13.66, 2);
  });

  it('is harder to leave when clients come back to a full queue, and no harder to get into', () => {
    const model = { ...bistable, timeout: 3, retries: 4, queueSize: 40, orbitSize: 40 };
    const discarded = solveQueueOrbit(model);
    const retried = solveQueueOrbit({ ...model, retryWhenFull: true });
    expect(retried.meanTimeFullToTenPercent).toBeGreaterThan(1000 * discarded.meanTimeFullToTenPercent);
    expect(retried.meanTimeEmptyToFull).toBe(discarded.meanTimeEmptyToFull);
  });

  it('takes in as much as it serves, gives up or discards: the flows into and out of the queue balance', () => {
    const { queueSize, orbitSize, arrivalRate, serviceRate } = bistable;
    const shares = queueOrbitChain(bistable).stationary();
    const retry = 3 / (4 * 9);
    let [inward, outward] = [0, 0];
    shares.forEach((share, state) => {
      const [queue, orbit] = [Math.floor(state / orbitSize), state % orbitSize];
      const timesOut = 0.25 * arrivalRate * timeoutProbability(queue, bistable) * (orbit < orbitSize - 1 ? 1 : 0);
      if (queue < queueSize - 1) inward += share * (arrivalRate + timesOut + orbit * retry);
      if (queue > 0) outward += share * serviceRate;
    });
    expect(inward / outward).toBeCloseTo(1, 11);
  });

  it('needs room for two queue lengths', () => {
    expect(() => queueOrbitChain({ ...bistable, queueSize: 1 })).toThrow(RangeError);
  });
});
