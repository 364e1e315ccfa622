/** How roll-outs are told about, on records that are written by hand. Times in ms; the service has the versions v1 (good), v2 (bad), v3. */
import { beforeEach, describe, expect, test } from 'vitest';
import { changeNumbers } from '../../../src/cluster/change/change-metrics.ts';
import { RolloutRecord } from '../../../src/cluster/change/rollout-record.ts';
import { results } from '../../../src/policies/pipeline/results.ts';
import type { RolloutPhase } from '../../../src/policies/rollout/strategies/rollout.ts';
import type { RolloutResult } from '../../../src/stats/result.ts';
import { release, version } from './setup.ts';

const versions = [version('v1'), version('v2', [], { isBad: true }), version('v3')];
const [V1, V2, V3] = [0, 1, 2];
const NOBODY = -1;
const MINUTE = 60_000;

/** A record, and hosts that have what the test says. */
class Book extends RolloutRecord {
  readonly hosts: Record<string, number>;
  readonly exposures: boolean[];

  constructor() {
    const hosts: Record<string, number> = { v1: 3, v2: 0, v3: 0 };
    const exposures: boolean[] = [];
    super({
      ...{ service: 'api', kind: 'release', versions },
      count: (name) => hosts[name],
      exposure: (isExposed) => exposures.push(isExposed),
    });
    this.hosts = hosts;
    this.exposures = exposures;
  }

  want(to: string, atMs: number, slowMs?: number): void {
    this.ask(release(to, atMs, slowMs === undefined ? {} : { slowMs }), atMs);
  }

  have(hosts: Record<string, number>, atMs: number): void {
    Object.assign(this.hosts, hosts);
    this.settle(atMs);
  }

  through(steps: readonly (readonly [RolloutPhase, number])[]): void {
    for (const [phase, atMs] of steps) this.phase(phase, atMs);
  }

  /** A request whose only attempt met this version when it came. */
  meet(met: number, fromMs: number, toMs: number, result: keyof typeof results = 'ok', user = NOBODY): void {
    const number = this.exposing(met, fromMs);
    this.requestEnded(results[result], fromMs, toMs, user, number);
  }

  get last(): RolloutResult {
    return this.results().at(-1)!;
  }

  get numbers(): Record<string, number> {
    const none = { leaders: NaN, splitMs: NaN, stale: NaN, fenced: NaN, lagMs: NaN, lagMaxMs: NaN, skew: NaN, refused: NaN };
    return changeNumbers(this.runs, none);
  }
}

let book: Book;
beforeEach(() => {
  book = new Book();
});

