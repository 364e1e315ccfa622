/** One instance: FIFO queues with one or several slots, finite queues, deadlines, batches, general laws. */
import { type Case, numberOf, textOf } from '../cases.ts';
import {
  metric,
  perSeed,
  perUnit as countPerUnit,
  quantile,
  type Readers,
  share,
  shareEmpty,
  shareWithAtLeast,
  standard,
  time,
  variance,
} from '../readers.ts';
import { type Adapter, type Adapters, memory, queueWorld, type Trial } from '../trial.ts';
import { arrivalLaw, duration, rate as rateText, workLaw } from '../yaml.ts';

interface Station {
  readonly arrivals?: string;
  readonly work?: string;
  readonly perUnit: number;
  readonly slots?: number;
  readonly queue?: number;
  readonly variability?: number;
  readonly observe?: Readers;
  readonly discipline?: string;
  readonly timeout?: number;
  readonly looks?: number;
}

/** Nothing when one of its laws cannot be written down. */
function station({ arrivals = 'exp', work = 'exp', slots = 1, ...rest }: Station): readonly Trial[] {
  const arrivalText = arrivalLaw(arrivals, rest.perUnit);
  const workText = workLaw(work);
  if (arrivalText === undefined || workText === undefined) return [];
  const load = rest.perUnit / slots;
  const places = slots + (rest.queue ?? Infinity);
  return [
    {
      world: queueWorld({
        arrivals: arrivalText,
        work: workText,
        slots,
        ...(rest.queue === undefined ? {} : { queue: rest.queue }),
        ...(rest.discipline === undefined ? {} : { discipline: rest.discipline }),
        ...(rest.timeout === undefined ? {} : { timeout: rest.timeout }),
      }),
      perUnit: rest.perUnit,
      // A bounded queue cannot remember more than it holds.
      relaxation: Math.min(
        memory(Math.min(load, 1 / load), { servers: slots, variability: rest.variability ?? 1 }),
        3 + (places * places) / (4 * slots),
      ),
      ...(rest.looks === undefined ? {} : { looks: rest.looks }),
      observe: { ...standard, ...queueLength(slots), ...rest.observe },
    },
  ];
}

/** Waiting, that is in the system and not in service, over time; and how many are in service. */
const queueLength = (slots: number): Readers => ({
  mean_in_queue: perSeed(({ metrics }) => metrics['inSystem.mean'] - slots * metrics['utilization.mean']),
  mean_busy: metric('utilization.mean', slots),
});

const lossless = ({ params }: Case): readonly Trial[] => {
  const slots = 'c' in params ? numberOf(params, 'c') : 1;
  const perUnit = 'lam' in params ? numberOf(params, 'lam') : slots * numberOf(params, 'rho');
  const waitOfThoseWhoWait = perSeed(({ metrics }) => metrics['wait.mean'] / metrics['wait.share'] / 10);
  return station({ perUnit, slots, observe: { mean_wait_given_wait: waitOfThoseWhoWait, erlang_c: standard.prob_wait } });
};

/** The probability that all servers are busy, which M/M/c cases quote beside the rest, belongs to the system without a queue. */
const withErlangB: Adapter = (each) => [
  ...lossless(each),
  ...station({
    perUnit: numberOf(each.params, 'lam'),
    slots: numberOf(each.params, 'c'),
    queue: 0,
    observe: { erlang_b: standard.loss_prob },
  }).map((trial) => only(trial, ['erlang_b'])),
];

export const generalQueue: Adapter = ({ params }) => {
  const common = {
    arrivals: typeof params.arrival === 'string' ? params.arrival : 'exp',
    work: textOf(params, 'service'),
    perUnit: 'lam' in params ? numberOf(params, 'lam') : numberOf(params, 'rho') * ('c' in params ? numberOf(params, 'c') : 1),
    slots: 'c' in params ? numberOf(params, 'c') : 1,
    variability: Math.max(variabilityOf(params.arrival), variabilityOf(params.service)),
  };
  return station(common);
};

const generalWithLifo: Adapter = (each, effort) => [
  ...generalQueue(each, effort),
  ...station({
    work: textOf(each.params, 'service'),
    perUnit: numberOf(each.params, 'lam'),
    variability: variabilityOf(each.params.service),
    discipline: 'lifo',
    observe: { var_wait_lcfs: variance('wait') },
  }).map((trial) => only(trial, ['var_wait_lcfs'])),
];

/** How much longer than exponential work this law is remembered: by its squared coefficient of variation, and more where the tail is
 *  heavier than that shows. */
export function variabilityOf(law: unknown): number {
  const [name, parameter = ''] = String(law).split('-');
  const scv = Number(parameter.replace('scv', ''));
  if (name === 'pareto') return scv < 3 ? 60 : 10;
  if (name === 'weibull') return scv < 1 ? 8 : 1;
  if (name === 'lognormal') return 1 + scv;
  return name === 'h2' ? (1 + scv) * 0.7 : 1;
}

/** K counts requests in service too. Any law gives the same loss where nobody waits; one that is far from exponential says more. */
const lossSystem: Adapter = ({ params }) =>
  station({
    work: 'lognormal-scv4',
    perUnit: numberOf(params, 'lam'),
    slots: numberOf(params, 'c'),
    queue: numberOf(params, 'K') - numberOf(params, 'c'),
  });

const finiteQueue: Adapter = ({ params }) =>
  station({
    perUnit: numberOf(params, 'lam'),
    slots: numberOf(params, 'c'),
    queue: numberOf(params, 'K') - numberOf(params, 'c'),
    looks: 2000,
    observe: {
      p0: shareEmpty,
    },
  });

