import { describe, expect, test } from 'vitest';
import { InputError } from '../../../src/core/errors.ts';
import type { Issue } from '../../../src/core/issue.ts';
import { customChart, type CustomChartOptions } from '../../../src/report/charts/custom.ts';
import { variantLooks } from '../../../src/report/charts/palette.ts';
import type { ChartSpec } from '../../../src/report/charts/spec.ts';
import { renderSvg } from '../../../src/report/svg.ts';
import { fixture } from '../fixture.ts';

const run = fixture({ windows: 60, seeds: 3 });
const variantsIn = (spec: ChartSpec): Set<unknown> => new Set(Object.values(spec.datasets)[0]!.map((row) => row.variant));

/** The complaints, as long as there are some. */
function issuesOf(options: CustomChartOptions): readonly Issue[] {
  try {
    customChart(run, options);
  } catch (error) {
    if (error instanceof InputError) return error.issues;
    throw error;
  }
  throw new Error('drawn after all');
}
const issueOf = (options: CustomChartOptions): { message: string; hint: string } => {
  const [{ message, hint = '' }] = issuesOf(options) as [Issue];
  return { message, hint };
};

describe('what can be drawn', () => {
  test.each([
    ['latency.p99', 'variant', undefined],
    ['availability', 'variant', 'bar'],
    ['goodput', 'variant', 'strip'],
    ['wait', 'variant', 'ccdf'],
    ['latency.p50', 'time', undefined],
    ['availability', 'time', 'heatmap'],
    ['latency.p99.9', 'time', 'heatmap'],
    ['utilization.mean', 'instance', undefined],
    ['served', 'instance', 'strip'],
    ['utilization.mean', 'instance', 'heatmap'],
    ['served', 'zone', undefined],
    ['utilization.mean', 'zone', 'strip'],
  ])('%s by %s as %s, without a warning of Vega', async (metric, by, type) => {
    const svg = await renderSvg(customChart(run, { metric, by, ...(type === undefined ? {} : { type }) }));
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  });

  test('a title of the user replaces the finding', () => {
    expect(customChart(run, { metric: 'latency.p99', by: 'time', title: 'Before the change' }).title).toMatchObject({
      text: ['Before the change'],
    });
  });
});

describe('filters', () => {
  test('keep the named variants, which keep their colours', () => {
    const spec = customChart(run, { metric: 'latency.p99', by: 'time', filter: { variant: 'mine, random' } });
    expect(variantsIn(spec)).toEqual(new Set(['random', 'mine']));
    const mine = variantLooks(run).find((look) => look.label === 'mine')!;
    expect(JSON.stringify(spec)).toContain(mine.color);
  });
  test('a label with a comma can be named', () => {
    const odd = fixture({ variants: 2, windows: 10, seeds: 2, labels: ['a, b', 'c'] });
    expect(variantsIn(customChart(odd, { metric: 'latency.p99', by: 'variant', filter: { variant: 'a, b' } }))).toEqual(
      new Set(['a, b']),
    );
  });
  test('keep the named zones', () => {
    const spec = customChart(run, { metric: 'served', by: 'instance', filter: { zone: 'b' } });
    expect(new Set(Object.values(spec.datasets)[0]!.map((row) => row.zone))).toEqual(new Set(['b']));
  });
});

describe('what cannot be drawn is answered with what can', () => {
  test('an unknown metric', () => {
    const { message, hint } = issueOf({ metric: 'latncy.p99', by: 'variant' });
    expect(message).toBe('unknown metric "latncy.p99"');
    expect(hint).toMatch(/^did you mean "latency\.p99"\?/);
  });
  test('an unknown --by and --type, reported together', () => {
    const issues = issuesOf({ metric: 'latency.p99', by: 'varient', type: 'pie' });
    expect(issues.map((issue) => issue.message)).toEqual(['unknown --by "varient"', 'unknown --type "pie"']);
  });
  test('a metric that is not recorded by zone', () => {
    const { message, hint } = issueOf({ metric: 'latency.p99', by: 'zone' });
    expect(message).toBe('latency.p99 is not recorded by zone');
    expect(hint).toContain('--by time --type line');
    expect(hint).toContain('By zone there are: utilization.mean, served');
  });
  test('a type that does not fit', () => {
    expect(issueOf({ metric: 'availability', by: 'variant', type: 'ccdf' }).message).toBe(
      'availability by variant cannot be drawn as ccdf; it can be as bar, strip',
    );
  });
  test('an unknown label', () => {
    const { message, hint } = issueOf({ metric: 'latency.p99', by: 'variant', filter: { variant: 'randm' } });
    expect(message).toBe('unknown variant "randm"');
    expect(hint).toMatch(/^did you mean "random"\?/);
  });
  test('an unknown filter', () => {
    expect(issueOf({ metric: 'latency.p99', by: 'variant', filter: { colour: 'red' } }).hint).toContain(
      'variant, instance, zone',
    );
  });
  test('a metric the run has no value of', () => {
    const empty = { ...run, variants: run.variants.map((variant) => ({ ...variant, estimates: {} })) };
    expect(() => customChart(empty, { metric: 'latency.p99', by: 'variant' })).toThrow(
      'this run has no values of latency.p99 by variant',
    );
  });
});