describe('what was met', () => {
  test('counted by hand', () => {
    book.want('v2', 1000, 50);
    book.have({ v1: 2, v2: 1 }, 1100);
    book.meet(V1, 1100, 1110);
    book.meet(V1, 1100, 1300); // slow, but not by the new version
    book.meet(V1, 1100, 1110, 'error');
    book.meet(V2, 1200, 1250); // as long as is just not slow
    book.meet(V2, 1200, 1251, 'ok', 7); // slow
    book.meet(V2, 1200, 1300, 'error', 7); // failed, and not slow as well
    book.meet(V2, 1200, 1300, 'timeout', 8);
    book.meet(V2, 1200, 1300, 'cancelled', 9); // says nothing
    expect(book.last).toEqual({
      ...{ service: 'api', kind: 'release', from: 'v1', to: 'v2', isBad: true, outcome: 'idle', slowMs: 50 },
      ...{ startedMs: 1000, exposedMs: 1200, decidedMs: NaN, endedMs: NaN },
      ...{ offered: 7, exposed: 4, failed: 2, slow: 1, userMinutes: 2 },
    });
    expect(book.numbers).toMatchObject({
      'rollout.exposure': 4 / 7,
      'rollout.failed': 2,
      'rollout.slow': 1,
      'rollout.allFailed': 3,
      'rollout.userMinutes': 2,
    });
  });

  test('a user counts once per minute, a request of nobody known by itself', () => {
    book.want('v2', 0, 10);
    for (const [user, atMs] of [
      [7, 0],
      [7, MINUTE - 2],
      [7, MINUTE],
      [8, MINUTE],
      [NOBODY, MINUTE],
      [NOBODY, MINUTE],
    ])
      book.meet(V2, atMs, atMs + 1, 'error', user);
    book.meet(V2, MINUTE, MINUTE + 1, 'ok', 9);
    expect(book.last).toMatchObject({ exposed: 7, failed: 6, userMinutes: 5 });
  });

  test('a user is harmed in the minute in which the answer comes', () => {
    book.want('v2', 0, 10);
    book.meet(V2, MINUTE - 5, MINUTE + 5, 'error', 7);
    book.meet(V2, MINUTE + 5, MINUTE + 10, 'error', 7);
    expect(book.last.userMinutes).toBe(1);
  });

  test('requests that came before the roll-out are not offered to it', () => {
    book.meet(V1, 900, 1010);
    book.want('v2', 1000);
    book.requestEnded(results.ok, 999, 1020, NOBODY, 0);
    book.requestEnded(results.ok, 1000, 1020, NOBODY, 0);
    expect(book.last).toMatchObject({ offered: 1, exposed: 0 });
  });

  test('one that came before and met the new version by a retry counts as both', () => {
    book.want('v2', 1000);
    book.requestEnded(results.error, 990, 1100, NOBODY, book.exposing(V2, 1010));
    expect(book.last).toMatchObject({ offered: 1, exposed: 1, failed: 1 });
  });
});

describe('slow', () => {
  test('is from twice the 99th percentile of what ended well before', () => {
    for (let latencyMs = 1; latencyMs <= 100; latencyMs++) book.meet(V1, 0, latencyMs);
    book.meet(V1, 0, 10_000, 'error');
    book.want('v2', 200);
    expect(book.last.slowMs).toBeGreaterThan(2 * 98);
    expect(book.last.slowMs).toBeLessThan(2 * 101);
  });

  test('is nothing where nothing ended before', () => {
    book.want('v2', 0);
    book.meet(V2, 0, 1e9);
    expect(book.last).toMatchObject({ slowMs: Infinity, slow: 0, exposed: 1 });
  });

  test('is learnt while nothing is rolled out', () => {
    book.meet(V1, 0, 10);
    book.want('v3', 100);
    book.meet(V1, 100, 1100);
    book.through([['promoting', 2000]]);
    book.have({ v1: 0, v3: 3 }, 2100);
    book.want('v2', 3000);
    expect(book.last.slowMs).toBeLessThan(22);
  });
});

