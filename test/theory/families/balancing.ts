/** Several instances behind one balancer. JSQ is least-request with a full scan, whose ties are broken at random; d distinct choices are
 *  jsq-d, and two of them p2c. */
import { type Case, numberOf, textOf } from '../cases.ts';
import {
  meanOf,
  metric,
  perSeed,
  type Reader,
  type Readers,
  shareWithAtLeast,
  standard,
  standardError,
  time,
  varianceOver,
} from '../readers.ts';
import { type Adapter, type Adapters, memory, queueWorld, type Trial } from '../trial.ts';
import { variabilityOf } from './single-queue.ts';
import { arrivalLaw, digits, duration, workLaw } from '../yaml.ts';

const balancers = {
  random: 'random',
  rr: 'round-robin',
  jsq: '{ use: least-request, selectionMethod: full-scan }',
  jiq: 'join-idle-queue',
  weighted: 'weighted-random',
} as const;

const choices = (d: number): string => (d === 1 ? balancers.random : d === 2 ? 'p2c' : `{ use: jsq-d, d: ${d} }`);

/** Stands for infinitely many. */
const MANY = 500;

interface Pool {
  readonly instances: number | string;
  readonly count: number;
  readonly perUnit: number;
  /** Of the busiest instance. */
  readonly load: number;
  readonly balancer: string;
  readonly work?: string;
  readonly observe?: Readers;
  readonly looks?: number;
  /** Whether instances help each other out, so that the pool forgets as one. */
  readonly isPooled?: boolean;
}

function pool({
  instances,
  count,
  perUnit,
  load,
  balancer,
  work = 'exp',
  observe = {},
  looks,
  isPooled = false,
}: Pool): readonly Trial[] {
  const workText = workLaw(work);
  if (workText === undefined) return [];
  const alone = memory(load, { variability: variabilityOf(work) });
  return [
    {
      world: queueWorld({ instances, arrivals: arrivalLaw('exp', perUnit)!, work: workText, balancer }),
      perUnit,
      // Together they forget as one large queue does, but for what evens out between them.
      relaxation: isPooled ? 5 + alone / count + 2 / (1 - load) : alone,
      parts: balancer === balancers.jsq ? 1 : isPooled ? Math.max(1, count / 3) : count,
      cost: balancer === balancers.jsq ? 1 + count / 20 : 1,
      ...(looks === undefined ? {} : { looks }),
      observe: { ...standard, mean_in_system_per_server: metric('inSystem.mean', 1 / count), ...observe },
    },
  ];
}

const alike = ({ params }: Case, balancer: string, isPooled: boolean, observe: Readers = {}): readonly Trial[] => {
  const count = numberOf(params, 'n');
  const load =
    'rho' in params
      ? numberOf(params, 'rho')
      : 'lam_total' in params
        ? numberOf(params, 'lam_total') / count
        : numberOf(params, 'lam_per_server');
  const work = typeof params.service === 'string' ? params.service : 'exp';
  return pool({ instances: count, count, perUnit: load * count, load, balancer, work, isPooled, observe });
};

/** Each instance behind a rotation is a queue of its own; sigma is the probability that a request waits. */
const roundRobin: Adapter = (each) => alike(each, balancers.rr, false, { sigma: standard.prob_wait });
const shortestQueue: Adapter = (each) => alike(each, balancers.jsq, true);
const randomSplit: Adapter = (each) => alike(each, balancers.random, false);

const idleQueue: Adapter = (each) => alike(each, balancers.jiq, true);
const distinctChoices: Adapter = (each) => alike(each, choices(numberOf(each.params, 'd')), true);

const ranking: Adapter = (each) => {
  switch (textOf(each.params, 'policy')) {
    case 'random':
      return alike(each, balancers.random, false);
    case 'rr':
      return alike(each, balancers.rr, false);
    case 'jsqd':
      return alike(each, choices(2), true);
    case 'jiq':
      return alike(each, balancers.jiq, true);
    case 'jsq':
      return alike(each, balancers.jsq, true);
    case 'central': {
      const count = numberOf(each.params, 'n');
      const perUnit = numberOf(each.params, 'rho') * count;
      const work = workLaw(textOf(each.params, 'service'));
      if (work === undefined) return [];
      const world = queueWorld({ arrivals: arrivalLaw('exp', perUnit)!, work, slots: count });
      return [
        {
          world,
          perUnit,
          relaxation: memory(numberOf(each.params, 'rho'), { servers: count, variability: variabilityOf(each.params.service) }),
          observe: standard,
        },
      ];
    }
    default:
      return [];
  }
};

