import { describe, expect, test } from 'vitest';
import { EventTrace } from '../../src/engine/index.ts';

describe('the last events', () => {
  test('are kept in order, oldest first, and no more than fit', () => {
    const trace = new EventTrace(4);
    expect(trace.last()).toEqual([]);
    for (let i = 0; i < 3; i++) trace.record(i, 1, i, -i);
    expect(trace.last().map(({ time }) => time)).toEqual([0, 1, 2]);
    for (let i = 3; i < 10; i++) trace.record(i, 1, i, -i);
    expect(trace.last()).toEqual([6, 7, 8, 9].map((i) => ({ time: i, kind: 1, a: i, b: -i })));
  });
});

describe('the digest', () => {
  const events = Array.from({ length: 50 }, (_, i) => [i * 1.25, 1 + (i % 3)] as const);
  const digestOf = (list: readonly (readonly [number, number])[]): number => {
    const trace = new EventTrace(8);
    for (const [time, kind] of list) trace.record(time, kind, 0, 0);
    return trace.digest();
  };
  const reference = digestOf(events);

  test('is the same for the same events', () => expect(digestOf([...events])).toBe(reference));

  test.each(events.map((_, i) => i))('tells a change of event %i, by the last bit of its time or by its kind', (i) => {
    const [time, kind] = events[i];
    expect(digestOf(events.with(i, [time + (time === 0 ? Number.MIN_VALUE : time * 2 ** -52), kind]))).not.toBe(reference);
    expect(digestOf(events.with(i, [time, kind + 1]))).not.toBe(reference);
  });

  test('tells a missing event, an extra one, and two exchanged', () => {
    expect(digestOf(events.slice(0, -1))).not.toBe(reference);
    expect(digestOf([...events, [99, 1]])).not.toBe(reference);
    expect(digestOf(events.with(3, events[4]).with(4, events[3]))).not.toBe(reference);
  });
});