describe('how it ends', () => {
  test('accepted: when nothing is left of the old version', () => {
    book.want('v3', 1000);
    book.have({ v1: 2, v3: 1 }, 1100);
    book.meet(V3, 1200, 1210);
    book.through([
      ['progressing', 1000],
      ['paused', 1300],
      ['promoting', 1400],
    ]);
    expect(book.last).toMatchObject({ outcome: 'promoting', decidedMs: NaN, endedMs: NaN });
    book.have({ v1: 0, v3: 3 }, 1500);
    book.through([['succeeded', 1600]]);
    expect(book.last).toMatchObject({ outcome: 'succeeded', exposedMs: 1200, decidedMs: 1600, endedMs: 1600 });
    expect(book.numbers).toMatchObject({
      'rollout.finish': 600,
      'rollout.aborted': 0,
      'rollout.wrong': 0,
      'rollout.missed': NaN,
    });
  });

  test('given up: when nothing is left of the new one', () => {
    book.want('v2', 1000);
    book.have({ v1: 2, v2: 1 }, 1100);
    book.meet(V2, 1200, 1210);
    book.through([['rolling-back', 1300]]);
    expect(book.last).toMatchObject({ outcome: 'rolling-back', decidedMs: 1300, endedMs: NaN });
    book.have({ v1: 3, v2: 0 }, 1550);
    book.through([['aborted', 1700]]);
    expect(book.last).toMatchObject({ outcome: 'aborted', decidedMs: 1300, endedMs: 1550 });
    expect(book.numbers).toMatchObject({
      ...{ 'rollout.detect': 100, 'rollout.rollback': 250, 'rollout.finish': NaN },
      ...{ 'rollout.aborted': 1, 'rollout.missed': 0, 'rollout.wrong': NaN },
    });
  });

  test('halted with both in place: it has not ended', () => {
    book.want('v2', 1000);
    book.have({ v1: 3, v2: 0 }, 1100);
    book.through([['halted', 1200]]);
    expect(book.last).toMatchObject({ outcome: 'halted', decidedMs: 1200, endedMs: NaN });
  });

  test('halted with both in place, until somebody asks for the old one and it is everywhere', () => {
    book.want('v2', 1000);
    book.have({ v1: 2, v2: 1 }, 1100);
    book.through([['halted', 1200]]);
    book.want('v1', 2000);
    expect(book.last).toMatchObject({ from: 'v2', to: 'v1' });
    book.have({ v1: 3, v2: 0 }, 2300);
    book.through([['succeeded', 2300]]);
    expect(book.results().map(({ endedMs }) => endedMs)).toEqual([2300, 2300]);
    expect(book.numbers).toMatchObject({ 'rollout.rollback': 1100 });
  });

  test('stalled, and then it goes on', () => {
    book.want('v3', 1000);
    book.through([['stalled', 1200]]);
    expect(book.last).toMatchObject({ outcome: 'stalled', decidedMs: NaN });
    book.through([['succeeded', 1300]]);
    expect(book.last.decidedMs).toBe(1300);
  });

  test('given up after it was accepted: the last word counts', () => {
    book.want('v2', 1000);
    book.have({ v1: 3, v2: 3 }, 1100);
    book.through([
      ['promoting', 1200],
      ['rolling-back', 1400],
    ]);
    book.have({ v2: 0 }, 1500);
    expect(book.last).toMatchObject({ decidedMs: 1400, endedMs: 1500 });
    book.want('v3', 2000);
    expect(book.last.from).toBe('v1');
  });

  test('a version that nobody met was not detected', () => {
    book.want('v2', 1000);
    book.through([['aborted', 1200]]);
    expect(book.last).toMatchObject({ exposedMs: NaN, decidedMs: 1200, endedMs: 1200 });
    expect(book.numbers).toMatchObject({ 'rollout.detect': NaN, 'rollout.rollback': 0 });
  });
});

describe('after the end', () => {
  const accept = (name: 'v2' | 'v3'): void => {
    book.want(name, 1000, 50);
    book.have({ v1: 0, [name]: 3 }, 1100);
    book.through([['succeeded', 1200]]);
  };

  test('an accepted bad version goes on to be counted', () => {
    accept('v2');
    book.meet(V2, 5000, 5010, 'error');
    expect(book.last).toMatchObject({ endedMs: 1200, exposedMs: 5000, offered: 1, exposed: 1, failed: 1 });
  });

  test('until it is replaced', () => {
    accept('v2');
    book.want('v3', 6000, 50);
    book.have({ v2: 1, v3: 2 }, 6100);
    book.meet(V2, 6100, 6110, 'error');
    book.meet(V3, 6100, 6110, 'error');
    book.have({ v2: 0, v3: 3 }, 6200);
    book.through([['succeeded', 6200]]);
    book.requestEnded(results.error, 6300, 6310, NOBODY, book.exposing(V2, 6300));
    const [bad, good] = book.results();
    expect(bad).toMatchObject({ offered: 1, exposed: 1, failed: 1 });
    expect(good).toMatchObject({ from: 'v2', offered: 2, exposed: 1, failed: 1 });
  });

  test('a good one does not', () => {
    accept('v3');
    book.meet(V3, 5000, 5010, 'error');
    expect(book.last).toMatchObject({ offered: 0, exposed: 0, failed: 0, exposedMs: NaN });
  });

  test('what is still under way at the end counts, for whoever met it', () => {
    book.want('v3', 1000, 50);
    const met = book.exposing(V3, 1090);
    book.have({ v1: 0, v3: 3 }, 1100);
    book.through([['succeeded', 1200]]);
    book.requestEnded(results.error, 1090, 1300, NOBODY, met);
    expect(book.last).toMatchObject({ offered: 1, exposed: 1, failed: 1 });
  });
});