const meanField: Adapter = ({ params }) => {
  const d = numberOf(params, 'd');
  const load = numberOf(params, 'lam_per_server');
  const count = d === 1 ? 1 : MANY;
  const tails = Object.fromEntries([1, 2, 3, 5].map((k) => [`tail_ge_${k}`, shareWithAtLeast(k)]));
  return pool({
    instances: count,
    count,
    perUnit: load * count,
    load,
    balancer: choices(d),
    looks: d === 1 ? 2000 : 50,
    isPooled: d > 1,
    observe: tails,
  });
};

/** An instance that falls idle tells the dispatcher that it has just answered, which is as good as one at random. */
const idleQueues: Adapter = ({ params }) => {
  const [count, dispatchers, load] = ['n', 'm', 'lam_per_server'].map((key) => numberOf(params, key));
  const balancer = '{ use: join-idle-queue, idleFrom: reports }';
  const arrivals = `${arrivalLaw('exp', load * count)!}\n    balancers: ${dispatchers}`;
  return [
    {
      world: queueWorld({ instances: count, arrivals, work: workLaw('exp')!, balancer }),
      perUnit: load * count,
      relaxation: 5 + 2 / (1 - load),
      observe: { mean_sojourn: time('latency.mean') },
    },
  ];
};

/** The published table has n, d and the load per server. */
const published: Adapter = ({ params }) => {
  const [count, load, d] = ['n', 'lam', 'd'].map((key) => numberOf(params, key));
  return pool({ instances: count, count, perUnit: load * count, load, balancer: choices(d), isPooled: true });
};

/** JSQ is told nothing of speeds; weighted random gets weights in proportion to them. */
const twoSpeeds: Adapter = ({ params }) => {
  const speeds = params.mu as readonly number[];
  const perUnit = numberOf(params, 'lam');
  const mean = time('latency.mean');
  return [
    ...unalike(speeds, perUnit, balancers.jsq, { jsq_mean_sojourn: mean }),
    ...unalike(speeds, perUnit, balancers.weighted, { weighted_random_mean_sojourn: mean }),
  ].map((trial) => ({ ...trial, observe: onlyOwn(trial.observe) }));
};

/** Without the metrics every queue has, which would come from whichever trial ran last. */
const onlyOwn = (observe: Readers): Readers =>
  Object.fromEntries(Object.entries(observe).filter(([name]) => /^(jsq|weighted)_/.test(name)));

const weightedSplit: Adapter = ({ params }) =>
  unalike(params.speeds as readonly number[], numberOf(params, 'lam'), balancers.weighted, {
    // Each instance is equally busy when shares follow speeds.
    utilization: metric('utilization.mean'),
  });

const manySpeeds: Adapter = ({ params }) => {
  const speeds = textOf(params, 'speeds').split(',').map(Number);
  const perUnit = numberOf(params, 'lam');
  const policy = textOf(params, 'policy');
  if (policy === 'jsq') return unalike(speeds, perUnit, balancers.jsq);
  if (policy !== 'random') return [];
  return unalike(speeds, perUnit, params.weights === 'none' ? balancers.random : balancers.weighted);
};

function unalike(speeds: readonly number[], perUnit: number, balancer: string, observe: Readers = {}): readonly Trial[] {
  const total = speeds.reduce((sum, speed) => sum + speed, 0);
  const slowest = Math.min(...speeds);
  const load = balancer === balancers.random ? perUnit / speeds.length / slowest : perUnit / total;
  const groups = speeds.map(
    (speed) => `{ speed: ${digits(speed)}${balancer === balancers.weighted ? `, weight: ${digits(speed)}` : ''} }`,
  );
  const trials = pool({ instances: `[${groups.join(', ')}]`, count: speeds.length, perUnit, load, balancer, observe });
  return trials.map((trial) => ({ ...trial, relaxation: trial.relaxation / slowest }));
}

