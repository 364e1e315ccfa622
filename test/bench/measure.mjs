/** Child process of the benchmark: one job, once, on the built code. Prints one line of JSON. */
import { CellRunner } from '../../dist/lab/cell.js';
import { parseScenario } from '../../dist/scenario/parse.js';
import { jobScenario } from './jobs.mjs';

const [job, instances, requests] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const { scenario } = await parseScenario(jobScenario(job, instances, requests), `${job}.yaml`, {});
const runner = new CellRunner(scenario);
const from = performance.now();
const result = await runner.run({ variant: 0, seed: scenario.run.seeds[0] });
const seconds = (performance.now() - from) / 1000;
const { maxRSS } = process.resourceUsage();
console.log(
  JSON.stringify({
    job,
    instances,
    requests: result.ledger.offered,
    requestsPerSecond: Math.round(result.ledger.offered / seconds),
    eventsPerSecond: Math.round(result.events / seconds),
    nsPerEvent: Math.round((seconds * 1e10) / result.events) / 10,
    peakMiB: Math.round(maxRSS / 1024),
    digest: result.digest,
  }),
);
