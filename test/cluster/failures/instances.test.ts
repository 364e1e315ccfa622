/** What goes wrong with instances, and when. Work of 10 ms unless said otherwise; times in ms. */
import { describe, expect, test } from 'vitest';
import { heartbeat } from '../../../src/policies/detection/heartbeat.ts';
import { constant, crash, endings, latencies, play, randomly, rounded, scripted } from '../world-builder.ts';
import { badTimes, fault, firstFrom, flapping, lastBefore, listener, once, phasesOf } from './setup.ts';

const many = { arrivals: { type: 'constant', perSecond: 200 } as const, work: 0.5, slots: 100, durationMs: 20_000 };

describe('a hang', () => {
  test('keeps everything back while it lasts, and goes on where it was', () => {
    // 4 of the first done at 5, the rest from 105 on: 111. The second comes during the hang and follows: 121.
    const hang = fault({ type: 'hang', heartbeats: true }, [0], once(5, 100));
    expect(endings(play({ at: [1, 50], faults: [hang] }))).toEqual([
      [111, 'ok'],
      [121, 'ok'],
    ]);
  });

  test.each([
    [true, 0],
    [false, 2],
  ])('with heartbeats: %s, a heartbeat detector changes its mind %d times', (heartbeats, changes) => {
    const detector = (deps: Parameters<typeof heartbeat.make>[1]) => heartbeat.make({ every: 100, misses: 3 }, deps);
    const faults = [fault({ type: 'hang', heartbeats }, [0], once(1000, 1000))];
    expect(play({ at: [], instances: 2, detector, faults, durationMs: 4000 }).beliefs.length).toBe(changes);
  });

  test('of two causes ends with the later', () => {
    const faults = [once(5, 100), once(50, 100)].map((schedule) => fault({ type: 'hang', heartbeats: true }, [0], schedule));
    expect(endings(play({ at: [0], faults }))).toEqual([[155, 'ok']]);
  });
});

describe('dropped responses', () => {
  test('are worked for, and their clients time out', () => {
    const faults = [fault({ type: 'drop-responses', share: 1 }, [0], once(15, 1000))];
    const played = play({ at: [0, 10, 50], faults, timeoutMs: 30 });
    expect(endings(played)).toEqual([
      [10, 'ok'],
      [40, 'timeout'],
      [80, 'timeout'],
    ]);
    expect(played.instances[0].served).toBe(3);
  });

  test('of a share: that share of the requests', () => {
    // n = 4000, 0.3: standard error 0.0072; the bound is five of them, and the seed is fixed.
    const faults = [fault({ type: 'drop-responses', share: 0.3 }, [0], once(0))];
    const share = play({ ...many, timeoutMs: 5, faults }).metrics['failures.timeout'];
    expect(Math.abs(share - 0.3)).toBeLessThan(0.036);
  });

  test('of two causes: an answer comes only if neither takes it', () => {
    // 1 − 0.7 · 0.5 = 0.65; standard error 0.0075.
    const faults = [0.3, 0.5].map((share) => fault({ type: 'drop-responses', share }, [0], once(0)));
    const share = play({ ...many, timeoutMs: 5, faults }).metrics['failures.timeout'];
    expect(Math.abs(share - 0.65)).toBeLessThan(0.038);
  });
});

test('slowness of a share of the requests multiplies the work of those, and leaves the others alone', () => {
  // n = 4000, 0.3: standard error 0.0072.
  const played = play({ ...many, faults: [fault({ type: 'slow', factor: 5, requests: 0.3 }, [0], once(0))] });
  const all = latencies(played);
  expect(new Set(all)).toEqual(new Set([0.5, 2.5]));
  expect(Math.abs(all.filter((ms) => ms === 2.5).length / all.length - 0.3)).toBeLessThan(0.036);
});

