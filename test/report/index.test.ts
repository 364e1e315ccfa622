import { expect, test } from 'vitest';
import { outputFormats } from '../../src/report/index.ts';
import { rollouts } from './change.ts';
import { fixture } from './fixture.ts';
import { elastic, shop } from './life.ts';

/** With calls, queues, instances that come and go, and roll-outs. */
const run = withRollouts(withScaling(shop()));

function withScaling(file: ReturnType<typeof shop>): ReturnType<typeof shop> {
  const [, late] = elastic().variants;
  return { ...file, variants: file.variants.map((each) => ({ ...each, elastic: late!.elastic, alarms: late!.alarms })) };
}

function withRollouts(file: ReturnType<typeof shop>): ReturnType<typeof shop> {
  const { change } = rollouts().variants[1]!;
  return { ...file, variants: file.variants.map((each) => ({ ...each, change })) };
}

async function written(name: string, file = run): Promise<string[]> {
  const names: string[] = [];
  for await (const { name: path, content } of outputFormats[name]!.render(file)) {
    expect(content.length).toBeGreaterThan(0);
    names.push(path.replace(/(?<=charts\/)[a-z0-9-]+/, '*'));
  }
  return [...new Set(names)];
}

test.each(['json', 'csv', 'md', 'vega', 'svg'])('%s writes the files it names', async (name) => {
  expect(await written(name)).toEqual(outputFormats[name]!.files);
});

test('one service without queues has no tables of edges, classes, queues, scaling or roll-outs, and none of faults if none are planned', async () => {
  const plain = fixture({ variants: 2, windows: 20, seeds: 2, instances: 3 });
  const always = ['summary.csv', 'timeseries.csv', 'ledger.csv', 'availability.csv'];
  expect(await written('csv', plain)).toEqual([...always, 'faults.csv']);
  const variants = plain.variants.map((each) => ({ ...each, availability: { ...each.availability, faults: [] } }));
  expect(await written('csv', { ...plain, variants })).toEqual(always);
});
