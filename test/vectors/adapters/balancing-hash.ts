/** Kinds about hashing: the functions, rings, tables, and bounded loads. */
import { xxHash64 } from '../../../src/policies/balancing/hashes/xxhash64.ts';
import { utf8 } from '../../../src/core/hash.ts';
import { haproxyHash, type HaproxyHashName, haproxyHashNames } from '../../../src/policies/balancing/hashes/hash32.ts';
import { crc32 } from '../../../src/policies/shared/crc32.ts';
import { murmurHash2, murmurHash3OfPair } from '../../../src/policies/balancing/hashes/murmur.ts';
import type { Hash64 } from '../../../src/policies/balancing/hashes/u64.ts';
import { ketama, moduloHash, sourceIpHash } from '../../../src/policies/balancing/index.ts';
import { grpcChoiceCount } from '../../../src/policies/balancing/least-request.ts';
import { envoyPreference, envoyTable, katranPreference, maglev, maglevPlace } from '../../../src/policies/balancing/maglev.ts';
import { nginxHashStep, RangeHash } from '../../../src/policies/balancing/modulo-hash.ts';
import { ringHash } from '../../../src/policies/balancing/ring-hash.ts';
import { HashRing } from '../../../src/policies/balancing/parts/hash-ring.ts';
import { HaproxyRing } from '../../../src/policies/balancing/parts/haproxy-ring.ts';
import { envoySlots, haproxySlots } from '../../../src/policies/balancing/parts/load-bounds.ts';
import {
  fillByCumulatedWeights,
  fillByFirstRound,
  fillByShares,
  preferredPlaces,
} from '../../../src/policies/balancing/parts/maglev-table.ts';
import { OverflowOrder } from '../../../src/policies/balancing/parts/overflow-order.ts';
import { grpcRingSizes } from '../../../src/policies/balancing/ring-hash.ts';
import { BucketHash, ipvsLegacyHash } from '../../../src/policies/balancing/source-ip-hash.ts';
import { type Adapters, NotCovered } from '../vector-file.ts';
import { Script, Stage } from './stage.ts';

interface Host {
  readonly key: string;
  readonly weight?: number;
  readonly normalizedWeight?: number;
}

interface HostsInput {
  readonly algorithm?: string;
  readonly hashFunction?: string;
  readonly hosts?: readonly Host[];
  readonly hostCount?: number;
  readonly keyTemplate?: string;
  readonly localities?: readonly { readonly weight: number; readonly hosts: readonly [number, number] }[];
  readonly minimumRingSize: number;
  readonly maximumRingSize: number;
  readonly tableSize: number;
}

interface HashPickInput {
  readonly algorithm: string;
  readonly weights?: readonly number[];
  readonly servers?: readonly {
    readonly id?: number;
    readonly server?: string;
    readonly weight: number;
    readonly down?: boolean;
  }[];
  readonly down?: readonly number[];
  readonly fallback?: boolean;
  readonly hashFunction?: HaproxyHashName;
  readonly avalanche?: boolean;
  readonly keys: readonly string[];
}