describe('a memory leak', () => {
  const leak = fault({ type: 'memory-leak', fillsMs: 100, factor: 3 }, [0], once(0));

  test('slows in ten steps up to just below its factor, crashes, starts up and begins anew', () => {
    // Factors 1, 2 and 2.8 in the steps from 0, 50 and 90; down 100 to 120; 1 again.
    const played = play({ at: [5, 55, 92, 110, 125], work: 1, faults: [leak], startupMs: 20, durationMs: 240 });
    expect(latencies(played)).toEqual([1, 2, 2.8, 0, 1]);
    expect(played.attempts[3].outcome).toBe('refused');
    expect(badTimes(played)).toEqual([
      ['api/0', 100, 120],
      ['api/0', 220, Infinity],
    ]);
    expect(played.truth[0].what).toBe('down');
  });

  test('fills from start-up on, also after a crash of another cause', () => {
    // Down 50 to 80; full 100 later.
    const played = play({ at: [], faults: [leak, crash(0, 50, 10)], startupMs: 20, durationMs: 250 });
    expect(badTimes(played)).toEqual([
      ['api/0', 50, 80],
      ['api/0', 180, 200],
    ]);
  });

  test('that begins while the instance is down waits until it is up', () => {
    const late = { ...leak, schedule: once(60) };
    const played = play({ at: [], faults: [crash(0, 50, 30), late], durationMs: 250 });
    expect(badTimes(played)).toEqual([
      ['api/0', 50, 80],
      ['api/0', 180, 180],
    ]);
  });

  test('that is mended leaves no trace', () => {
    const mended = { ...leak, schedule: once(0, 60) };
    const played = play({ at: [55, 65], work: 1, faults: [mended], durationMs: 400 });
    // Half of the first by 55.5 · 2 is over before the end.
    expect(latencies(played)).toEqual([2, 1]);
    expect(played.truth).toEqual([]);
  });

  test('beside another multiplies', () => {
    const faults = [leak, fault({ type: 'memory-leak', fillsMs: 100, factor: 5 }, [0], once(0))];
    // 2 · 3 in the step from 50.
    expect(latencies(play({ at: [51], work: 1, faults, durationMs: 90 }))).toEqual([6]);
  });
});

describe('a drifting clock', () => {
  const [phase] = phasesOf('heartbeat/phase', 1);
  const due = (k: number): number => rounded((k + phase) * 100);

  test('sends heartbeats by its own rate, and falls in with its old rhythm once it is right', () => {
    const { detector, heard } = listener(100);
    play({ at: [], detector, faults: [fault({ type: 'clock-drift', rate: 2 }, [0], once(1000, 1050))], durationMs: 2500 });
    const before = heard.filter(({ ms }) => ms < 1000);
    const during = heard.filter(({ ms }) => ms >= 1000 && ms < 2050);
    const after = heard.filter(({ ms }) => ms >= 2050);
    expect(before.map(({ ms }) => ms)).toEqual(Array.from({ length: 10 }, (_, k) => due(k)));
    expect(during.map(({ ms }) => ms)).toEqual([1200, 1400, 1600, 1800, 2000]);
    expect(after[0].ms).toBe(rounded(firstFrom(2050, 100, phase)));
    expect(after.length).toBe(Math.round((lastBefore(2500, 100, phase) - after[0].ms) / 100) + 1);
  });

  test.each([2, 0.5])('at rate %d numbers its heartbeats without repeating or going back', (rate) => {
    const { detector, heard } = listener(100);
    play({ at: [], detector, faults: [fault({ type: 'clock-drift', rate }, [0], once(1000, 1050))], durationMs: 4000 });
    const beats = heard.map(({ beat }) => beat);
    expect(beats.every((beat, i) => i === 0 || beat > beats[i - 1])).toBe(true);
  });

  test('that drifts, is right and drifts again at once has one heart', () => {
    const { detector, heard } = listener(100);
    const faults = [once(1000, 10), once(1020, Infinity)].map((schedule) =>
      fault({ type: 'clock-drift', rate: 2 }, [0], schedule),
    );
    play({ at: [], detector, faults, durationMs: 3000 });
    expect(heard.filter(({ ms }) => ms > 1020).map(({ ms }) => ms)).toEqual([
      1220, 1420, 1620, 1820, 2020, 2220, 2420, 2620, 2820,
    ]);
  });
});

describe('a share of the targets', () => {
  const targets = [0, 1, 2, 3];

  test.each([
    [0.5, 2],
    [0.01, 1],
    [0.7, 3],
    [1, 4],
  ])('of %d of four hits exactly %d', (hit, expected) => {
    const played = play({ at: [], instances: 4, faults: [fault({ type: 'crash' }, targets, once(100, 100), { hit })] });
    expect(played.truth.length).toBe(expected);
    expect(rounded(played.upShares[4 - expected])).toBe(0.1);
  });

  test('is chosen anew each time, and always has its size', () => {
    // Down for 10 of 20, one of four each time: never two. That any is spared 50 times has a chance of 4 · 0.75^50, and the seed is fixed.
    const crashes = fault({ type: 'crash' }, targets, flapping(0, 1000, 10, 10), { hit: 0.25 });
    const played = play({ at: [], instances: 4, faults: [crashes] });
    expect(played.truth.length).toBe(50);
    expect(new Set(played.truth.map(({ instance }) => instance)).size).toBe(4);
    expect(rounded(played.upShares[3])).toBe(0.5);
    expect(rounded(played.upShares[4])).toBe(0.5);
  });
});

