import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantViolation, ResourceLimit } from '../../src/core/errors.ts';
import { defaultLimits, Engine, type EventHandle, priorities } from '../../src/engine/index.ts';
import { logOf } from './log.ts';

const SOME_KIND = 5;
const TRACK_KIND = 9;

describe('the order of events', () => {
  test('with equal times, priority comes first and insertion second', () => {
    const engine = new Engine();
    const { normal, fault, observer, stop } = priorities;
    for (const [a, priority] of [normal, observer, fault, stop, normal, fault, observer, stop].entries()) {
      engine.at(10, SOME_KIND, a, 0, priority);
    }
    expect(logOf(engine, 11).map(({ a }) => a)).toEqual([3, 7, 2, 5, 0, 4, 1, 6]);
  });

  test('a priority is worth nothing against an earlier time', () => {
    const engine = new Engine();
    engine.at(2, SOME_KIND, 1, 0, priorities.stop);
    engine.at(1.999, SOME_KIND, 0, 0, priorities.observer);
    expect(logOf(engine, 11).map(({ a }) => a)).toEqual([0, 1]);
  });

  test('what is scheduled for now while handling an event happens now, after what was already there', () => {
    const engine = new Engine();
    engine.at(1, SOME_KIND, 0, 0);
    engine.at(1, SOME_KIND, 1, 0);
    const log = logOf(engine, 5, ({ a }) => a === 0 && engine.at(engine.time, SOME_KIND, 2, 0));
    expect(log.map(({ time, a }) => [time, a])).toEqual([
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
  });

  test('a cancelled event does not happen, not even one of the present instant', () => {
    const engine = new Engine();
    const handles: EventHandle[] = [0, 1, 2, 3].map((a) => engine.at(1, SOME_KIND, a, 0));
    const log = logOf(engine, 5, ({ a }) => a === 0 && engine.cancel(handles[2]));
    expect(log.map(({ a }) => a)).toEqual([0, 1, 3]);
  });
});

describe('the end of a run', () => {
  test('an event at the very end does not happen, whatever its priority', () => {
    const engine = new Engine();
    engine.at(10, SOME_KIND, 0, 0, priorities.stop);
    engine.at(10, SOME_KIND, 1, 0, priorities.fault);
    engine.at(9.999, SOME_KIND, 2, 0);
    expect(logOf(engine, 10).map(({ a }) => a)).toEqual([2]);
    expect(engine.time).toBe(10);
  });

  test('a second run goes on where the first ended, with what was left', () => {
    const engine = new Engine();
    engine.at(10, SOME_KIND, 0, 0);
    engine.at(20, SOME_KIND, 1, 0);
    expect(logOf(engine, 10)).toEqual([]);
    expect(logOf(engine, 30).map(({ time, a }) => [time, a])).toEqual([
      [10, 0],
      [20, 1],
    ]);
    expect(engine.time).toBe(30);
  });

  test('stop ends the run after the event being handled, and leaves nothing behind that would end the next', () => {
    const engine = new Engine();
    for (let a = 0; a < 4; a++) engine.at(a, SOME_KIND, a, 0);
    expect(logOf(engine, 100, ({ a }) => a === 1 && engine.stop()).map(({ a }) => a)).toEqual([0, 1]);
    expect(engine.time).toBe(1);
    engine.at(150, SOME_KIND, 4, 0);
    expect(logOf(engine, 200).map(({ a }) => a)).toEqual([2, 3, 4]);
  });

  test('an empty world ends at its end', () => {
    const engine = new Engine();
    expect(logOf(engine, 7)).toEqual([]);
    expect([engine.time, engine.events]).toEqual([7, 0]);
  });

  test.each([NaN, Infinity, -1])('a run until %d is refused', (until) => {
    expect(() => logOf(new Engine(), until)).toThrow(InvariantViolation);
  });

  test('events counts what was handled, the end not included', () => {
    const engine = new Engine();
    for (let a = 0; a < 3000; a++) engine.at(a, SOME_KIND, a, 0);
    logOf(engine, 2500);
    expect(engine.events).toBe(2500);
  });
});

describe('tracks', () => {
  test('a track’s element and a calendar event of one instant come in the order in which they were made', () => {
    const engine = new Engine();
    const track = engine.addTrack(TRACK_KIND, 77);
    engine.at(5, SOME_KIND, 0, 0);
    show(engine, track, 5);
    engine.at(5, SOME_KIND, 1, 0);
    const log = logOf(engine, 9, ({ kind }) => kind === TRACK_KIND && hide(engine, track));
    expect(log.map(({ kind, a }) => [kind, a])).toEqual([
      [SOME_KIND, 0],
      [TRACK_KIND, 77],
      [SOME_KIND, 1],
    ]);
  });

  test('a track that is not moved on fires again: it owns its head', () => {
    const engine = new Engine({ ...defaultLimits, atOneInstant: 10 });
    show(engine, engine.addTrack(TRACK_KIND, 0), 5);
    expect(() => logOf(engine, 9)).toThrow(ResourceLimit);
  });

  test('a track whose time is NaN stops the run instead of the clock', () => {
    const engine = new Engine();
    expect(() => show(engine, engine.addTrack(TRACK_KIND, 0), NaN)).toThrow(InvariantViolation);
  });

  test('a track before the clock stops the run', () => {
    const engine = new Engine();
    const track = engine.addTrack(TRACK_KIND, 0);
    engine.at(5, SOME_KIND, 0, 0);
    expect(() => logOf(engine, 9, () => show(engine, track, 4))).toThrow(/back from 5 ms to 4 ms/);
  });

  // Many sorted sequences shown one element at a time, beside calendar events, must come out as if all had been sorted together.
  test('any number of tracks and events interleave by (time, insertion)', () => {
    const times = fc.array(fc.nat({ max: 12 }), { maxLength: 12 });
    const property = fc.property(fc.array(times, { maxLength: 40 }), times, (sequences, single) => {
      const engine = new Engine();
      const all: { time: number; order: number; label: string }[] = [];
      const queues = sequences.map((sequence, a) => {
        const track = engine.addTrack(TRACK_KIND, a);
        const elements = sequence
          .toSorted((x, y) => x - y)
          .map((time, i) => {
            // A track's elements have rising orders, as its owner makes them one after the other.
            const order = engine.nextOrder();
            all.push({ time, order, label: `track ${a}.${i}` });
            return { time, order };
          });
        return { track, elements, at: 0 };
      });
      single.forEach((time, i) => {
        all.push({ time, order: engine.nextOrder() + 1, label: `event ${i}` });
        engine.at(time, SOME_KIND, i, 0);
      });
      const shift = ({ track, elements, at }: (typeof queues)[number]): void => {
        engine.trackTime[track] = elements[at]?.time ?? Infinity;
        engine.trackOrder[track] = elements[at]?.order ?? 0;
        engine.trackChanged(track);
      };
      queues.forEach(shift);
      const seen: string[] = [];
      engine.run(100, {
        handle: (kind, a) => {
          if (kind === SOME_KIND) {
            seen.push(`event ${a}`);
            return;
          }
          const queue = queues[a];
          seen.push(`track ${a}.${queue.at++}`);
          shift(queue);
        },
      });
      expect(seen).toEqual(all.toSorted((x, y) => x.time - y.time || x.order - y.order).map(({ label }) => label));
    });
    fc.assert(property, { numRuns: 200, seed: 2 });
  });
});

describe('limits and mistakes', () => {
  test('scheduling in the past, at no time, or never is a bug', () => {
    const engine = new Engine();
    engine.at(5, SOME_KIND, 0, 0);
    const complaints: unknown[] = [];
    logOf(engine, 9, () => {
      for (const time of [4.999, NaN, Infinity, -Infinity]) {
        try {
          engine.at(time, SOME_KIND, 1, 0);
        } catch (error) {
          complaints.push(error);
        }
      }
    });
    expect(complaints).toHaveLength(4);
    expect(complaints.every((complaint) => complaint instanceof InvariantViolation)).toBe(true);
    expect(String(complaints[0])).toMatch(/scheduled at 4\.999 ms, now is 5 ms/);
  });

  test('more pending events than allowed is a limit reached, with the time', () => {
    const work = (): unknown => {
      const engine = new Engine({ ...defaultLimits, pending: 100 });
      engine.at(3, SOME_KIND, 0, 0);
      return logOf(engine, 9, () => Array.from({ length: 101 }, (_, a) => engine.at(5, SOME_KIND, a, 0)));
    };
    expect(work).toThrow(ResourceLimit);
    expect(work).toThrow(/100 events are pending at 3 ms/);
  });

  test('an endless loop at one instant is found; as many events in rising time are fine', () => {
    const limits = { ...defaultLimits, atOneInstant: 1000 };
    const stuck = new Engine(limits);
    stuck.at(3, SOME_KIND, 0, 0);
    expect(() => logOf(stuck, 9, () => stuck.at(stuck.time, SOME_KIND, 0, 0))).toThrow(/1000 events at one instant, 3 ms/);
    const moving = new Engine(limits);
    moving.at(3, SOME_KIND, 0, 0);
    logOf(moving, 9, () => moving.at(moving.time + 0.001, SOME_KIND, 0, 0));
    expect(moving.events).toBeGreaterThan(5000);
  });

  test('an endless loop at time 0 is found, too', () => {
    const engine = new Engine({ ...defaultLimits, atOneInstant: 1000 });
    engine.at(0, SOME_KIND, 0, 0);
    expect(() => logOf(engine, 9, () => engine.at(0, SOME_KIND, 0, 0))).toThrow(ResourceLimit);
  });
});

function show(engine: Engine, track: number, time: number): void {
  engine.trackTime[track] = time;
  engine.trackOrder[track] = engine.nextOrder();
  engine.trackChanged(track);
}

const hide = (engine: Engine, track: number): void => show(engine, track, Infinity);