export const hashAdapters: Adapters = {
  hash: (input: {
    readonly fn: string;
    readonly seed?: string;
    readonly utf8?: string;
    readonly a?: string;
    readonly b?: string;
  }) => {
    const text = input.utf8 ?? '';
    const haproxy = haproxyHashNames.find((name) => input.fn === `haproxy-${name}`);
    if (haproxy !== undefined) {
      return { u32: String(haproxyHash(haproxy, text)), u32Avalanche: String(haproxyHash(haproxy, text, true)) };
    }
    switch (input.fn) {
      case 'xxh64':
        return { u64: decimal(xxHash64(text, Number(input.seed ?? '0'))) };
      case 'murmur2-64':
        return { u64: decimal(murmurHash2(text, Number(input.seed))) };
      case 'katran-murmur3-x64-64':
        return { u64: decimal(murmurHash3OfPair(halves(input.a!), halves(input.b!), Number(input.seed))) };
      case 'crc32':
      case 'nginx-crc32':
        return { u32: String(crc32(utf8(text))) };
      default:
        throw new NotCovered(input.fn);
    }
  },

  'ring-build': (input: HostsInput) => {
    const { ring, hostOf } = ringOf(input);
    const entries = Array.from({ length: ring.size }, (_, at) => {
      const point = ring.point(at);
      return { hash: decimal(point), host: hostOf[point.owner], index: point.ordinal };
    });
    return { ...summary(ring), entries };
  },

  'ring-build-summary': (input: HostsInput) => {
    const { ring, hostOf } = ringOf(input);
    const points = Array.from({ length: ring.size }, (_, at) => ring.point(at));
    const nonZeroHostEntries = points
      .map((point) => ({ hash: decimal(point), host: hostOf[point.owner] }))
      .filter(({ host }) => host !== 0);
    return { ...summary(ring), nonZeroHostEntries };
  },

  'ring-pick': (input: HostsInput & { readonly picks: readonly { readonly hash: string; readonly attempt?: number }[] }) => {
    const { ring, hostOf } = ringOf(input);
    return {
      hosts: input.picks.map(({ hash, attempt }) => {
        const { high, low } = halves(hash);
        return hostOf[ring.owner(high, low, attempt ?? 0)];
      }),
    };
  },

  'ring-distribution': (input: HostsInput & { readonly probes: number }) => {
    const { ring, hostOf } = ringOf(input);
    const counts = hostOf.map(() => 0);
    const step = (2n ** 64n - 1n) / BigInt(input.probes);
    for (let i = 0n; i < input.probes; i++) {
      const { high, low } = halves(i * step);
      counts[hostOf[ring.owner(high, low)]]++;
    }
    return { ...summary(ring), counts };
  },

  'maglev-table': (input: HostsInput) => {
    const { keys, shares } = hostsOf(input);
    const table = [...envoyTable(keys, shares, input.tableSize)];
    const permutation = keys.map((key, host) => ({ host, ...envoyPreference(key, input.tableSize) }));
    return { table, permutation, ...entriesPerHost(table, keys.length) };
  },

  'maglev-summary': (input: HostsInput) => {
    const { keys, shares } = hostsOf(input);
    return entriesPerHost([...envoyTable(keys, shares, input.tableSize)], keys.length);
  },

  'maglev-pick': (input: HostsInput & { readonly picks: readonly { readonly hash: string; readonly attempt?: number }[] }) => {
    const { keys, shares } = hostsOf(input);
    const table = envoyTable(keys, shares, input.tableSize);
    return {
      hosts: input.picks.map(({ hash, attempt }) => {
        const { high, low } = halves(hash);
        return table[maglevPlace(high, low, attempt ?? 0, input.tableSize)];
      }),
    };
  },

  'maglev-permutation': (input: {
    readonly tableSize: number;
    readonly before: readonly (readonly [number, number])[];
    readonly after: readonly (readonly [number, number])[];
  }) => {
    const preferences = (pairs: readonly (readonly [number, number])[]) => pairs.map(([offset, skip]) => ({ offset, skip }));
    const fill = (pairs: readonly (readonly [number, number])[]): number[] => [
      ...fillByShares(
        preferences(pairs),
        pairs.map(() => 1),
        input.tableSize,
      ),
    ];
    return {
      permutations: preferences(input.before).map((preference) => preferredPlaces(preference, input.tableSize)),
      tableBefore: fill(input.before),
      tableAfterB0B2: fill(input.after),
    };
  },

  'katran-ring': (input: {
    readonly ringSize: number;
    readonly endpoints: readonly { readonly num: number; readonly weight: number; readonly hash: string }[];
  }) => {
    const preferences = input.endpoints.map(({ hash }) => katranPreference(halves(hash), input.ringSize));
    const weights = input.endpoints.map(({ weight }) => weight);
    const numbered = (table: Int32Array): number[] => Array.from(table, (index) => input.endpoints[index].num);
    const v1 = numbered(fillByFirstRound(preferences, weights, input.ringSize));
    const v2 = numbered(fillByCumulatedWeights(preferences, weights, input.ringSize));
    const countsOf = (table: readonly number[]): number[] =>
      input.endpoints.map(({ num }) => table.filter((entry) => entry === num).length);
    return { v1, v2, v1Counts: countsOf(v1), v2Counts: countsOf(v2) };
  },

  'katran-spread': (input: { readonly ringSize: number }) => {
    const spread = (fill: typeof fillByFirstRound, weights: readonly number[]): number => {
      const preferences = weights.map((_, i) => katranPreference({ high: 0, low: i }, input.ringSize));
      const { minEntriesPerHost, maxEntriesPerHost } = entriesPerHost(
        [...fill(preferences, weights, input.ringSize)],
        weights.length,
      );
      return maxEntriesPerHost - minEntriesPerHost;
    };
    return {
      equal400: spread(
        fillByFirstRound,
        Array.from({ length: 400 }, () => 1),
      ),
      v1_211: spread(fillByFirstRound, [2, 1, 1]),
      v2_211: spread(fillByCumulatedWeights, [2, 1, 1]),
    };
  },

  'bounded-load-order': (input: { readonly hash: string; readonly hosts: number }) => {
    const order = new OverflowOrder();
    order.start(input.hosts, halves(input.hash).low);
    return { order: Array.from({ length: input.hosts }, (_, i) => order.nextOf(i, input.hosts)) };
  },

  'bounded-load-pick': (input: {
    readonly hosts: number;
    readonly hash: string;
    readonly overloadFactors: Readonly<Record<string, number>>;
  }) => ({
    pick: new OverflowOrder().choose(
      Number(BigInt(input.hash) % BigInt(input.hosts)),
      input.hosts,
      halves(input.hash).low,
      (host) => input.overloadFactors[host] ?? 0.5,
    ),
  }),

  'bounded-load-slots': (input: {
    readonly overallActive: number;
    readonly hashBalanceFactor: number;
    readonly normalizedWeight: number;
  }) => ({ slots: envoySlots(input.overallActive, input.hashBalanceFactor, input.normalizedWeight) }),

  'bounded-load-slots-haproxy': (input: {
    readonly served: number;
    readonly factor: number;
    readonly weights: readonly number[];
  }) => {
    const total = input.weights.reduce((sum, weight) => sum + weight, 0);
    let before = 0;
    const slots = input.weights.map((weight) => {
      const own = haproxySlots(input.served, input.factor, weight, before, total);
      before += weight;
      return own;
    });
    return { slots };
  },

  'hash-pick': (input: HashPickInput) => ({
    picks: input.keys.map(hashPicker(input)).map((pick) => (pick === -1 ? null : pick)),
  }),

  'config-validation': (input: {
    readonly policy: string;
    readonly config?: { readonly tableSize: number };
    readonly configs?: readonly {
      readonly minRingSize?: number;
      readonly maxRingSize?: number;
      readonly choiceCount?: number;
    }[];
  }) => {
    if (input.policy === 'least_request') {
      const counts = input.configs!.map(({ choiceCount }) => grpcChoiceCount(choiceCount));
      return { results: counts.map((choiceCount) => (choiceCount === undefined ? { error: true } : { choiceCount })) };
    }
    if (input.policy === 'grpc_ring_hash') {
      return {
        results: input.configs!.map(({ minRingSize, maxRingSize }) => grpcRingSizes(minRingSize, maxRingSize) ?? { error: true }),
      };
    }
    if (input.policy === 'maglev') return isRefused(() => maglev.make(input.config!, { rng: new Script() }));
    if (input.policy === 'ring_hash') {
      const { minimumRingSize, maximumRingSize } = input.config as unknown as {
        minimumRingSize: number;
        maximumRingSize: number;
      };
      return isRefused(() => ringHash.make({ minimumRingSize, maximumRingSize }, { rng: new Script() }));
    }
    throw new NotCovered(input.policy);
  },
};

