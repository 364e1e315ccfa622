/** Retries that make the load they answer: with timeouts, and work that goes on in vain. */
import { numberOf, textOf } from '../cases.ts';
import type { CellResult } from '../../../src/stats/result.ts';
import { atLeast, meanOf, perSeed, perUnit as countPerUnit, type Reader, type Readers, standardError } from '../readers.ts';
import { type Adapter, type Adapters, type Trial } from '../trial.ts';
import { arrivalLaw, duration, workLaw } from '../yaml.ts';

const SEEDS = 200;
/** Of the goodput that was offered: as good as none or as good as all, hardly ever between. */
const HALF = 0.5;
/** Behind it waits far more than any timeout allows. */
const LONG_PAUSE = 300;

interface Storm {
  readonly perUnit: number;
  readonly timeout: number;
  readonly queue: number | 'unlimited';
  readonly discipline: string;
  readonly policies: string;
  readonly pauseAt: number;
  readonly pause: number;
}

const stormWorld = ({ perUnit, timeout, queue, discipline, policies, pauseAt, pause }: Storm): string =>
  `services: { api: { instances: 1, queue: ${queue}, discipline: ${discipline}, work: ${workLaw('exp')!} } }
traffic: [{ to: api, arrivals: ${arrivalLaw('exp', perUnit)!}, attemptTimeout: ${duration(timeout)} }]
${policies === '' ? '' : `policies: { ${policies} }\n`}${pause === 0 ? '' : `faults: [{ type: pause, target: api/0, at: ${duration(pauseAt)}, for: ${duration(pause)} }]\n`}`;

/** The cases' own words for back-off and budget. */
const BACKOFF = 'full jitter base 5 cap 100';
const BUDGET = '0.1 token per first try, cap 10';

const policiesOf = (policy: string, retries: number): string | undefined => {
  const retry = `retry: { use: immediate, retries: ${retries} }`;
  switch (policy) {
    case 'none':
      return '';
    case 'immediate':
    case 'lifo':
      return retry;
    case 'backoff':
      return `retry: { use: full-jitter, retries: ${retries}, base: ${duration(5)}, cap: ${duration(100)} }`;
    case 'budget':
      return `${retry}, budget: { use: './policies/request-fed-bucket.ts#RequestFedBucket', perRequest: 0.1, capacity: 10 }`;
    default:
      return undefined;
  }
};

/** A pause, and what is left of it long after. The cap counts the request that is served, too, as K does in M/M/1/K. */
const metastable: Adapter = ({ params }) => {
  const [perUnit, timeout, retries, cap, pause, pauseAt, end] = [
    'lam',
    'timeout',
    'max_retries',
    'queue_cap',
    'pause',
    'pause_at',
    'T',
  ].map((key) => numberOf(params, key));
  const policies = policiesOf(textOf(params, 'policy'), retries);
  if (policies === undefined || params.backoff !== BACKOFF || params.budget !== BUDGET) return [];
  const discipline = textOf(params, 'server_discipline').toLowerCase();
  const goodput = ({ series }: CellResult): number => series.columns.ok.at(-1)! / (perUnit * 1000);
  return [
    {
      world: stormWorld({ perUnit, timeout, queue: cap - 1, discipline, policies, pauseAt, pause }),
      perUnit,
      relaxation: 0,
      exactly: { warmup: 0, measured: end, seeds: SEEDS, window: 1000 },
      observe: {
        goodput_ratio_last_1000: perSeed(goodput),
        recovered_fraction: (cells) => {
          const recovered = cells.map((cell) => (goodput(cell) > HALF ? 1 : 0));
          // All or none: the truth may be half a seed away.
          return atLeast(0.5 / SEEDS, { value: meanOf(recovered), se: standardError(recovered), replications: SEEDS });
        },
        attempts_per_request: perSeed(({ metrics }) => metrics.attempts),
      },
    },
  ];
};

/** The low state is where an empty queue leads, the high one where a long one does; nothing stays in the middle. Chance may end a low
 *  state that theory calls stable: where that happens within the run, there is nothing to measure. */
const fixedPoints: Adapter = ({ params, expect }) => {
  const [perUnit, timeout, retries] = ['lam', 'timeout', 'max_retries'].map((key) => numberOf(params, key));
  const isBistable = expect.n_fixed_points?.value === 3;
  const trial = (pause: number, observe: Readers): Trial => ({
    world: stormWorld({
      perUnit,
      timeout,
      queue: 'unlimited',
      discipline: 'fifo',
      policies: policiesOf('immediate', retries)!,
      pauseAt: 0,
      pause,
    }),
    perUnit,
    relaxation: 0,
    exactly: { warmup: 3000, measured: 2000, seeds: 40, window: 1000 },
    observe,
  });
  const load = countPerUnit('attempts');
  const isLost = ({ series }: CellResult): boolean => series.columns.ok.at(-1)! < HALF * perUnit * 1000;
  const ifKept: Reader = (cells, background) => (cells.some(isLost) ? undefined : load(cells, background));
  return [
    trial(0, { effective_load_0: isBistable ? ifKept : load }),
    ...(isBistable ? [trial(LONG_PAUSE, { effective_load_2: load })] : []),
  ];
};

export const storms: Adapters = {
  'metastable retry storm': metastable,
  'retry storm fixed points': fixedPoints,
};
