/** Hash policies, asked for the owner of very many keys: how even shares are, and how many keys move when an endpoint comes or goes. Each
 *  replication has endpoints of other names, so that the table is another sample of all tables. */
import { Streams } from '../../../src/core/streams.ts';
import { EndpointSet } from '../../../src/policies/balancing/endpoint-set.ts';
import { type Balancer, balancers } from '../../../src/policies/balancing/index.ts';
import { defaultsOf } from './pieces.ts';
import { numberOf } from '../cases.ts';
import type { Observation } from '../judgement.ts';
import { meanOf, standardError } from '../readers.ts';
import type { Adapter, Adapters } from '../trial.ts';

interface Key {
  readonly high: number;
  readonly low: number;
}

/** One replication: who owns each key with n endpoints, with one more, and with one less. */
interface Ownership {
  readonly owners: Int32Array;
  readonly withOneMore: Int32Array;
  readonly withOneLess: Int32Array;
}

interface Setup {
  readonly policy: string;
  /** By the number of endpoints. */
  settings?(endpoints: number): Readonly<Record<string, number>>;
  readonly endpoints: number;
  readonly keys: readonly Key[] | ((streams: Streams, replication: number) => readonly Key[]);
  readonly replications: number;
}

function replicate(seed: string, setup: Setup): readonly Ownership[] {
  const { endpoints, keys } = setup;
  const streams = new Streams(seed);
  return Array.from({ length: setup.replications }, (_, replication) => {
    const own = typeof keys === 'function' ? keys(streams, replication) : keys;
    const names = Array.from({ length: endpoints + 1 }, (_each, i) => `${seed}-${replication}-${i}`);
    const ownersAmong = (count: number): Int32Array => ask(balancerOf(setup, names.slice(0, count), streams), own);
    return { owners: ownersAmong(endpoints), withOneMore: ownersAmong(endpoints + 1), withOneLess: ownersAmong(endpoints - 1) };
  });
}

/** Slots are counted up, so an endpoint is the same number in all of them. */
function balancerOf({ policy, settings }: Setup, names: readonly string[], streams: Streams): Balancer {
  const definition = balancers[policy];
  const params = { ...defaultsOf(definition), ...settings?.(names.length) };
  const balancer = definition.create(params, { rng: streams.stream('balancer') });
  const endpoints = new EndpointSet(names.length);
  for (const name of names) endpoints.add(name, {}, 0);
  endpoints.bind(balancer, 0);
  return balancer;
}

function ask(balancer: Balancer, keys: readonly Key[]): Int32Array {
  const context = { nowMs: 0, attempt: 0, previous: -1, hasHash: true, hashHigh: 0, hashLow: 0 };
  return Int32Array.from(keys, ({ high, low }) => {
    context.hashHigh = high;
    context.hashLow = low;
    return balancer.pick(context);
  });
}

/** Keys at even distances all around: as good as infinitely many. */
const evenlySpread = (count: number): readonly Key[] =>
  Array.from({ length: count }, (_, k) => ({ high: Math.floor(((k + 0.5) / count) * 2 ** 32), low: 0 }));

const drawn =
  (count: number) =>
  (streams: Streams, replication: number): readonly Key[] => {
    const rng = streams.stream(`keys ${replication}`);
    return Array.from({ length: count }, () => ({ high: rng.uint32(), low: rng.uint32() }));
  };

const over = (samples: readonly Ownership[], pick: (sample: Ownership) => number): Observation => {
  const values = samples.map(pick);
  return { value: meanOf(values), se: standardError(values), replications: values.length };
};

/** Root of the mean square over replications, with its error by the rule for roots. */
function rootMeanSquare(samples: readonly Ownership[], pick: (sample: Ownership) => number): Observation {
  const { value, se = 0, replications } = over(samples, (sample) => pick(sample) ** 2);
  return { value: Math.sqrt(value), se: se / (2 * Math.sqrt(value)), replications: replications ?? samples.length };
}

