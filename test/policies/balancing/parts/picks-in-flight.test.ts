import { expect, it } from 'vitest';
import { PicksInFlight } from '../../../../src/policies/balancing/parts/picks-in-flight.ts';
import { testRng } from '../../fixtures.ts';

function picksOf(...starts: readonly (readonly [picker: string, atMs: number])[]): PicksInFlight<string> {
  const picks = new PicksInFlight<string>();
  picks.resize(4);
  for (const [picker, atMs] of starts) picks.start(3, picker, atMs);
  return picks;
}

it('tells who picked an attempt by when it began, in whatever order they end', () => {
  const picks = picksOf(['a', 1], ['a', 2], ['b', 3], ['c', 5], ['a', 7]);
  const endOf = (startedMs: number): string | undefined => picks.end(3, 10, 10 - startedMs);
  expect([5, 2, 7, 3, 1].map(endOf)).toEqual(['c', 'a', 'a', 'b', 'a']);
  expect(endOf(1)).toBeUndefined();
});

it('gives each picker as many ends as beginnings where all began at one moment', () => {
  const picks = picksOf(['a', 1], ['a', 1], ['b', 1], ['c', 1]);
  const ends = [1, 2, 3, 4].map(() => picks.end(3, 2, 1));
  expect(ends.toSorted()).toEqual(['a', 'a', 'b', 'c']);
});

it('keeps slots apart', () => {
  const picks = picksOf(['a', 1], ['b', 2]);
  picks.start(1, 'b', 2);
  expect([picks.end(1, 5, 3), picks.end(1, 5, 3), picks.end(3, 5, 3), picks.end(3, 5, 4)]).toEqual(['b', undefined, 'b', 'a']);
});

it('is not misled by what subtracting a latency loses', () => {
  const rng = testRng(3);
  for (let i = 0; i < 1000; i++) {
    const takenOverMs = (1e6 * rng.next()) / 3;
    const picks = picksOf(['a', takenOverMs / 2], ['b', takenOverMs]);
    const nowMs = takenOverMs * (1 + 9 * rng.next());
    expect(picks.end(3, nowMs, nowMs - takenOverMs)).toBe('b');
  }
});