function isRefused(make: () => unknown): { readonly error: boolean } {
  try {
    make();
    return { error: false };
  } catch {
    return { error: true };
  }
}

const halves = (value: string | bigint): Hash64 => ({
  high: Number((BigInt(value) >> 32n) & 0xffffffffn),
  low: Number(BigInt(value) & 0xffffffffn),
});

const decimal = ({ high, low }: Hash64): string => String((BigInt(high) << 32n) | BigInt(low));

/** The names and shares that a row's hosts stand for. */
function hostsOf({ hosts, hostCount, keyTemplate, localities }: HostsInput): { keys: string[]; shares: number[] } {
  if (hosts !== undefined) {
    const total = hosts.reduce((sum, host) => sum + (host.weight ?? 0), 0);
    return {
      keys: hosts.map(({ key }) => key),
      shares: hosts.map(({ weight, normalizedWeight }) => normalizedWeight ?? weight! / total),
    };
  }
  const shares = Array.from({ length: hostCount! }, () => 0);
  const total = localities!.reduce((sum, { weight }) => sum + weight, 0);
  for (const { weight, hosts: range } of localities!) {
    for (let i = range[0]; i <= range[1]; i++) shares[i] = weight / total / (range[1] - range[0] + 1);
  }
  return { keys: shares.map((_, i) => keyTemplate!.replace('{i}', String(i))), shares };
}

