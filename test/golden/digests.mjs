/** `npm run golden`: every variant of every scenario under its first seed, on the built code; one digest each, over the event stream and
 *  all numbers of the cell. They must be the same on every machine, Node version and day, and change only on purpose.
 *
 *    node test/golden/digests.mjs [NAME...]    compares, all scenarios or the named ones; exit code 1 if any differs
 *    node test/golden/digests.mjs --update     writes what is
 *    --against=FILE                            another file than digests.json */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const against = process.argv.find((argument) => argument.startsWith('--against='));
const file = against === undefined ? join(here, 'digests.json') : against.slice('--against='.length);

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const isUpdate = process.argv.includes('--update');
if (isMainThread) process.exitCode = await main();
else parentPort.on('message', async (name) => parentPort.postMessage({ name, digests: await digestsOf(name) }));

async function main() {
  if (!existsSync(join(root, 'dist/lab/cell.js'))) {
    console.error('golden: there is no dist: run `npm run build` first');
    return 2;
  }
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const all = readdirSync(join(root, 'scenarios'))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort();
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    console.error(`golden: there is no scenario ${unknown.join(', ')}`);
    return 2;
  }
  const made = await onThreads(names.length > 0 ? names : all);
  const found = {};
  for (const name of names.length > 0 ? names : all) {
    // Kept as it was where this machine has not the data to say otherwise.
    const digests = made.get(name) ?? known[name];
    if (digests !== undefined) found[name] = digests;
  }
  return isUpdate ? update(names.length > 0 ? { ...known, ...found } : found) : compare(known, found, names.length === 0);
}

/** What `digestsOf` says of each, made on as many threads as there are cores: whoever is done takes the next. */
async function onThreads(wanted) {
  const made = new Map();
  const left = [...wanted];
  const work = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(fileURLToPath(import.meta.url), { argv: process.argv.slice(2) });
      const next = () => {
        const name = left.shift();
        if (name === undefined) worker.terminate().then(resolve, reject);
        else worker.postMessage(name);
      };
      worker.on('error', reject);
      worker.on('message', ({ name, digests }) => {
        made.set(name, digests);
        next();
      });
      next();
    });
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), left.length) }, work));
  return made;
}

/** By label of the variant; undefined when the scenario needs a file that is not here. */
async function digestsOf(name) {
  const { loadScenario } = await import('../../dist/scenario/load.js');
  const { CellRunner } = await import('../../dist/lab/cell.js');
  let scenario;
  try {
    ({ scenario } = await loadScenario(join(root, 'scenarios', `${name}.yaml`)));
  } catch (error) {
    if (error.issues?.every(({ code }) => code === 'unreadable-file')) {
      console.log(`${name}: skipped, ${error.issues[0].message}`);
      return undefined;
    }
    throw error;
  }
  const runner = new CellRunner(scenario);
  const digests = {};
  for (const [variant, { label }] of scenario.variants.entries()) {
    digests[label] = (await runner.run({ variant, seed: scenario.run.seeds[0] })).digest;
  }
  return digests;
}

function update(digests) {
  const sorted = Object.fromEntries(
    Object.keys(digests)
      .sort()
      .map((name) => [name, digests[name]]),
  );
  writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`);
  console.log(`${countOf(digests)} digests of ${Object.keys(digests).length} scenarios written`);
  return 0;
}

function compare(known, found, isWhole) {
  const lines = [];
  for (const name of Object.keys({ ...(isWhole ? known : {}), ...found })) {
    for (const label of Object.keys({ ...known[name], ...found[name] })) {
      const before = known[name]?.[label] ?? 'nothing';
      const now = found[name]?.[label] ?? 'nothing';
      if (before !== now) lines.push(`  ${name}, ${label}: was ${before}, is ${now}`);
    }
  }
  if (lines.length === 0) {
    console.log(`${countOf(found)} digests are what they were`);
    return 0;
  }
  console.log(`${lines.length} of ${countOf(found)} digests differ:\n${lines.join('\n')}`);
  console.log(
    'If that is on purpose, say why under "Numbers that changed" in CHANGELOG.md and run `npm run golden -- --update`. If it is not: a\n' +
      'change of code that should not touch results does, or results depend on the machine.',
  );
  return 1;
}

function countOf(digests) {
  return Object.values(digests).reduce((sum, each) => sum + Object.keys(each).length, 0);
}
