/** Kinds that run the simulator: does the system recover once the trigger is over? Each row becomes an ordinary scenario, judged as a
 *  report would judge it. */
import { CellRunner } from '../../../src/lab/cell.ts';
import { judgeCell } from '../../../src/lab/recovery.ts';
import { dataFilesAt } from '../../../src/scenario/load.ts';
import { parseScenario } from '../../../src/scenario/parse.ts';
import { type Adapters, NotCovered } from '../vector-file.ts';

interface StallRow {
  readonly server: {
    readonly count: number;
    readonly ratePerSec: number;
    readonly discipline: string;
    readonly queueLimit: number | null;
    readonly abandonOnClientTimeout: boolean;
  };
  readonly client: {
    readonly timeoutMs: number;
    readonly maxRetries: number;
    readonly retryDelayMs: number;
    readonly retryBudget?: { readonly type: string; readonly percent: number };
  };
  readonly trigger: { readonly type: string; readonly atMs: number; readonly durationMs: number };
  readonly horizonMs: number;
  readonly measureLastMs: number;
  readonly offeredQps: number;
}

const WINDOW_MS = 1000;
/** One answer must come from most of the seeds; the rows leave out what depends on the seed. */
const SEEDS = 3;

export const metastableRunAdapters: Adapters = {
  'metastable.des': async (input: StallRow) => {
    const { runs, verdicts } = await play(stallScenario(input));
    const last = input.measureLastMs / WINDOW_MS;
    const mean = (column: 'ok' | 'attempts'): number =>
      runs.reduce((sum, { series }) => sum + series.columns[column].slice(-last).reduce((a, b) => a + b, 0) / last, 0) / SEEDS;
    return { class: classOf(verdicts), goodputQps: mean('ok'), attemptsQps: mean('attempts') };
  },

  'metastable.scenario.published': async (input: {
    readonly meanServiceMs?: number;
    readonly rho?: number;
    readonly timeoutS?: number;
    readonly maxRetries?: number;
    readonly queueSize?: number;
    readonly faultLoadFactor?: number;
    readonly faultStartFraction?: number;
    readonly faultDurationFraction?: number;
  }) => {
    // The others need a CPU share under a load that does not fit its numbers, and a latency that grows with concurrency.
    if (input.faultLoadFactor === undefined) throw new NotCovered('a server of another kind');
    // Short enough that the queue does not fill by itself before the fault: at this load it does so every hour or so.
    const seconds = 1000;
    const { runs, verdicts } = await play(`
scenario: 1
name: spike
run: { duration: ${seconds}s, warmup: 20s, seeds: ${SEEDS}, window: 10s }
services:
  api: { instances: 1, queue: ${input.queueSize! - 1}, overflow: drop, work: { type: exponential, mean: ${input.meanServiceMs}ms } }
traffic:
  - to: api
    arrivals: { type: poisson, rate: ${(1000 / input.meanServiceMs!) * input.rho!}/s }
    profile: { type: spike, at: ${seconds * input.faultStartFraction!}s, for: ${seconds * input.faultDurationFraction!}s, factor: ${input.faultLoadFactor} }
    attemptTimeout: ${input.timeoutS}s
    policies: { retry: { use: immediate, retries: ${input.maxRetries}, on: [timeout] } }
metastability: { recovered: 90% }
`);
    const isFull = runs.every(({ instances }) =>
      instances[0].queued.slice(-20).every((queued) => queued > 0.8 * input.queueSize!),
    );
    const isStuck = classOf(verdicts) === 'collapsed';
    return { class: isStuck && isFull ? 'metastable (queue stays near full after the fault)' : classOf(verdicts) };
  },
};

function stallScenario({ server, client, trigger, horizonMs, offeredQps }: StallRow): string {
  if (trigger.type !== 'server-stall' || client.retryDelayMs !== 0) throw new NotCovered(trigger.type);
  const { retryBudget } = client;
  if (retryBudget !== undefined && retryBudget.type !== 'ratio-of-requests') throw new NotCovered(retryBudget.type);
  // Deposits by request and no reserve: a budget in proportion to requests.
  const budget =
    retryBudget === undefined
      ? ''
      : `, budget: { use: finagle, minRetriesPerSec: 0, percentCanRetry: ${retryBudget.percent / 100} }`;
  return `
scenario: 1
name: stall
run: { duration: ${horizonMs}ms, warmup: 5s, seeds: ${SEEDS}, window: ${WINDOW_MS}ms }
services:
  db:
    instances: ${server.count}
    discipline: ${server.discipline}
    queue: ${server.queueLimit ?? 'unlimited'}
    work: { type: exponential, mean: ${1000 / server.ratePerSec}ms }
    dropExpired: ${server.abandonOnClientTimeout}
traffic:
  - to: db
    arrivals: { type: poisson, rate: ${offeredQps}/s }
    attemptTimeout: ${client.timeoutMs}ms
    propagateDeadline: ${server.abandonOnClientTimeout}
    policies: { retry: { use: immediate, retries: ${client.maxRetries}, on: [timeout, refused] }${budget} }
faults:
  - { type: pause, target: db/*, at: ${trigger.atMs}ms, for: ${trigger.durationMs}ms }
metastability: { recovered: 90% }
`;
}

async function play(text: string) {
  const { scenario } = await parseScenario(text, 'row.yaml', { data: dataFilesAt('.', false) });
  const runner = new CellRunner(scenario);
  const runs = [];
  for (const seed of scenario.run.seeds) runs.push(await runner.run({ variant: 0, seed }));
  const verdicts = runs.map((cell) => judgeCell(scenario, cell, scenario.metastability!.triggerEndsMs).state);
  return { runs, verdicts };
}

/** In the rows' words. */
function classOf(verdicts: readonly string[]): string {
  const stuck = verdicts.filter((state) => state === 'metastable').length;
  const back = verdicts.filter((state) => state === 'recovered' || state === 'never-failed').length;
  return stuck > SEEDS / 2 ? 'collapsed' : back > SEEDS / 2 ? 'recovered' : verdicts.join(', ');
}
