/** The glossary of metrics as a page: generated, so that it cannot lag behind. Refresh with `npx vitest run test/core/metrics.test.ts -u`. */
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { metrics, partsOf, type Metric } from '../../src/core/metrics.ts';

const indifference = ({ indifference: zone, unit }: Metric): string => {
  if (zone === undefined) return '';
  if ('relative' in zone) return `${Number((zone.relative * 100).toFixed(6))} %`;
  return unit === 'fraction' ? `${Number((zone.absolute * 100).toFixed(6))} points` : String(zone.absolute);
};

test('METRICS.md lists every metric as the code describes it', async () => {
  const rows = metrics.map(
    (metric) =>
      `| \`${metric.name}\` | ${metric.unit} | ${metric.better} | ${metric.about} | ${partsOf(metric).join(', ')} | ${indifference(metric)} |`,
  );
  const page = [
    '# Metrics',
    '',
    'What runs measure: the names that `expect`, `gate` and charts use. `clusterlab metrics` prints the same. A metric can be narrowed down',
    'to a part of the requests, as in `latency.p99{class=read, window=30s..60s}`. Where a zone of indifference is given, a metric is',
    'compared by default, and differences within the zone do not matter.',
    '',
    '| metric | unit | better is | what it is | by | zone of indifference |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
  await expect(page).toMatchFileSnapshot(resolve(join(import.meta.dirname, '../../scenarios/METRICS.md')));
});

test('every metric has a sentence of its own', () => {
  const sentences = metrics.map(({ about }) => about);
  expect(sentences.filter((about) => !/^[A-Z\d].*\.$/.test(about))).toEqual([]);
  expect(new Set(sentences).size).toBe(sentences.length);
});