const deadline: Adapter = ({ params }) =>
  params.cancel === false
    ? station({
        perUnit: numberOf(params, 'lam'),
        timeout: numberOf(params, 'timeout'),
        observe: { timeout_prob: share('failures.timeout'), goodput: countPerUnit('ok') },
      })
    : [];

const batches: Adapter = ({ params }) => {
  const size = numberOf(params, 'batch');
  const perUnit = numberOf(params, 'batch_rate') * size;
  const arrivals = `{ type: batch, rate: ${rateText(perUnit)}, size: ${size} }`;
  const relaxation = memory(perUnit, { variability: size });
  return [{ world: queueWorld({ arrivals, work: workLaw('exp')! }), perUnit, relaxation, observe: standard }];
};

/** D/M/1 and H2/M/1: sigma is the probability that an arrival finds the server busy. */
const oneServer =
  (arrivals: string, variability: number): Adapter =>
  (each) =>
    station({ arrivals, perUnit: numberOf(each.params, 'rho'), variability, observe: { sigma: standard.prob_wait } });

const modulated: Adapter = ({ params }) => {
  const state = (k: number): { rate: number; stay: number } => ({
    rate: numberOf(params, `rate_state${k}`),
    stay: 1 / numberOf(params, `leave${k}`),
  });
  const states = [state(1), state(2)];
  const slots = numberOf(params, 'c');
  const stays = states.reduce((sum, { stay }) => sum + stay, 0);
  const perUnit = states.reduce((sum, each) => sum + each.rate * each.stay, 0) / stays;
  const written = states.map((each) => `{ rate: ${rateText(each.rate)}, mean: ${duration(each.stay)} }`).join(', ');
  // A crowded state leaves work behind that lasts several stays.
  const relaxation = memory(perUnit / slots, { servers: slots }) + 8 * stays;
  const world = queueWorld({ arrivals: `{ type: mmpp, states: [${written}] }`, work: workLaw('exp')!, slots });
  return [{ world, perUnit, relaxation, observe: { ...standard, mean_rate: countPerUnit('offered') } }];
};

/** Many servers, so close to full that about Φ of them wait: c = 400 stands for the limit. Otherwise the fewest servers that keep a promise,
 *  and how well they keep it; that one less would not is another case's question. */
const manyServers: Adapter = ({ params, expect }) => {
  if ('offered' in params) {
    const slots = expect.min_servers.value!;
    const perUnit = numberOf(params, 'offered');
    return 'target_loss' in params
      ? station({ perUnit, slots, queue: 0, observe: { erlang_b_at_min: standard.loss_prob } })
      : station({ perUnit, slots, observe: { erlang_c_at_min: standard.prob_wait } });
  }
  if (!('beta' in params)) return [];
  const slots = 400;
  const perUnit = slots - numberOf(params, 'beta') * Math.sqrt(slots);
  return station({ perUnit, slots, observe: { prob_wait_limit: standard.prob_wait } });
};

/** Processor sharing knows no waiting; its mean is the same for every law, and its spread is quoted for exponential work. */
const sharing: Adapter = ({ params }) => {
  const slots = 'c' in params ? numberOf(params, 'c') : 1;
  const perUnit = numberOf(params, 'lam');
  const trialOf = (law: string, observe: Readers): Trial => ({
    world: queueWorld({ arrivals: arrivalLaw('exp', perUnit)!, work: workLaw(law)!, slots, discipline: 'processor-sharing' }),
    perUnit,
    relaxation: memory(perUnit / slots, { servers: slots, variability: 2 }),
    cost: 1.5,
    looks: 2000,
    observe,
  });
  return [
    trialOf('h2-scv4', {
      mean_sojourn: time('latency.mean'),
      mean_in_system: metric('inSystem.mean'),
      p_n_ge_5: shareWithAtLeast(5),
      p_n_ge_10: shareWithAtLeast(10),
      prob_all_busy: shareWithAtLeast(slots),
      prob_idle: shareEmpty,
    }),
    trialOf('exp', {
      var_sojourn_exp: variance('latency'),
      p50_sojourn: quantile('latency', 0.5),
      p90_sojourn: quantile('latency', 0.9),
      p99_sojourn: quantile('latency', 0.99),
      p999_sojourn: quantile('latency', 0.999),
    }),
  ];
};

const only = (trial: Trial, metrics: readonly string[]): Trial => ({
  ...trial,
  observe: Object.fromEntries(Object.entries(trial.observe).filter(([name]) => metrics.includes(name))),
});

export const singleQueue: Adapters = {
  'M/M/1': lossless,
  'M/M/c': withErlangB,
  'sim M/M/1': lossless,
  'sim M/M/c': lossless,
  'M/G/c/c loss': lossSystem,
  'M/M/c/K': finiteQueue,
  'M/M/1 deadline': deadline,
  'M^[b]/M/1': batches,
  'M/G/1 FIFO': generalWithLifo,
  'sim M/G/1': generalQueue,
  'M/D/1': generalQueue,
  'M/D/c': generalQueue,
  'D/M/1': oneServer('det', 1),
  'H2/M/1': oneServer('h2-scv4', 2.5),
  'MMPP(2)/M/c bursty arrivals': modulated,
  staffing: manyServers,
  'M/G/1-PS': sharing,
  'M/G/c-PS': sharing,
  'M/M/c-PS sojourn quantiles': sharing,
};
