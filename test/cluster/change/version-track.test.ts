/** What is measured of versions: who met which, by window, in all, and as roll-outs read it: scraped, and seen late. Times in ms. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type TrackOptions, VersionTrack } from '../../../src/cluster/change/version-track.ts';
import { type Outcome, outcomes } from '../../../src/policies/balancing/balancer.ts';

const HOUR = 3_600_000;
const CLIENT = 0;
const OTHER = 1;

const trackOf = (rest: Partial<TrackOptions> = {}): VersionTrack =>
  new VersionTrack({
    ...{ service: 'api', kind: 'release', versions: ['v1', 'v2'], instances: 3, clients: 2, delayMs: 0 },
    ...rest,
  });

/** The first two places have v1, the last one v2. */
function peopled(rest: Partial<TrackOptions> = {}): VersionTrack {
  const track = trackOf(rest);
  track.setInstance(0, 'v1', 'v1', 0);
  track.setInstance(1, 'v1', 'v1', 0);
  track.setInstance(2, 'v2', 'v2', 0);
  return track;
}

let track: VersionTrack;
beforeEach(() => {
  track = peopled();
});
const end = (slot: number, times = 1, outcome: Outcome = outcomes.ok, latencyMs = 10): void => {
  for (let time = 0; time < times; time++) track.attemptEnded(CLIENT, slot, outcome, latencyMs);
};
const read = (name: string, nowMs: number, group = 'v2', windowMs = 60_000): number | undefined =>
  track.metric({ name, group, windowMs }, nowMs);

describe('who meets what', () => {
  test('the version of the instance, by its index', () => {
    expect([0, 1, 2].map((slot) => track.met(CLIENT, slot))).toEqual([0, 0, 1]);
  });

  test('the configuration of the client, where it has one', () => {
    track.setClient(OTHER, 'v2', 0);
    expect([0, 1, 2].map((slot) => track.met(OTHER, slot))).toEqual([1, 1, 1]);
    expect(track.met(CLIENT, 0)).toBe(0);
  });

  test('nothing in an empty place', () => {
    expect(trackOf().met(CLIENT, 0)).toBe(-1);
  });

  test('the version of another group, where one runs in two', () => {
    track.setInstance(0, 'v2-canary', 'v2', 0);
    expect(track.met(CLIENT, 0)).toBe(1);
  });
});

describe('by window', () => {
  test('all, failed ones, and hosts, each from zero', () => {
    end(0, 3);
    end(2, 2, outcomes.error);
    end(2, 1, outcomes.timeout);
    track.closeWindow([2, 1]);
    end(1);
    track.closeWindow([0, 3]);
    const { requests, failed, hosts } = track.result();
    expect(requests).toEqual([
      [3, 1],
      [3, 0],
    ]);
    expect(failed).toEqual([
      [0, 0],
      [3, 0],
    ]);
    expect(hosts).toEqual([
      [2, 0],
      [1, 3],
    ]);
  });

  test('cancelled attempts say nothing about anybody', () => {
    end(2, 5, outcomes.cancelled);
    track.closeWindow([2, 1]);
    expect(track.result()).toMatchObject({ requests: [[0], [0]], failed: [[0], [0]] });
  });
});

describe('in all', () => {
  test('only while more than one version is exposed', () => {
    end(2, 10, outcomes.ok, 1000);
    track.isExposed = true;
    end(0, 4, outcomes.ok, 20);
    end(2, 3, outcomes.ok, 40);
    end(2, 1, outcomes.refused, 0);
    track.isExposed = false;
    end(2, 10, outcomes.error);
    const [first, second] = track.result().totals;
    expect(first).toMatchObject({ requests: 4, failed: 0 });
    expect(second).toMatchObject({ requests: 4, failed: 1 });
    // Of those that ended well.
    expect(second.p99).toBeGreaterThan(39);
    expect(second.p99).toBeLessThan(41);
    expect(first.p50).toBeGreaterThan(19.5);
    expect(first.p50).toBeLessThan(20.5);
  });

  test('no latency without requests', () => {
    expect(track.result().totals[0]).toEqual({ requests: 0, failed: 0, p50: NaN, p99: NaN });
  });
});

