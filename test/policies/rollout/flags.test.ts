/** Percentage flags: published places of users, and what every division must hold. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flagHashes, flagHashNames } from '../../../src/policies/rollout/flags/flag-hashes.ts';
import { flipperPlace } from '../../../src/policies/rollout/flags/flipper.ts';
import { growthBookPlace } from '../../../src/policies/rollout/flags/growth-book.ts';
import { launchDarklyBucket, launchDarklyVariation } from '../../../src/policies/rollout/flags/launch-darkly.ts';
import { UNLEASH_VARIANT_SEED, unleashPlace } from '../../../src/policies/rollout/flags/unleash.ts';

describe('LaunchDarkly', () => {
  it('gives users the places that its SDKs test for', () => {
    const flag = { key: 'hashKey', salt: 'saltyA' };
    expect(launchDarklyBucket(flag, 'userKeyA')).toBeCloseTo(0.42157587, 7);
    expect(launchDarklyBucket(flag, 'userKeyB')).toBeCloseTo(0.6708485, 7);
    expect(launchDarklyBucket({ ...flag, seed: 61 }, 'userKeyA')).toBeCloseTo(0.09801207, 7);
    expect(launchDarklyBucket(flag, undefined)).toBe(0);
  });

  it('gives what rounding leaves over to the last variation', () => {
    expect([0, 0.0999, 0.1, 0.31, 1].map((bucket) => launchDarklyVariation(bucket, [10_000, 20_000, 69_999]))).toEqual([
      0, 0, 1, 2, 2,
    ]);
  });
});

describe('GrowthBook', () => {
  it.each([
    ['', 'a', 1, 0.22],
    ['b', 'a', 1, 0.946],
    ['asdf', '8952klfjas09ujk', 1, 0.549],
    ['seed', 'a', 2, 0.0505],
    ['seed', 'b', 2, 0.2696],
    ['foo', 'ab', 2, 0.2575],
    ['89123klj', '8952klfjas09ujkasdf', 2, 0.124],
    ['()**(%$##$%#$#', '___)((*":&', 2, 0.0128],
  ] as const)('with seed %j gives %j (version %i) the place of its common test cases', (seed, user, version, place) => {
    expect(growthBookPlace(seed, user, version)).toBe(place);
  });
});

describe('Unleash', () => {
  it('gives users the places that its client specification tests for', () => {
    expect(unleashPlace('gr1', '123')).toBe(73);
    expect(unleashPlace('groupX', '999')).toBe(25);
    expect(unleashPlace('gr1', '123', 100, UNLEASH_VARIANT_SEED)).toBe(96);
    expect(unleashPlace('groupX', '999', 100, UNLEASH_VARIANT_SEED)).toBe(60);
  });
});

describe('Flipper', () => {
  it('divides by the checksum of flag and user', () => {
    // CRC-32 of 123456789 is the check value of the standard.
    expect(flipperPlace('12345', '6789')).toBe(0xcbf43926 % 100_000);
  });
});

describe.each(flagHashNames)('%s', (name) => {
  const { isOn } = flagHashes[name];
  const percent = fc.integer({ min: 0, max: 100 });

  it('is monotone: raising the percentage only adds users', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), percent, percent, (flag, user, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        return !isOn(flag, 's', user, low) || isOn(flag, 's', user, high);
      }),
    );
  });

  it('is off for all at 0 and on for all at 100', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (flag, user) => !isOn(flag, '', user, 0) && isOn(flag, '', user, 100)));
  });

  it('has about the percentage of users, and different ones for different flags', () => {
    // No chance is involved: the users and the hash are fixed. Bounds are five standard deviations of 20 000 fair draws.
    const users = Array.from({ length: 20_000 }, (_, i) => `user-${i * 7919}`);
    const one = new Set(users.filter((user) => isOn('checkout', '', user, 30)));
    const both = users.filter((user) => one.has(user) && isOn('search', '', user, 30));
    expect(Math.abs(one.size / users.length - 0.3)).toBeLessThan(0.0163);
    expect(Math.abs(both.length / users.length - 0.09)).toBeLessThan(0.0102);
  });
});
