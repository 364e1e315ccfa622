import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Engine, TimerLanes } from '../../src/engine/index.ts';
import { logOf } from './log.ts';

const TIMER = 4;
const OTHER = 5;

describe('timers of one delay', () => {
  test('fire after it, first armed first', () => {
    const { engine, lanes, fired } = stage();
    const lane = lanes.laneFor(10);
    for (const key of [7, 3, 5]) lanes.arm(lane, key);
    expect(fired()).toEqual([
      [10, 7],
      [10, 3],
      [10, 5],
    ]);
    expect(engine.events).toBe(3);
  });

  test.each([
    [0, [3, 5]],
    [1, [7, 5]],
    [2, [7, 3]],
  ])('cancelling number %i of three leaves the others', (which, left) => {
    const { lanes, fired } = stage();
    const keys = [7, 3, 5];
    for (const key of keys) lanes.arm(lanes.laneFor(10), key);
    lanes.cancel(keys[which]);
    expect(lanes.isArmed(keys[which])).toBe(false);
    expect(fired().map(([, key]) => key)).toEqual(left);
  });

  test('cancelling all leaves silence, and what has no timer may be cancelled', () => {
    const { lanes, fired } = stage();
    for (const key of [1, 2]) lanes.arm(lanes.laneFor(10), key);
    for (const key of [2, 1, 1, 0, 100_000]) lanes.cancel(key);
    expect(fired()).toEqual([]);
  });

  test('a timer may be armed anew while it is being handled', () => {
    const { engine, lanes } = stage();
    const lane = lanes.laneFor(10);
    lanes.arm(lane, 1);
    const times: number[] = [];
    logOf(engine, 35, () => {
      times.push(engine.time);
      lanes.arm(lane, lanes.take(lane));
    });
    expect(times).toEqual([10, 20, 30]);
  });

  test('a delay of 0 fires at the same instant, after what was there before', () => {
    const { engine, lanes } = stage();
    const lane = lanes.laneFor(0);
    engine.at(3, OTHER, 0, 0);
    engine.at(3, OTHER, 1, 0);
    const kinds: number[] = [];
    logOf(engine, 9, ({ kind, a }) => {
      kinds.push(kind);
      if (kind === TIMER) lanes.take(lane);
      else if (a === 0) lanes.arm(lane, 1);
    });
    expect(kinds).toEqual([OTHER, OTHER, TIMER]);
  });

  test('keys may be large: the table grows and forgets nothing', () => {
    const { lanes, fired } = stage();
    const lane = lanes.laneFor(10);
    const keys = [3, 255, 256, 1000, 70_000];
    for (const key of keys) lanes.arm(lane, key);
    expect(keys.every((key) => lanes.isArmed(key))).toBe(true);
    expect(lanes.isArmed(257)).toBe(false);
    expect(fired().map(([, key]) => key)).toEqual(keys);
  });
});

describe('lanes', () => {
  test('one delay has one lane, however often it is asked for', () => {
    const { lanes } = stage();
    const all = [10, 20, 30, 40, 50, 60, 10, 60].map((delay) => lanes.laneFor(delay));
    expect(all).toEqual([0, 1, 2, 3, 4, 5, 0, 5]);
  });

  test('of several delays the shortest fires first', () => {
    const { lanes, fired } = stage();
    [50, 20, 40, 10, 30].forEach((delay, key) => lanes.arm(lanes.laneFor(delay), key));
    expect(fired()).toEqual([
      [10, 3],
      [20, 1],
      [30, 4],
      [40, 2],
      [50, 0],
    ]);
  });

  // The oracle is a list of (due, number) sorted at the end; delays tie often (1 + 2 = 3).
  test('any mix of arming and cancelling fires what a sorted list would', () => {
    const action = fc.record({ wait: fc.nat({ max: 3 }), key: fc.nat({ max: 9 }), delay: fc.constantFrom(1, 2, 3, 5) });
    const property = fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const { engine, lanes } = stage();
      let at = 0;
      actions.forEach(({ wait }, i) => {
        at += wait;
        // Before any timer of that instant, as nothing is armed yet.
        engine.at(at, OTHER, i, 0);
      });
      let armings = 0;
      const armed = new Map<number, { due: number; number: number }>();
      const expected: string[] = [];
      const seen: string[] = [];
      logOf(engine, 1000, ({ kind, a }) => {
        if (kind === TIMER) {
          const key = lanes.take(a);
          seen.push(`${engine.time} ${key}`);
          const [first] = [...armed].toSorted(([, x], [, y]) => x.due - y.due || x.number - y.number);
          expected.push(`${first?.[1].due} ${first?.[0]}`);
          armed.delete(key);
          return;
        }
        const { key, delay } = actions[a];
        if (armed.delete(key)) {
          lanes.cancel(key);
          return;
        }
        lanes.arm(lanes.laneFor(delay), key);
        armed.set(key, { due: engine.time + delay, number: armings++ });
      });
      expect(seen).toEqual(expected);
      expect(armed.size).toBe(0);
    });
    fc.assert(property, { numRuns: 300, seed: 3 });
  });
});

function stage(): { engine: Engine; lanes: TimerLanes; fired: () => (readonly [time: number, key: number])[] } {
  const engine = new Engine();
  const lanes = new TimerLanes(engine, TIMER);
  const fired = (): (readonly [number, number])[] => {
    const list: (readonly [number, number])[] = [];
    logOf(engine, 1000, ({ time, a }) => list.push([time, lanes.take(a)]));
    return list;
  };
  return { engine, lanes, fired };
}
