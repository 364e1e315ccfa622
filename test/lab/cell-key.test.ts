/** Equal keys must mean equal bytes, and what cannot change the bytes must not change the key. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { CellKeys } from '../../src/lab/cell-key.ts';
import type { Scenario, VariantSpec } from '../../src/scenario/spec.ts';
import { scenarioOf as parsed, scenarioText } from '../scenario/fixture.ts';
import { type ScenarioSetup, scenarioOf, variantOf } from './builder.ts';

const folder = mkdtempSync(join(tmpdir(), 'clusterlab-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const keyOf = (scenario: Scenario, seed = 's', variant = 0): Promise<string> => new CellKeys(scenario).key({ variant, seed });
const p2c = variantOf('p2c', { use: 'p2c', params: { choices: 2 } });
const world = (setup: ScenarioSetup = {}): Scenario => scenarioOf({ variants: [p2c], ...setup });
const base = await keyOf(world());
/** Parts of a scenario as the loader makes them. */
const written = (rest: string): Promise<Scenario> => parsed(scenarioText({ services, rest }));
const services = 'services: { api: { instances: 3, work: 10ms, versions: { v2: {} } } }';
const release = '{ type: release, at: 9s, service: api, version: v2 }';

describe('the key of a cell', () => {
  test('is 64 hexadecimal digits', () => expect(base).toMatch(/^[0-9a-f]{64}$/));

  test.each<[string, () => Promise<string>]>([
    ['another label', () => keyOf(world({ variants: [{ ...p2c, label: 'two choices' }] }))],
    ['another variant beside it', () => keyOf(world({ variants: [variantOf('r', { use: 'random', params: {} }), p2c] }), 's', 1)],
    ['another text of the scenario', () => keyOf({ ...world(), about: 'something else' })],
    ['more seeds', () => keyOf(world({ seeds: 17 }))],
    [
      'the world written as the variant’s own',
      () => {
        const {
          variants: [only],
          ...rest
        } = world();
        return keyOf({ ...world({ instances: 9 }), variants: [{ ...only, scenario: rest } satisfies VariantSpec] });
      },
    ],
  ])('stays the same for %s', async (_, key) => expect(await key()).toBe(base));

  test.each<[string, () => Promise<string>]>([
    ['seed', () => keyOf(world(), 't')],
    ['parameter', () => keyOf(world({ variants: [variantOf('p2c', { use: 'p2c', params: { choices: 3 } })] }))],
    ['policy', () => keyOf(world({ variants: [variantOf('p2c', { use: 'random', params: {} })] }))],
    ['number of instances', () => keyOf(world({ instances: 4 }))],
    ['duration', () => keyOf(world({ durationMs: 2001 }))],
    ['calendar', () => keyOf({ ...world(), run: { ...world().run, epochMs: 1 } })],
    ['metrics pipeline', () => keyOf({ ...world(), pipeline: { ...world().pipeline, scrapeMs: 1234 } })],
    ['nodes', async () => keyOf({ ...world(), nodes: (await written('nodes: { pool: { count: 3, cpu: 4 } }')).nodes })],
    ['changes', async () => keyOf({ ...world(), changes: (await written(`changes: [${release}]`)).changes! })],
    ['delivery', async () => keyOf({ ...world(), delivery: (await written(`changes: [${release}]`)).delivery! })],
    ['recording of decisions', () => new CellKeys(world()).key({ variant: 0, seed: 's', explain: 5 })],
  ])('changes with the %s', async (_, key) => expect(await key()).not.toBe(base));
});

describe('a policy of one’s own', () => {
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const using = (path: string): Promise<string> =>
    keyOf(world({ variants: [variantOf('mine', { use: './mine.ts#Mine', module: { path, exportName: 'Mine' }, params: {} })] }));

  test('counts with its code and that of the files it imports, wherever they lie', async () => {
    write('helper.ts', 'export const x = 1;');
    const path = write('mine.ts', "import { x } from './helper.ts';\nexport class Mine {}");
    const before = await using(path);
    const copy = mkdtempSync(join(folder, 'copy-'));
    writeFileSync(join(copy, 'helper.ts'), 'export const x = 1;');
    writeFileSync(join(copy, 'mine.ts'), "import { x } from './helper.ts';\nexport class Mine {}");
    expect(await using(join(copy, 'mine.ts'))).toBe(before);
    write('helper.ts', 'export const x = 2;');
    const other = await using(path);
    expect(other).not.toBe(before);
    write('mine.ts', "import { x } from './helper.ts';\nexport class Mine { }");
    expect(await using(path)).not.toBe(other);
  });
});