/** gRPC sorts hosts by key first; `hostOf` gives the row's number of an owner. */
function ringOf(input: HostsInput): { ring: HashRing; hostOf: number[] } {
  const { keys, shares } = hostsOf(input);
  const hostOf = keys.map((_, i) => i);
  if (input.algorithm?.startsWith('grpc') === true) hostOf.sort((a, b) => (keys[a] < keys[b] ? -1 : 1));
  const hash = input.hashFunction === 'murmur2-64' ? murmurHash2 : xxHash64;
  const ring = new HashRing();
  ring.build(
    hostOf.map((i) => keys[i]),
    hostOf.map((i) => shares[i]),
    input,
    (text) => hash(text),
  );
  return { ring, hostOf };
}

const summary = (ring: HashRing) => ({ size: ring.size, minHashesPerHost: ring.fewestPoints, maxHashesPerHost: ring.mostPoints });

function entriesPerHost(table: readonly number[], hosts: number): { minEntriesPerHost: number; maxEntriesPerHost: number } {
  const counts = Array.from({ length: hosts }, () => 0);
  for (const host of table) counts[host]++;
  return { minEntriesPerHost: Math.min(...counts), maxEntriesPerHost: Math.max(...counts) };
}

/** Picks a server's index by key, as the row's program does. */
function hashPicker(input: HashPickInput): (key: string) => number {
  const servers = input.servers ?? input.weights!.map((weight) => ({ weight }));
  const weights = servers.map(({ weight }) => weight);
  const down = [...(input.down ?? []), ...servers.flatMap((server, i) => ('down' in server && server.down === true ? [i] : []))];
  const stage = new Stage(
    weights,
    servers.map((server, i) => ('server' in server && server.server !== undefined ? server.server : `server-${i}`)),
  ).setDown(down);
  const rng = new Script();
  const pick = (low: number): number => stage.pickByHash(BigInt(low));
  switch (input.algorithm) {
    case 'nginx-hash':
      return (key) => {
        const rehash = (tries: number): number => nginxHashStep(crc32(utf8(`${tries}${key}`)));
        stage.bind(new RangeHash(rng, rehash));
        return pick(nginxHashStep(crc32(utf8(key))));
      };
    case 'nginx-hash-consistent':
      stage.bind(ketama.make({}, { rng }));
      return (key) => pick(crc32(utf8(key)));
    case 'nginx-ip-hash':
      stage.bind(sourceIpHash.make({}, { rng }));
      return (key) => pick(address(key));
    case 'ipvs-sh':
      stage.bind(sourceIpHash.make({ variant: 'ipvs', fallback: input.fallback ?? false }, { rng }));
      return (key) => pick(address(key));
    case 'ipvs-sh-legacy':
      stage.bind(new BucketHash(rng, ipvsLegacyHash, input.fallback ?? false));
      return (key) => pick(address(key));
    case 'haproxy-map-based':
      stage.bind(moduloHash.make({ variant: 'haproxy' }, { rng }));
      return (key) => pick(haproxyHash(input.hashFunction!, key, input.avalanche ?? false));
    case 'haproxy-consistent': {
      const ring = new HaproxyRing();
      ring.build(
        servers.map((server, i) => ('id' in server ? server.id! : i + 1)),
        weights,
      );
      return (key) => ring.ownerAt(ring.nearest(haproxyHash(input.hashFunction!, key, input.avalanche ?? false)));
    }
    default:
      throw new NotCovered(input.algorithm);
  }
}

const address = (text: string): number => text.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