const counts = ({ owners }: Ownership, endpoints: number): readonly number[] => {
  const result = Array.from({ length: endpoints }, () => 0);
  for (const owner of owners) result[owner]++;
  return result;
};

const relative = (sample: Ownership, endpoints: number): readonly number[] =>
  counts(sample, endpoints).map((count) => (count * endpoints) / sample.owners.length);

const variation = (endpoints: number) => (sample: Ownership) =>
  Math.sqrt(meanOf(relative(sample, endpoints).map((share) => (share - 1) * (share - 1))));

const moved = (from: Int32Array, to: Int32Array): number => from.filter((owner, key) => owner !== to[key]).length / from.length;

const movement = (samples: readonly Ownership[]): Record<string, Observation> => ({
  moved_on_add: over(samples, ({ owners, withOneMore }) => moved(owners, withOneMore)),
  moved_on_remove: over(samples, ({ owners, withOneLess }) => moved(owners, withOneLess)),
});

const ring: Adapter = ({ id, params }, { seed }) => {
  const [endpoints, points] = ['n', 'vnodes'].map((key) => numberOf(params, key));
  const keys = evenlySpread(Math.max(65_536, 16 * endpoints * points));
  const samples = replicate(`${seed} ${id}`, {
    policy: 'ring-hash',
    // The ring is told its least size as a whole and rounds each endpoint's part up; the case gives the points of each endpoint.
    settings: (count) => ({ minimumRingSize: Math.ceil(count * (points - 0.5)) }),
    endpoints,
    keys,
    replications: Math.max(12, Math.min(200, Math.round(1e7 / keys.length))),
  });
  return [
    {
      answers: {
        cv_of_share: rootMeanSquare(samples, variation(endpoints)),
        mean_max_over_mean: over(samples, (sample) => Math.max(...relative(sample, endpoints))),
        mean_min_over_mean: over(samples, (sample) => Math.min(...relative(sample, endpoints))),
        ...movement(samples),
      },
    },
  ];
};

const modulo: Adapter = ({ id, params }, { seed }) => {
  const endpoints = numberOf(params, 'n');
  const samples = replicate(`${seed} ${id}`, { policy: 'modulo-hash', endpoints, keys: drawn(20_000), replications: 40 });
  return [{ answers: movement(samples) }];
};

const rendezvous: Adapter = ({ id, params }, { seed }) => {
  const endpoints = numberOf(params, 'n');
  const samples = replicate(`${seed} ${id}`, { policy: 'rendezvous', endpoints, keys: drawn(100_000), replications: 40 });
  return [{ answers: { ...movement(samples), cv_of_keys_at_1e5_keys: rootMeanSquare(samples, variation(endpoints)) } }];
};

/** A key for each place of the table. */
const maglev: Adapter = ({ id, params }, { seed }) => {
  const [endpoints, places] = ['N', 'M'].map((key) => numberOf(params, key));
  const samples = replicate(`${seed} ${id}`, {
    policy: 'maglev',
    settings: () => ({ tableSize: places }),
    endpoints,
    keys: Array.from({ length: places }, (_, low) => ({ high: 0, low })),
    replications: Math.max(12, Math.min(200, Math.round(4e6 / places))),
  });
  const unavoidable = (sample: Ownership): number => counts(sample, endpoints)[endpoints - 1] / places;
  return [
    {
      answers: {
        max_entries_minus_min: over(
          samples,
          (sample) => Math.max(...counts(sample, endpoints)) - Math.min(...counts(sample, endpoints)),
        ),
        unavoidable_fraction: { value: over(samples, unavoidable).value },
        extra_disruption_fraction: over(samples, (sample) => moved(sample.owners, sample.withOneLess) - unavoidable(sample)),
      },
    },
  ];
};

export const hashing: Adapters = {
  'hash ring share imbalance': ring,
  'modulo hash': modulo,
  'jump / rendezvous hash': rendezvous,
  'Maglev table': maglev,
};
