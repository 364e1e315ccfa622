import { describe, expect, it } from 'vitest';
import { editDistance, suggest } from '../../src/core/suggest.ts';

describe('suggest', () => {
  const names = ['round-robin', 'random', 'ring-hash', 'p2c', 'least-request'];

  it('finds the word that was meant', () => {
    expect(suggest('rond-robin', names)).toBe('round-robin');
    expect(suggest('ranodm', names)).toBe('random');
    expect(suggest('LEAST_REQUST', names)).toBe('least-request');
    expect(suggest('p3c', names)).toBe('p2c');
  });

  it('says nothing where nothing is near', () => {
    expect(suggest('maglev', names)).toBeUndefined();
    expect(suggest('x', ['abc'])).toBeUndefined();
    expect(suggest('anything', [])).toBeUndefined();
  });

  it('prefers the first of equally near words', () => {
    expect(suggest('cat', ['bat', 'hat'])).toBe('bat');
  });

  it('counts a swap of neighbours as one edit, and edits no part twice', () => {
    expect(editDistance('abcd', 'acbd')).toBe(1);
    // With unrestricted edits this would be 2.
    expect(editDistance('ca', 'abc')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });
});
