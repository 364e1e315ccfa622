/** Requests sent twice: hedged after a while, or to several instances at once. */
import { numberOf, textOf } from '../cases.ts';
import { metric, quantile, type Readers, time } from '../readers.ts';
import { type Adapter, type Adapters, memory, queueWorld, type Trial } from '../trial.ts';
import { arrivalLaw, duration, workLaw } from '../yaml.ts';

/** d copies to distinct instances; when the first is done, the others vanish. A pick may be repeated a hundred times to find another one:
 *  even of two instances the same is then taken once in 2^101 times. */
const redundancy: Adapter = ({ params }) => {
  const [count, copies, load] = ['n', 'd', 'lam_per_server'].map((key) => numberOf(params, key));
  const perUnit = count * load;
  return [
    {
      world: `services: { api: { instances: ${count}, queue: unlimited, work: ${workLaw('exp')!}, cancelAbandoned: true } }
traffic: [{ to: api, arrivals: ${arrivalLaw('exp', perUnit)!} }]
policies:
  balancer: random
  hedge: { use: delay, delay: 0ms, maxHedgedAttempts: ${copies - 1} }
  retry: { use: immediate, retries: 0, hostSelectionRetryMaxAttempts: 100 }
`,
      perUnit,
      relaxation: 5 + memory(load) / count + 2 / (1 - load),
      parts: Math.max(1, count / 3),
      cost: copies / 2,
      observe: { mean_sojourn: time('latency.mean') },
    },
  ];
};

const quantiles = (suffix = ''): Readers =>
  Object.fromEntries(
    (
      [
        ['p50', 0.5],
        ['p90', 0.9],
        ['p99', 0.99],
        ['p999', 0.999],
      ] as const
    ).map(([name, p]) => [`${name}${suffix}`, quantile('latency', p)]),
  );

/** So many slots that nobody waits: latencies are independent. The delay is the case's own quantile, which the world without hedges
 *  confirms. */
const hedged: Adapter = ({ params, expect }) => {
  const delay = expect.hedge_delay?.value;
  if (params.copies !== 2 || typeof delay !== 'number') return [];
  const trial = (more: string, observe: Readers): Trial => ({
    world: queueWorld({ arrivals: arrivalLaw('exp', 5)!, work: workLaw(textOf(params, 'law'))!, slots: 100_000, more }),
    perUnit: 5,
    relaxation: 5,
    // Requests that never meet are independent of each other.
    parts: 25,
    cost: 1.5,
    observe,
  });
  return [
    trial('', { hedge_delay: quantile('latency', numberOf(params, 'delay_quantile')), ...quantiles('_unhedged') }),
    trial(`policies: { hedge: { use: delay, delay: ${duration(delay)} } }\n`, {
      extra_load: metric('hedges'),
      mean: time('latency.mean'),
      ...quantiles(),
    }),
  ];
};

export const copies: Adapters = {
  'redundancy-d cancel on completion': redundancy,
  'hedged request, iid latencies, no queueing': hedged,
};
