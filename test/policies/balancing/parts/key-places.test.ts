import { expect, it } from 'vitest';
import { KeyPlaces, PLACES } from '../../../../src/policies/balancing/parts/key-places.ts';

const bucketOf = (high: number, low: number): number => ((high * 31 + low * 7) % 1009) / 1009;
const placeOf = (high: number, low: number): number => Math.floor(bucketOf(high, low) * PLACES);

it('answers for every key what the function would, remembered or not', () => {
  const places = new KeyPlaces();
  places.use(bucketOf);
  for (let round = 0; round < 2; round++) {
    // Keys with one half in common: 5,000 of each are more than the memory begins with.
    for (let i = 0; i < 5000; i++) {
      expect(places.of(i, 12)).toBe(placeOf(i, 12));
      expect(places.of(12, 0xffffffff - i)).toBe(placeOf(12, 0xffffffff - i));
    }
  }
});

it('remembers more than it begins with where there are more keys, and not without end', () => {
  let asked = 0;
  const places = new KeyPlaces();
  places.use((high, low) => {
    asked++;
    return bucketOf(high, low);
  });
  const askAll = (count: number): number => {
    asked = 0;
    for (let i = 0; i < count; i++) places.of(i, i);
    return asked;
  };
  for (let round = 0; round < 12; round++) askAll(20_000);
  // Nearly all of them have found a row.
  expect(askAll(20_000)).toBeLessThan(1000);
  for (let round = 0; round < 3; round++) askAll(300_000);
  expect(askAll(300_000)).toBeGreaterThan(200_000);
});
