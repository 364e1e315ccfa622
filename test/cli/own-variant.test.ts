import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownVariant } from '../../src/cli/own-variant.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import { folderWith, tinyScenario } from './clusterlab.ts';

/** Labels of the variants that `run` would simulate, and what it says about its choice. */
async function chosen(sections: Readonly<Record<string, string>>, set: readonly string[] = []): Promise<[string[], string]> {
  const folder = folderWith({ 'x.yaml': tinyScenario(sections) });
  const loaded = await loadScenario(join(folder, 'x.yaml'), { overrides: set });
  let said = '';
  const { variants } = ownVariant(loaded, set, (more) => (said += more));
  return [variants.map(({ label }) => label), said];
}

test('a file with one variant runs as it is', async () => {
  expect(await chosen({ compare: '{ balancer: [p2c] }' })).toEqual([['p2c'], '']);
});

test('a file that names a balancer runs with it, whatever it compares', async () => {
  expect(await chosen({ policies: '{ balancer: random }' })).toEqual([['random'], '']);
  expect(await chosen({}, ['policies.balancer=random'])).toEqual([['random'], '']);
  expect(await chosen({ policies: '{ balancer: random }', compare: '{ services.api.slots: [2, 4] }' })).toEqual([['random'], '']);
});

test('a file that only compares balancers runs with the first, and the user is told', async () => {
  const [labels, said] = await chosen({});
  expect(labels).toEqual(['round-robin']);
  expect(said).toBe('run takes one variant: "round-robin", the first of 2; clusterlab compare takes them all\n');
});

test('a file that compares something else runs with the default balancer, silently', async () => {
  expect(await chosen({ compare: '{ services.api.slots: [2, 4] }' })).toEqual([['round-robin'], '']);
});