describe('as roll-outs read it', () => {
  test('nothing before the first scrape, and then what was scraped', () => {
    end(2, 8);
    end(2, 2, outcomes.error);
    expect(read('requests', 999)).toBeUndefined();
    track.scrape(1000);
    end(2, 100, outcomes.error);
    expect(read('requests', 1500)).toBe(10);
    expect(read('errors', 1500)).toBe(2);
    expect(read('error-rate', 1500)).toBe(0.2);
    track.scrape(2000);
    expect(read('errors', 2000)).toBe(102);
  });

  test('a scrape is seen late', () => {
    track = peopled({ delayMs: 300 });
    end(2, 5);
    track.scrape(1000);
    end(2, 1);
    track.scrape(2000);
    expect(read('requests', 1299)).toBeUndefined();
    expect(read('requests', 1300)).toBe(5);
    expect(read('requests', 2299)).toBe(5);
    expect(read('requests', 2300)).toBe(6);
  });

  test('within the window up to the last scrape that is seen', () => {
    for (const [index, atMs] of [1000, 2000, 3000, 4000].entries()) {
      end(2, 10 ** index);
      track.scrape(atMs);
    }
    expect(read('requests', 4000, 'v2', 1000)).toBe(1000);
    expect(read('requests', 4000, 'v2', 2000)).toBe(1100);
    // What there is, where the window reaches back further than anything.
    expect(read('requests', 4000, 'v2', HOUR)).toBe(1111);
    // The smallest window is that between two scrapes.
    expect(read('requests', 4000, 'v2', 1)).toBe(1000);
    expect(read('requests', 4000, 'v2', 1500)).toBe(1100);
  });

  test('by group: one version in two of them is measured apart', () => {
    track.setInstance(1, 'v2-canary', 'v2', 0);
    end(1, 3);
    end(2, 4);
    track.scrape(1000);
    expect(read('requests', 1000, 'v2-canary')).toBe(3);
    expect(read('requests', 1000, 'v2')).toBe(4);
    track.closeWindow([1, 2]);
    expect(track.result().requests).toEqual([[0], [7]]);
  });

  test('no rate and no latency of nothing; no metric of nobody', () => {
    track.scrape(1000);
    expect(read('requests', 1000)).toBe(0);
    expect(read('error-rate', 1000)).toBeUndefined();
    expect(read('latency.p99', 1000)).toBeUndefined();
    expect(read('requests', 1000, 'v9')).toBeUndefined();
    end(2, 1, outcomes.error);
    track.scrape(2000);
    expect(read('error-rate', 2000)).toBe(1);
    expect(read('latency.p99', 2000)).toBeUndefined();
    expect(read('coffee', 2000)).toBeUndefined();
  });

  test('latency of those that ended well within the window', () => {
    end(2, 99, outcomes.ok, 10);
    track.scrape(1000);
    end(2, 98, outcomes.ok, 100);
    end(2, 2, outcomes.ok, 5000);
    end(2, 50, outcomes.timeout, 60_000);
    track.scrape(2000);
    // 6 % is what the buckets of a reading are wide.
    expect(Math.abs(read('latency.p50', 2000, 'v2', 1000)! / 100 - 1)).toBeLessThan(0.07);
    expect(Math.abs(read('latency.p99', 2000, 'v2', 1000)! / 5000 - 1)).toBeLessThan(0.07);
    expect(Math.abs(read('latency.p50', 2000, 'v2', 2000)! / 100 - 1)).toBeLessThan(0.07);
    expect(Math.abs(read('latency.p10', 2000, 'v2', 2000)! / 10 - 1)).toBeLessThan(0.07);
  });

  test('a group that comes later has nothing from before', () => {
    track.scrape(1000);
    track.setInstance(0, 'v2-canary', 'v2', 1500);
    end(0, 6);
    expect(read('requests', 1700, 'v2-canary')).toBeUndefined();
    track.scrape(2000);
    expect(read('requests', 2000, 'v2-canary', HOUR)).toBe(6);
  });

  test('old readings are given up, and windows that were asked for are not', () => {
    expect(read('requests', 0, 'v2', 2 * HOUR)).toBeUndefined();
    for (let scrape = 1; scrape <= 180; scrape++) {
      end(2);
      track.scrape(scrape * 60_000);
    }
    expect(read('requests', 3 * HOUR, 'v2', 2 * HOUR)).toBe(120);
    const short = peopled();
    track = short;
    for (let scrape = 1; scrape <= 180; scrape++) {
      end(2);
      track.scrape(scrape * 60_000);
    }
    expect(read('requests', 3 * HOUR, 'v2', 600_000)).toBe(10);
    // 10 minutes are kept, and a reading to compare with.
    expect(read('requests', 3 * HOUR, 'v2', 2 * HOUR)).toBeLessThan(13);
  });
});
