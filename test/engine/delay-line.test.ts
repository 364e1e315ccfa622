import { expect, test } from 'vitest';
import { DelayLine, Engine } from '../../src/engine/index.ts';
import { logOf } from './log.ts';

const ARRIVED = 6;
const OTHER = 7;

test('messages arrive after the delay, in the order sent, with what they carry', () => {
  const { engine, line, arrivals } = stage(2.5);
  engine.at(1, OTHER, 0, 0);
  engine.at(4, OTHER, 0, 0);
  const seen = arrivals(({ kind }) => {
    if (kind !== OTHER) return;
    line.send(engine.time * 10, -1);
    line.send(engine.time * 10 + 1, -2);
  });
  expect(seen).toEqual([
    [3.5, 10, -1],
    [3.5, 11, -2],
    [6.5, 40, -1],
    [6.5, 41, -2],
  ]);
});

test('the ring grows while it is full and turned, and keeps the order', () => {
  const { engine, line, arrivals } = stage(100);
  // 0.4 ms apart, so 250 are under way at once: the ring of 64 grows twice, each time with its head in the middle.
  for (let i = 0; i < 1000; i++) engine.at(i * 0.4, OTHER, i, 0);
  const seen = arrivals(({ kind, a }) => kind === OTHER && line.send(a, a * 2));
  expect(seen.map(([, a]) => a)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect(seen.every(([time, a, b]) => b === 2 * a && time === a * 0.4 + 100)).toBe(true);
});

test('a message that arrives may send the next', () => {
  const { engine, line } = stage(5);
  line.send(0, 0);
  const times: number[] = [];
  logOf(engine, 22, () => {
    const count = line.headA();
    line.advance();
    times.push(engine.time);
    line.send(count + 1, 0);
  });
  expect(times).toEqual([5, 10, 15, 20]);
});

test('a message and a calendar event of one instant come in the order in which they were made', () => {
  const { engine, line } = stage(5);
  engine.at(5, OTHER, 0, 0);
  line.send(0, 0);
  engine.at(5, OTHER, 1, 0);
  const kinds: number[] = [];
  logOf(engine, 9, ({ kind }) => {
    kinds.push(kind);
    if (kind === ARRIVED) line.advance();
  });
  expect(kinds).toEqual([OTHER, ARRIVED, OTHER]);
});

function stage(delayMs: number) {
  const engine = new Engine();
  const line = new DelayLine(engine, ARRIVED, 0, delayMs);
  const arrivals = (react: Parameters<typeof logOf>[2] & object): (readonly [number, number, number])[] => {
    const seen: (readonly [number, number, number])[] = [];
    logOf(engine, 10_000, (event) => {
      if (event.kind === ARRIVED) {
        seen.push([event.time, line.headA(), line.headB()]);
        line.advance();
      }
      react(event);
    });
    return seen;
  };
  return { engine, line, arrivals };
}