/** n balls at even intervals, and nothing leaves: the fullest bin. */
const bins: Adapter = ({ params }) => {
  const count = numberOf(params, 'n');
  const balls = numberOf(params, 'balls');
  const balancer = choices(numberOf(params, 'd'));
  const world = queueWorld({ instances: count, arrivals: arrivalLaw('det', balls / 1000)!, work: duration(1e6), balancer });
  return [
    {
      world,
      perUnit: balls / 1000,
      relaxation: 0,
      exactly: { warmup: 0, measured: 1000, seeds: 40, window: 500 },
      observe: { mean_max_load: perSeed(({ instances }) => Math.max(...instances.map(({ queued }) => queued.at(-1)!))) },
    },
  ];
};

const compared: Readonly<Record<string, string>> = {
  random: balancers.random,
  rr: balancers.rr,
  jsq: balancers.jsq,
  jsq2: choices(2),
};

/** Two balancers on the same worlds: how much less their difference varies than that of two on worlds of their own. */
const commonNumbers: Adapter = ({ params }, effort) => {
  const [a, b] = [compared[textOf(params, 'a')], compared[textOf(params, 'b')]];
  if (a === undefined || b === undefined) return [];
  const count = numberOf(params, 'n');
  const perUnit = numberOf(params, 'rho') * count;
  const measured = numberOf(params, 'requests') / perUnit;
  const seeds = Math.min(numberOf(params, 'reps'), Math.max(40, Math.round(effort.requests[1] / numberOf(params, 'requests'))));
  const world = queueWorld({
    instances: count,
    arrivals: arrivalLaw('exp', perUnit)!,
    work: workLaw('exp')!,
    more: `compare: { balancer: [${a}, ${b}] }\n`,
  });
  const observe = {
    mean_sojourn_difference: difference('latency.mean'),
    variance_reduction_mean: varianceReduction('latency.mean'),
    variance_reduction_p99: varianceReduction('latency.p99'),
  };
  return [{ world, perUnit, relaxation: 0, exactly: { warmup: measured / 10, measured, seeds, window: measured / 10 }, observe }];
};

const pairs = (name: string, variants: Parameters<Reader>[1]['variants']): readonly (readonly number[])[] =>
  variants.map((cells) => cells.map(({ metrics }) => metrics[name] / 10));

const difference =
  (name: string): Reader =>
  (_cells, { variants }) => {
    const [a, b] = pairs(name, variants);
    const differences = a.map((value, seed) => value - b[seed]);
    return { value: meanOf(differences), se: standardError(differences), replications: differences.length };
  };

/** (Var a + Var b) / Var(a − b). Its error is that of leaving out one seed at a time (jackknife). */
const varianceReduction =
  (name: string): Reader =>
  (_cells, { variants }) => {
    const [a, b] = pairs(name, variants);
    const ratio = (skip: number): number => {
      const kept = (values: readonly number[]): readonly number[] => values.filter((_, seed) => seed !== skip);
      const apart = varianceOver(kept(a)) + varianceOver(kept(b));
      return apart / varianceOver(kept(a.map((value, seed) => value - b[seed])));
    };
    const each = a.map((_, seed) => ratio(seed));
    const n = each.length;
    return { value: ratio(-1), se: Math.sqrt(((n - 1) * (n - 1) * varianceOver(each)) / n), replications: n };
  };

export const balancing: Adapters = {
  'round robin = E_n/M/1': roundRobin,
  'sim round robin': roundRobin,
  'JSQ = least connections (FIFO or PS, same mean)': shortestQueue,
  'sim JSQ': shortestQueue,
  'JSQ / least connections finite n': shortestQueue,
  'JSQ(d) finite n, d distinct servers': distinctChoices,
  'JSQ(d) mean field (n->inf)': meanField,
  'JIQ, random when none idle': idleQueue,
  'sim JIQ': idleQueue,
  'JIQ finite n, one dispatcher, random when none idle': idleQueue,
  'JIQ-Random, m dispatchers, large system': idleQueues,
  'random routing = n independent M/M/1': randomSplit,
  'weighted random, heterogeneous speeds': weightedSplit,
  'policy ranking n=10': ranking,
  'published simulation': published,
  'heterogeneous 2 servers': twoSpeeds,
  'heterogeneous speeds 5x1.6+5x0.4': manySpeeds,
  'balls into bins (static)': bins,
  'common random numbers': commonNumbers,
};

/** General laws behind a rotation come with the single queues of general laws. */
export const rotationOfGeneralWork: Adapter = roundRobin;