describe('one after the other', () => {
  test('superseded by another before it was decided', () => {
    book.want('v2', 1000);
    book.have({ v1: 2, v2: 1 }, 1100);
    book.meet(V2, 1100, 1110);
    book.want('v3', 1500);
    expect(book.results().map(({ from, to, outcome, endedMs }) => [from, to, outcome, endedMs])).toEqual([
      ['v1', 'v2', 'superseded', NaN],
      ['v1', 'v3', 'idle', NaN],
    ]);
    // Who meets what is left of it counts for it, and is offered to both.
    book.meet(V2, 1600, 1610, 'error');
    book.have({ v2: 0, v3: 1 }, 1700);
    const [first, second] = book.results();
    expect(first).toMatchObject({ endedMs: 1700, offered: 2, exposed: 2, failed: 1 });
    expect(second).toMatchObject({ endedMs: NaN, offered: 1, exposed: 0 });
  });

  test('going back to what serves: nobody is exposed to anything new', () => {
    book.want('v2', 1000);
    book.have({ v1: 2, v2: 1 }, 1100);
    book.want('v1', 1500);
    book.meet(V1, 1500, 1510, 'error');
    book.have({ v1: 3, v2: 0 }, 1600);
    book.through([['succeeded', 1700]]);
    const [forth, back] = book.results();
    expect(forth).toMatchObject({ outcome: 'superseded', endedMs: 1600 });
    expect(back).toMatchObject({
      from: 'v2',
      to: 'v1',
      exposed: 0,
      failed: 0,
      exposedMs: NaN,
      endedMs: 1700,
      outcome: 'succeeded',
    });
    // And is no roll-out of anything, either.
    expect(book.numbers).toMatchObject({ 'rollout.aborted': 0, 'rollout.finish': NaN });
  });

  test('going back to what served before', () => {
    book.want('v3', 1000);
    book.have({ v1: 0, v3: 3 }, 1100);
    book.through([['succeeded', 1100]]);
    book.want('v1', 2000);
    expect(book.last).toMatchObject({ from: 'v3', to: 'v1' });
    book.have({ v1: 1, v3: 2 }, 2100);
    book.meet(V1, 2200, 2210, 'error');
    expect(book.last).toMatchObject({ exposed: 0, exposedMs: NaN });
    book.have({ v1: 3, v3: 0 }, 2300);
    book.through([['succeeded', 2400]]);
    expect(book.last).toMatchObject({ decidedMs: 2400, endedMs: 2400, outcome: 'succeeded' });
  });

  test('to what serves already: there is nothing to do, and nothing more is counted', () => {
    book.want('v1', 1000);
    book.meet(V1, 1000, 1010, 'error');
    expect(book.last).toMatchObject({ from: 'v1', to: 'v1', outcome: 'succeeded', decidedMs: 1000, endedMs: 1000, offered: 0 });
    // What happens meanwhile is usual.
    book.meet(V1, 1000, 1020);
    book.want('v2', 2000);
    expect(book.last.slowMs).toBeCloseTo(40, 0);
  });

  test('an accepted bad version goes on to be counted, though it is asked for again', () => {
    book.want('v2', 1000, 50);
    book.have({ v1: 0, v2: 3 }, 1100);
    book.through([['succeeded', 1100]]);
    book.want('v2', 2000, 50);
    book.meet(V2, 3000, 3010, 'error');
    expect(book.results().map(({ offered, failed }) => [offered, failed])).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });

  test('back after it was halted with both in place', () => {
    book.want('v2', 1000, 50);
    book.have({ v1: 2, v2: 1 }, 1100);
    book.through([['halted', 1200]]);
    book.want('v1', 2000, 50);
    book.meet(V2, 2100, 2110, 'error');
    book.have({ v1: 3, v2: 0 }, 2200);
    book.through([['succeeded', 2300]]);
    const [forth, back] = book.results();
    expect(forth).toMatchObject({ outcome: 'halted', decidedMs: 1200, endedMs: 2200, failed: 1 });
    expect(back).toMatchObject({ from: 'v2', to: 'v1', outcome: 'succeeded', endedMs: 2300, failed: 0 });
  });

  test.each(['v2', 'v1'])('asked again for %s while that is under way: it goes on as the later one', (name) => {
    book.want('v2', 1000, 50);
    book.have({ v1: 2, v2: 1 }, 1100);
    book.meet(V2, 1100, 1110, 'error');
    if (name === 'v1') book.want('v1', 1500, 50);
    book.want(name, 2000, 50);
    const [before, last] = book.results().slice(-2);
    expect(before).toMatchObject({ to: name, outcome: 'superseded', endedMs: 2000 });
    expect(last).toMatchObject({ from: before.from, to: name, outcome: 'idle', endedMs: NaN });
    book.have(name === 'v1' ? { v1: 3, v2: 0 } : { v1: 0, v2: 3 }, 2100);
    book.through([['succeeded', 2200]]);
    expect(book.last).toMatchObject({ outcome: 'succeeded', endedMs: 2200 });
  });

  test('going back is given up, too: what was there before it stays', () => {
    book.want('v3', 1000);
    book.have({ v1: 0, v3: 3 }, 1100);
    book.through([['succeeded', 1100]]);
    book.want('v1', 2000);
    book.have({ v1: 1, v3: 2 }, 2100);
    book.through([['rolling-back', 2200]]);
    book.have({ v1: 0, v3: 3 }, 2300);
    expect(book.last).toMatchObject({ endedMs: 2300 });
    book.want('v2', 3000);
    expect(book.last).toMatchObject({ from: 'v3', to: 'v2' });
  });

  test('asked for what serves after all is done, nothing is left to end', () => {
    book.want('v2', 1000);
    book.through([['aborted', 1100]]);
    book.have({}, 1100);
    book.want('v1', 2000);
    book.through([['succeeded', 2000]]);
    expect(book.last).toMatchObject({ from: 'v1', to: 'v1', endedMs: 2000 });
  });

  test('a bad version is a mistake each time that it is asked for', () => {
    book.want('v2', 1000);
    book.have({ v1: 0, v2: 3 }, 1100);
    book.through([['succeeded', 1100]]);
    book.want('v1', 2000);
    book.have({ v1: 3, v2: 0 }, 2100);
    book.through([['succeeded', 2100]]);
    book.want('v2', 3000);
    book.have({ v1: 2, v2: 1 }, 3100);
    book.meet(V2, 3100, 3110, 'error');
    expect(book.last).toMatchObject({ from: 'v1', exposed: 1, failed: 1 });
  });

  test('asked again after it was given up, it is new again', () => {
    book.want('v2', 1000);
    book.through([['aborted', 1100]]);
    book.want('v2', 2000);
    expect(book.last).toMatchObject({ from: 'v1', to: 'v2', outcome: 'idle' });
    book.have({ v1: 2, v2: 1 }, 2100);
    book.meet(V2, 2100, 2110);
    expect(book.results().map(({ exposed }) => exposed)).toEqual([0, 1]);
  });
});

test('requests meet more than one version from the first that meets the new one to the end', () => {
  const now = (): boolean => book.exposures.at(-1) ?? false;
  book.want('v2', 1000);
  book.have({ v1: 2, v2: 1 }, 1100);
  expect(now()).toBe(false);
  book.meet(V2, 1200, 1210);
  expect(now()).toBe(true);
  book.through([['rolling-back', 1300]]);
  expect(now()).toBe(true);
  book.have({ v1: 3, v2: 0 }, 1400);
  expect(now()).toBe(false);
});
