import { expect, test } from 'vitest';
import { shortLabels } from '../../../src/report/tables/short-labels.ts';

test('long labels keep both ends', () => {
  expect(shortLabels(['round-robin', 'detector=heartbeat every=500ms'])).toEqual(['round-robin', 'detector=he…every=500ms']);
});

test('they keep more of them where less would make two the same', () => {
  const labels = ['balancer=p2c, retry=2, timeout=250ms, seeds', 'balancer=p2c, hedge=2, timeout=250ms, seeds'];
  const cut = shortLabels(labels)!;
  expect(new Set(cut).size).toBe(2);
  expect(cut.every((label) => label.length === 31)).toBe(true);
});

test('nothing is shortened that is short, or cannot be told apart by its ends', () => {
  expect(shortLabels(['a', 'b'])).toBeUndefined();
  expect(shortLabels([`${'x'.repeat(40)}1${'x'.repeat(40)}`, `${'x'.repeat(40)}2${'x'.repeat(40)}`])).toBeUndefined();
});