describe('a cascade', () => {
  const cascade = (chance: number, afterMs = 10) => ({ cascade: { chance, after: constant(afterMs) } });

  test('of chance 1 takes all others of the service down, each for as long as the first', () => {
    const played = play({ at: [], instances: 3, faults: [fault({ type: 'crash' }, [0], once(100, 50), cascade(1))] });
    expect(badTimes(played)).toEqual([
      ['api/0', 100, 150],
      ['api/1', 110, 160],
      ['api/2', 110, 160],
    ]);
  });

  test('of chance 0 takes nobody', () => {
    const played = play({ at: [], instances: 3, faults: [fault({ type: 'crash' }, [0], once(100, 50), cascade(0))] });
    expect(badTimes(played)).toEqual([['api/0', 100, 150]]);
  });

  test('does not ask whether a victim was among those that the fault would have hit', () => {
    const crashes = fault({ type: 'crash' }, [0, 1, 2], once(100, 50), { ...cascade(1), hit: 0.3 });
    expect(play({ at: [], instances: 3, faults: [crashes] }).truth.length).toBe(3);
  });

  test('falls alike with the same seed, whatever the policies do, and otherwise with another', () => {
    const faults = [fault({ type: 'crash' }, [0], once(100, 200), cascade(0.3, 20))];
    const fallen = (seed: string, slot: number) => badTimes(play({ seed, instances: 12, balancer: scripted(slot), faults }));
    expect(fallen('x', 0)).toEqual(fallen('x', 5));
    const sizes = Array.from({ length: 8 }, (_, n) => fallen(`seed ${n}`, 0).length);
    expect(new Set(sizes).size).toBeGreaterThan(1);
  });

  test('brings each other instance down with its chance', () => {
    // One round only: victims fall after the end of the run. 300 others: 90 expected, standard deviation 7.9; the bound is five of them.
    const crashes = fault({ type: 'crash' }, [0], once(100), { cascade: { chance: 0.3, after: constant(10) } });
    const first = play({ at: [], instances: 301, faults: [crashes], durationMs: 115 }).truth.length - 1;
    expect(Math.abs(first - 90)).toBeLessThan(40);
  });

  test('of a fault that comes again and again lets its victims rise again, and does not breed', () => {
    // api/0 works 100 and fails 10; api/1 follows 1 later for as long.
    const law = constant(100);
    const crashes = { ...randomly({ type: 'crash' }, [0], law, constant(10)), ...cascade(1, 1) };
    const played = play({ at: [], instances: 2, faults: [crashes], durationMs: 440 });
    expect(badTimes(played)).toEqual([
      ['api/0', 100, 110],
      ['api/1', 101, 111],
      ['api/0', 210, 220],
      ['api/1', 211, 221],
      ['api/0', 320, 330],
      ['api/1', 321, 331],
      ['api/0', 430, Infinity],
      ['api/1', 431, Infinity],
    ]);
  });

  test('among targets that fail by themselves puts off what each had in mind', () => {
    // Both fall when the first of them does: after 50 on average; both are up again max(10, 10) = 15 later. 20,000 / 65 = 308 each, give or
    // take 15; victims without a place in their own schedule would breed without bound.
    const up = { type: 'exponential', mean: 100 } as const;
    const down = { type: 'exponential', mean: 10 } as const;
    const crashes = { ...randomly({ type: 'crash' }, [0, 1], up, down), ...cascade(1, 0) };
    const { truth } = play({ at: [], instances: 2, faults: [crashes], durationMs: 20_000 });
    expect(truth.length).toBeGreaterThan(450);
    expect(truth.length).toBeLessThan(800);
  });
});

describe('flapping', () => {
  test('fails and works in turn, beginning with a failure, and is over at its end', () => {
    const played = play({ at: [], faults: [fault({ type: 'crash' }, [0], flapping(100, 100, 10, 30))] });
    expect(badTimes(played)).toEqual([
      ['api/0', 100, 110],
      ['api/0', 140, 150],
      ['api/0', 180, 190],
    ]);
  });

  test('ends in the middle of a failure', () => {
    const played = play({ at: [], faults: [fault({ type: 'pause' }, [0], flapping(100, 100, 30, 10))] });
    expect(badTimes(played)).toEqual([
      ['api/0', 100, 130],
      ['api/0', 140, 170],
      ['api/0', 180, 200],
    ]);
  });

  test('goes on to the end of the run where nothing else is said', () => {
    const played = play({ at: [], faults: [fault({ type: 'pause' }, [0], flapping(0, Infinity, 10, 10))], durationMs: 1000 });
    expect(played.truth.length).toBe(50);
  });

  test('by chance, of several targets, is out of step', () => {
    const law = { type: 'exponential', mean: 50 } as const;
    const crashes = fault({ type: 'crash' }, [0, 1, 2, 3], flapping(0, Infinity, law, law));
    const played = play({ at: [], instances: 4, faults: [crashes], durationMs: 20_000 });
    // In step all four would be up half of the time; apart it is 1/16, give or take 0.01.
    expect(played.upShares[4]).toBeGreaterThan(0.02);
    expect(played.upShares[4]).toBeLessThan(0.11);
  });
});
