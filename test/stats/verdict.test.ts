import { describe, expect, it } from 'vitest';
import { estimate } from '../../src/stats/estimate.ts';
import { judge } from '../../src/stats/verdict.ts';

const interval = (low: number, high: number) => ({ mean: (low + high) / 2, low, high, sd: 1, n: 10 });

describe('judge', () => {
  const zone = 1;

  it.each([
    { about: 'clearly lower', low: -5, high: -3, p: 0.001, lower: 'better', higher: 'worse' },
    { about: 'clearly higher', low: 3, high: 5, p: 0.001, lower: 'worse', higher: 'better' },
    { about: 'all inside the zone of indifference', low: -0.9, high: 0.8, p: 0.7, lower: 'equivalent', higher: 'equivalent' },
    {
      about: 'really different, but too little to matter',
      low: 0.2,
      high: 0.6,
      p: 0.001,
      lower: 'equivalent',
      higher: 'equivalent',
    },
    { about: 'exactly filling the zone', low: -1, high: 1, p: 1, lower: 'equivalent', higher: 'equivalent' },
    { about: 'real, and perhaps too little to matter', low: 0.5, high: 1.5, p: 0.01, lower: 'worse', higher: 'better' },
    { about: 'wide, with zero inside', low: -4, high: 3, p: 0.6, lower: 'inconclusive', higher: 'inconclusive' },
    {
      about: 'zero ruled out, but not after correction',
      low: 0.5,
      high: 4,
      p: 0.2,
      lower: 'inconclusive',
      higher: 'inconclusive',
    },
    { about: 'at the level exactly', low: 0, high: 4, p: 0.05, lower: 'inconclusive', higher: 'inconclusive' },
  ] as const)('$about', ({ low, high, p, lower, higher }) => {
    const evidence = { difference: interval(low, high), adjustedP: p, indifference: zone };
    expect(judge({ ...evidence, better: 'lower' })).toBe(lower);
    expect(judge({ ...evidence, better: 'higher' })).toBe(higher);
  });

  it('calls seeds that are all equal equivalent, even where every difference matters', () => {
    expect(judge({ difference: estimate([0, 0, 0]), adjustedP: 1, indifference: 0, better: 'lower' })).toBe('equivalent');
  });

  it('calls one seed inconclusive: it has no interval', () => {
    expect(judge({ difference: estimate([0]), adjustedP: 1, indifference: 10, better: 'lower' })).toBe('inconclusive');
  });

  it('decides on the same difference in every seed', () => {
    expect(judge({ difference: estimate([2, 2, 2]), adjustedP: 0, indifference: 1, better: 'lower' })).toBe('worse');
  });
});
