import { expect, test } from 'vitest';
import { outputFormats } from '../../src/report/index.ts';
import { fixture } from './fixture.ts';

const run = fixture({ variants: 2, windows: 20, seeds: 2, instances: 3 });

test.each(['json', 'csv', 'md', 'vega', 'svg'])('%s writes the files it names', async (name) => {
  const format = outputFormats[name]!;
  const written: string[] = [];
  for await (const file of format.render(run)) {
    expect(file.content.length).toBeGreaterThan(0);
    written.push(file.name.replace(/(?<=charts\/)[a-z-]+/, '*'));
  }
  expect([...new Set(written)]).toEqual(format.files);
});
