/** Requests that call other services: at once (fork and join, fan-out), and through layers that each try again. */
import { type Case, numberOf } from '../cases.ts';
import { metric, share, shareSlower, time } from '../readers.ts';
import { type Adapter, type Adapters, memory, type Trial } from '../trial.ts';
import { arrivalLaw, digits, duration, rate, workLaw } from '../yaml.ts';

/** A service that takes as good as no time and never makes anybody wait. */
const front = (calls: string): string =>
  `front: { instances: 1, slots: 1000000, work: 0.001us, whileWaiting: release, calls: ${calls} }`;

/** n queues that each get a part of every job; it is done when the last part is. */
const forkJoin: Adapter = ({ params }) => {
  const [count, perUnit] = ['n', 'lam'].map((key) => numberOf(params, key));
  const names = Array.from({ length: count }, (_, k) => `queue${k}`);
  return [
    {
      world: `services:
  ${front(`[{ parallel: [${names.join(', ')}] }]`)}
${names.map((name) => `  ${name}: { instances: 1, queue: unlimited, work: ${workLaw('exp')!} }\n`).join('')}
traffic: [{ to: front, arrivals: ${arrivalLaw('exp', perUnit)!} }]
`,
      perUnit,
      relaxation: memory(perUnit, { variability: 1.5 }),
      cost: count / 2,
      observe: { mean_sojourn: time('latency.mean') },
    },
  ];
};

const SLOW = 10;

/** n leaves without queues, each slow with the same probability; a request is as slow as its slowest leaf. The percentile that leaves need
 *  is arithmetic, which no simulation can confirm. */
const fanOut: Adapter = ({ params }) => {
  const [count, slow] = ['n', 'p_slow'].map((key) => numberOf(params, key));
  const values = [
    `{ value: ${duration(1)}, share: ${digits(1 - slow)} }`,
    `{ value: ${duration(SLOW)}, share: ${digits(slow)} }`,
  ];
  return [
    {
      world: `services:
  ${front(`[{ to: leaf, copies: ${count} }]`)}
  leaf: { instances: 1, slots: 1000000, work: { type: discrete, values: [${values.join(', ')}] } }
traffic: [{ to: front, arrivals: ${arrivalLaw('exp', 0.1)!} }]
`,
      perUnit: 0.1,
      relaxation: SLOW,
      cost: 1 + count / 4,
      observe: { prob_any_slow: shareSlower(SLOW / 2) },
    },
  ];
};

/** Hundred requests at once go down a chain whose last service only fails; every layer above tries again. Services and edges are views. */
const layers: Adapter = ({ params }) => {
  const [depth, retries] = ['layers', 'retries'].map((key) => numberOf(params, key));
  const names = Array.from({ length: depth }, (_, k) => `layer${k}`);
  const services = names.map((name, k) => {
    const calls = k + 1 < depth ? `, whileWaiting: release, calls: [${names[k + 1]}]` : '';
    return `  ${name}: { instances: 1, slots: 1000000, work: 1ms${calls} }\n`;
  });
  return [
    {
      world: `services:
${services.join('')}traffic: [{ to: ${names[0]}, arrivals: { type: bursts, every: 1h, size: 100 } }]
faults: [{ type: errors, target: ${names.at(-1)!}/0, at: 0s, share: 100% }]
policies: { retry: { use: immediate, retries: ${retries} } }
`,
      perUnit: 1,
      relaxation: 0,
      exactly: { warmup: 0, measured: 1000, seeds: 1, window: 100 },
      observe: {
        worst_case_amplification: (cells) => ({
          value: cells[0].instances.at(-1)!.served / cells[0].ledger.offered,
        }),
      },
    },
  ];
};

/** Every try fails with the same probability, and nobody waits. */
const independentFailures: Adapter = ({ params }) => {
  const [fails, retries] = ['p_fail', 'max_retries'].map((key) => numberOf(params, key));
  return [
    {
      world: failing(1, fails, `retry: { use: immediate, retries: ${retries} }`),
      perUnit: 1,
      relaxation: retries + 1,
      cost: 2,
      observe: {
        mean_attempts: metric('attempts'),
        load_amplification: metric('amplification'),
        final_failure_prob: share('failures.error'),
      },
    },
  ];
};

const failing = (perUnit: number, share: number, policies: string, arrivals = arrivalLaw('exp', perUnit)!): string =>
  `services: { api: { instances: 1, slots: 1000000, work: 10us } }
traffic: [{ to: api, arrivals: ${arrivals} }]
faults: [{ type: errors, target: api/0, at: 0s, share: ${digits(share)} }]
policies: { ${policies} }
`;

/** Everything fails, so that every retry is sent that the budget pays for. The budget with a share per request and a reserve is Finagle's,
 *  whose reserve is a rate times its window. */
const budget: Adapter = ({ params }: Case): readonly Trial[] => {
  const [ratio, burst, perSecond, seconds] = ['ratio', 'burst', 'rate', 'duration'].map((key) => numberOf(params, key));
  const policy = `{ use: finagle, ttl: ${seconds}s, percentCanRetry: ${digits(ratio)}, minRetriesPerSec: ${digits(burst / seconds)} }`;
  const perUnit = perSecond / 100;
  const world = failing(
    perUnit,
    1,
    `retry: { use: immediate, retries: 100 }, budget: ${policy}`,
    `{ type: constant, rate: ${rate(perUnit)} }`,
  );
  const total = (columns: Readonly<Record<'attempts' | 'offered', readonly number[]>>, name: 'attempts' | 'offered'): number =>
    columns[name].reduce((sum, value) => sum + value, 0);
  return [
    {
      world,
      perUnit,
      relaxation: 0,
      exactly: { warmup: 0, measured: seconds * 100, seeds: 1, window: 100 },
      observe: {
        max_total_attempts: ([{ series }]) => ({ value: total(series.columns, 'attempts') }),
        max_amplification: ([{ series }]) => ({
          value: total(series.columns, 'attempts') / total(series.columns, 'offered'),
        }),
      },
    },
  ];
};

export const calls: Adapters = {
  'fork-join 2 M/M/1 queues': forkJoin,
  'fork-join n M/M/1 queues': forkJoin,
  'fan-out': fanOut,
  retries: layers,
  'retries, independent failures': independentFailures,
  'retry budget': budget,
};
