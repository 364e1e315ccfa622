/** `npm run theory`: runs cases with known answers as ordinary scenarios through the built simulator. They are read from the folder named
 *  by CLUSTERLAB_VECTORS, by default `../shared/reference/vectors`; where it is absent, this says so and skips.
 *
 *    --tier core|full|reference   core by default; full includes core
 *    --family NAME                only this family
 *    --seed TEXT                  another sample of worlds
 *    --json                       the rows, and nothing else
 *
 *  Exit code 1 if a case fails, or if all z-scores together are too wide or too narrow; 2 for a wrong option. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { inTier, readCases, type Row, type Tier, tiers } from './cases.ts';
import { families } from './families/index.ts';
import { ThreadedLaboratory } from './laboratory.ts';
import { printHead, printRows, printSummary } from './print.ts';
import { spreadOf } from './spread.ts';
import { type Effort, observeCase } from './trial.ts';

/** On two cores `core` takes less than a minute and `full` less than twelve. */
const efforts: Readonly<Record<Tier, Omit<Effort, 'seed'>>> = {
  core: { requests: [1e6, 4e6], seeds: 50 },
  full: { requests: [2.5e6, 20e6], seeds: 50 },
  reference: { requests: [2.5e6, 8e6], seeds: 50 },
};

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'string') {
    console.error(`theory: ${options}`);
    return 2;
  }
  const { tier, family, seed, json } = options;
  const file = resolve(
    import.meta.dirname,
    '../..',
    process.env.CLUSTERLAB_VECTORS ?? '../shared/reference/vectors',
    'theory.json',
  );
  if (!existsSync(file)) {
    if (json) console.log('[]');
    else console.log(`No ${file}: skipped. Name its folder in CLUSTERLAB_VECTORS.`);
    return 0;
  }
  const cases = readCases(file).filter((each) => inTier(each, tier) && (family === undefined || each.family === family));
  if (cases.length === 0 && family !== undefined) {
    console.error(`theory: there is no family ${JSON.stringify(family)} in tier ${tier}`);
    return 2;
  }
  const laboratory = new ThreadedLaboratory(Math.max(1, availableParallelism()));
  const rows: Row[] = [];
  try {
    if (!json) printHead(tier, cases);
    for (const each of cases) {
      const own = await observeCase(each, families, laboratory, { ...efforts[tier], seed });
      rows.push(...own);
      if (!json) printRows(own);
    }
  } finally {
    laboratory.close();
  }
  const spread = spreadOf(rows);
  if (json) console.log(JSON.stringify(rows, null, 1));
  else printSummary(rows, spread);
  return rows.some(({ verdict }) => verdict === 'fail') || spread.complaints.length > 0 ? 1 : 0;
}

function readOptions(): { tier: Tier; family: string | undefined; seed: string; json: boolean } | string {
  try {
    const { values } = parseArgs({
      options: {
        tier: { type: 'string', default: 'core' },
        family: { type: 'string' },
        seed: { type: 'string', default: 'theory' },
        json: { type: 'boolean', default: false },
      },
    });
    const tier = tiers.find((known) => known === values.tier);
    if (tier === undefined) return `there is no tier ${JSON.stringify(values.tier)}; choose one of ${tiers.join(', ')}`;
    return { tier, family: values.family, seed: values.seed, json: values.json };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

process.exitCode = await main();
