/** Each adaptive limit in front of a server of 10 slots that serves a request in 10 ms, so that 1000 requests per second and 10 in flight
 *  are its capacity, under 2000 arrivals per second: 8000 requests in four seconds, the second half measured.
 *
 *  Seeds are fixed, so nothing here can flake. The bounds are those of the fixed point of each rule, worked out in the test, with the room
 *  its sawtooth needs; without a limit the mean time would be above a second. */
import { describe, expect, it } from 'vitest';
import {
  aimd,
  dagor,
  envoyGradient,
  gradient,
  gradient2,
  semaphore,
  vegas,
} from '../../../src/policies/resilience/admission/index.ts';
import { testRng } from '../fixtures.ts';
import { runBed } from './admission-bed.ts';

const bed = { slots: 10, serviceMs: 10, arrivalsPerSecond: 2000, requests: 8000 };
const deps = (seed: number) => ({ rng: testRng(seed) });

describe.each([1, 2, 3])('at a server in twofold overload (seed %i)', (seed) => {
  it('a fixed limit of 12 serves at capacity, and by Little’s law in 12 ms', () => {
    const result = runBed(semaphore.make({ maxConcurrentCalls: 12 }, deps(seed)), { ...bed, seed });
    expect(result.mostInFlight).toBe(12);
    expect(result.servedPerSecond).toBeCloseTo(1000, -2);
    expect(result.meanRttMs).toBeGreaterThan(11);
    expect(result.meanRttMs).toBeLessThanOrEqual(12.01);
  });

  it('envoy-gradient settles at 16: limit · gradient is 1.25 · 10, and its root is 3.5', () => {
    const result = runBed(envoyGradient.make({}, deps(seed)), { ...bed, seed });
    expect([result.leastLimit, result.greatestLimit]).toEqual([16, 16]);
    expect(result.servedPerSecond).toBeGreaterThan(980);
  });

  it('vegas keeps a handful queueing, apart from what its probes mistake for the time without load', () => {
    const result = runBed(vegas.make({}, deps(seed)), { ...bed, seed });
    expect(result.meanLimit).toBeGreaterThan(11);
    expect(result.meanLimit).toBeLessThan(25);
    expect(result.servedPerSecond).toBeGreaterThan(950);
    expect(result.meanRttMs).toBeLessThan(25);
  });

  it('gradient keeps the time near twice the least, plus the queue of a square root', () => {
    // L = 20 + √L · (what smoothing leaves) is 25 to 30; a new least time taken under load shifts it up for a while.
    const result = runBed(gradient.make({}, deps(seed)), { ...bed, seed });
    expect(result.meanLimit).toBeGreaterThan(20);
    expect(result.meanLimit).toBeLessThan(40);
    expect(result.servedPerSecond).toBeGreaterThan(950);
  });

  it('gradient2 serves at capacity with a queue of its own making, far below an unlimited one', () => {
    const result = runBed(gradient2.make({ minLimit: 1 }, deps(seed)), { ...bed, seed });
    expect(result.meanLimit).toBeGreaterThan(15);
    expect(result.meanLimit).toBeLessThan(60);
    expect(result.servedPerSecond).toBeGreaterThan(980);
  });

  it('aimd saws around the limit at which answers take as long as its timeout: 50 in flight for 50 ms', () => {
    const result = runBed(aimd.make({ timeout: 50 }, deps(seed)), { ...bed, seed });
    expect(result.leastLimit).toBeGreaterThanOrEqual(20);
    expect(result.meanLimit).toBeGreaterThan(35);
    expect(result.meanLimit).toBeLessThan(55);
    expect(result.servedPerSecond).toBeGreaterThan(980);
  });

  it('a limit follows capacity: with half the slots envoy-gradient settles at 9', () => {
    // limit · gradient is 1.25 · 5 = 6.25, and its root is 2.5: 8.75 before truncation, from below or above.
    const result = runBed(envoyGradient.make({}, deps(seed)), { ...bed, slots: 5, arrivalsPerSecond: 1000, seed });
    expect(result.leastLimit).toBeGreaterThanOrEqual(8);
    expect(result.greatestLimit).toBeLessThanOrEqual(9);
  });

  it('dagor, with short windows at 1.3-fold overload, brings queueing near its 20 ms and serves nearly at capacity', () => {
    const options = { ...bed, arrivalsPerSecond: 1300, requests: 16_000, seed };
    const result = runBed(dagor.make({ windowTime: 200 }, deps(seed)), options);
    expect(result.meanRttMs).toBeLessThan(60);
    expect(result.servedPerSecond).toBeGreaterThan(900);
  });
});
