/** Prints a hash over the run file of a short comparison on the built code: `node test/golden/bytes.mjs THREADS`. */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runExperiment } from '../../dist/lab/experiment.js';
import { serializeRun } from '../../dist/report/json.js';
import { loadScenario } from '../../dist/scenario/load.js';

const file = join(dirname(fileURLToPath(import.meta.url)), '../../scenarios/crash-and-recovery.yaml');
const overrides = ['run.duration=12s', 'run.warmup=1s', 'faults[0].at=3s', 'faults[0].for=2s'];
const loaded = await loadScenario(file, { overrides, seeds: 2 });
const run = await runExperiment({ kind: 'compare', file, ...loaded, overrides, jobs: Number(process.argv[2]), replay: '' });
console.log(createHash('sha256').update(serializeRun(run)).digest('hex'));
