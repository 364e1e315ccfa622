import { describe, expect, test } from 'vitest';
import { PolicyFault } from '../../src/core/errors.ts';
import { guarded } from '../../src/lab/guard.ts';

const ambient = (): unknown[] => [
  Date,
  Math.random,
  performance.now,
  setTimeout,
  setInterval,
  setImmediate,
  queueMicrotask,
  crypto.getRandomValues,
  crypto.randomUUID,
  process.hrtime,
];

describe('the guard', () => {
  test('returns what the work returns', () => expect(guarded('p', () => 42)).toBe(42));

  test('puts everything back after the work, and after an error', () => {
    const before = ambient();
    guarded('p', () => undefined);
    expect(ambient()).toEqual(before);
    expect(() =>
      guarded('p', () => {
        throw new Error('x');
      }),
    ).toThrow('x');
    ambient().forEach((value, i) => expect(value).toBe(before[i]));
  });

  test('names the policy, what was called and the way out', () => {
    expect(() => guarded('mine', () => Date.now())).toThrow(PolicyFault);
    expect(() => guarded('mine', () => Date.now())).toThrow(
      'mine called Date.now, which would make the run unrepeatable: use the time passed to each call',
    );
  });

  test.each<[string, () => unknown]>([
    ['Date()', () => Date()],
    ['new Date()', () => new Date()],
    ['Math.random', () => Math.random()],
    ['performance.now', () => performance.now()],
    ['setTimeout', () => setTimeout(() => undefined, 0)],
    ['setInterval', () => setInterval(() => undefined, 0)],
    ['setImmediate', () => setImmediate(() => undefined)],
    ['queueMicrotask', () => queueMicrotask(() => undefined)],
    ['crypto.getRandomValues', () => crypto.getRandomValues(new Uint8Array(1))],
    ['crypto.randomUUID', () => crypto.randomUUID()],
    ['process.hrtime', () => process.hrtime()],
    ['process.hrtime.bigint', () => process.hrtime.bigint()],
  ])('refuses %s', (name, call) => {
    expect(() => guarded('p', call)).toThrow(`p called ${name}`);
    // Outside it works: what was refused is back.
    expect(() => {
      const made = call();
      if (name.startsWith('set')) clearTimeout(made as NodeJS.Timeout);
    }).not.toThrow();
  });

  test('lets dates be computed, and instanceof', () => {
    expect(guarded('p', () => [new Date(5).getTime(), Date.UTC(1970, 0, 2), new Date(5) instanceof Date])).toEqual([
      5,
      86_400_000,
      true,
    ]);
  });

  test('opens for what is not the policy’s doing, and closes again, also after an error there', () => {
    guarded('p', (unguarded) => {
      let seen = 0;
      unguarded(() => (seen = Date.now()));
      expect(seen).toBeGreaterThan(1.7e12);
      expect(() => Date.now()).toThrow(PolicyFault);
      expect(() =>
        unguarded(() => {
          throw new Error('disk full');
        }),
      ).toThrow('disk full');
      expect(() => Math.random()).toThrow(PolicyFault);
    });
  });
});
