/** Kinds about service discovery, leases, and what a cluster does about nodes that are lost. */
import { defaults } from '../../../src/core/params.ts';
import { dnsGrpcDiscovery } from '../../../src/policies/discovery/dns-grpc.ts';
import { dnsJvmDiscovery } from '../../../src/policies/discovery/dns-jvm.ts';
import type {
  DiscoveryClient,
  DiscoveryDeps,
  FetchRequest,
  SourceView,
} from '../../../src/policies/discovery/discovery-client.ts';
import { BlockingQueries, grantedWaitMs, longestWaitMs } from '../../../src/policies/shared/blocking-queries.ts';
import { grantedTtlMs, Lessor, minLeaseTtlMs } from '../../../src/policies/shared/lessor.ts';
import {
  expectedStaleRequests,
  meanTtlStalenessMs,
  worstTtlStalenessMs,
} from '../../../src/policies/discovery/parts/staleness.ts';
import { consulRegistry } from '../../../src/policies/discovery/registries/consul.ts';
import { nextIndex } from '../../../src/policies/discovery/registry-watch.ts';
import { nodesEvictedPerSecond, type ZoneState, zoneState } from '../../../src/policies/recovery/eviction/zone-state.ts';
import type { Adapters, Row } from '../vector-file.ts';
import { Script } from './stage.ts';

const registries: Adapters = {
  'registry.blockingQuery': (input: {
    readonly indexHistory: readonly { readonly atMs: number; readonly index: number }[];
    readonly queries: readonly { readonly atMs: number; readonly index: number; readonly waitMs: number }[];
  }) => {
    let index = 0;
    const responses: { readonly returnsAtMs: number; readonly index: number; readonly changed: boolean }[] = [];
    const held = new BlockingQueries(new Script(...input.queries.map(() => 0)), (query, returnsAtMs) => {
      responses[query] = { returnsAtMs, index, changed: index > input.queries[query].index };
    });
    const runTimers = (untilMs: number): void => {
      while (held.nextTimerMs() < untilMs) held.onTimer(held.nextTimerMs());
    };
    const changes = input.indexHistory.map(({ atMs, index: next }) => ({
      atMs,
      act: () => held.changed((index = next), atMs),
    }));
    const asked = input.queries.map(({ atMs, index: known, waitMs }, query) => ({
      atMs,
      act: () => held.ask(query, known, waitMs, index, atMs),
    }));
    for (const { atMs, act } of [...changes, ...asked].sort((a, b) => a.atMs - b.atMs)) {
      runTimers(atMs);
      act();
    }
    runTimers(Infinity);
    return { responses };
  },

  'registry.waitClamp': ({ requestedWaitMs }: { readonly requestedWaitMs: readonly number[] }) => {
    const { defaultQueryTime, maxQueryTime } = defaults(consulRegistry.params);
    const granted = requestedWaitMs.map((waitMs) => grantedWaitMs(waitMs, defaultQueryTime, maxQueryTime));
    return { effectiveWaitMs: granted, maxWithJitterMs: granted.map(longestWaitMs) };
  },

  'registry.clientIndex': (input: { readonly rows: readonly { readonly previous: number; readonly returned: number }[] }) => ({
    nextIndex: input.rows.map(({ previous, returned }) => nextIndex(previous, returned)),
  }),
};

const leases: Adapters = {
  'lease.generic': (input: {
    readonly ttlMs: number;
    readonly grantedAtMs: number;
    readonly cases: readonly { readonly renewsAtMs: readonly number[]; readonly queryAtMs: number }[];
  }) => ({
    alive: input.cases.map(({ renewsAtMs, queryAtMs }) => {
      const lessor = new Lessor();
      lessor.grant(1, input.ttlMs, input.grantedAtMs);
      for (const atMs of renewsAtMs) lessor.renew(1, atMs);
      return lessor.isAlive(1, queryAtMs);
    }),
  }),

  'lease.etcd.minTtl': (input: {
    readonly rows: readonly { readonly heartbeatMs: number; readonly electionMs: number; readonly requestedTtlSeconds: number }[];
  }) => {
    const minMs = input.rows.map(({ heartbeatMs, electionMs }) => minLeaseTtlMs(heartbeatMs, electionMs));
    return {
      minTtlSeconds: minMs.map((ms) => ms / 1000),
      grantedTtlSeconds: input.rows.map(
        ({ requestedTtlSeconds }, i) => grantedTtlMs(requestedTtlSeconds * 1000, minMs[i])! / 1000,
      ),
    };
  },

  'lease.etcd.maxTtl': (input: { readonly requestedTtlSeconds: readonly number[] }) => ({
    error: input.requestedTtlSeconds.map((seconds) =>
      grantedTtlMs(seconds * 1000, 2000) === undefined ? 'ErrLeaseTTLTooLarge' : null,
    ),
  }),

  'lease.etcd.promote': (input: {
    readonly ttlSeconds: number;
    readonly grantedAtMs: number;
    readonly lastRenewMs: number;
    readonly promotedAtMs: number;
    readonly extendSeconds: number;
  }) => {
    const lessor = new Lessor();
    lessor.grant(1, input.ttlSeconds * 1000, input.grantedAtMs);
    lessor.renew(1, input.lastRenewMs);
    lessor.promote(input.extendSeconds * 1000, input.promotedAtMs);
    return { expiresAtMs: lessor.expiryMs(1) };
  },

  'lease.etcd.pileup': (
    input: {
      readonly leaseRevokeRatePerSec: number;
      readonly leases: readonly { readonly ttlSeconds: number; readonly count: number }[];
      readonly extendSeconds: number;
    },
    row: Row,
  ) => {
    const { expiringPerSecond: expected } = row.expect as {
      readonly expiringPerSecond: Readonly<Record<'fromSecond' | 'toSecondExclusive' | 'min' | 'max', number>>;
    };
    const lessor = new Lessor(input.leaseRevokeRatePerSec);
    let lease = 0;
    for (const { ttlSeconds, count } of input.leases) for (let i = 0; i < count; i++) lessor.grant(lease++, ttlSeconds * 1000, 0);
    lessor.promote(input.extendSeconds * 1000, 0);
    const seconds = Array.from({ length: expected.toSecondExclusive - expected.fromSecond }, () => 0);
    for (let i = 0; i < lease; i++) {
      const second = Math.floor(lessor.expiryMs(i) / 1000) - expected.fromSecond;
      if (second >= 0 && second < seconds.length) seconds[second]++;
    }
    // The row states bounds; what lies within them is reported as the bound.
    return {
      expiringPerSecond: {
        ...expected,
        min: Math.min(expected.min, ...seconds),
        max: Math.max(expected.max, ...seconds),
      },
    };
  },
};

const clients: Adapters = {
  'discovery.dns': (input: {
    readonly ttlMs: number;
    readonly negativeTtlMs: number;
    readonly recordHistory: readonly { readonly atMs: number; readonly value: string }[];
    readonly lookupsAtMs: readonly number[];
  }) => {
    let answer = 'NXDOMAIN';
    const valueAt = (nowMs: number): string => input.recordHistory.findLast(({ atMs }) => atMs <= nowMs)?.value ?? 'NXDOMAIN';
    const driven = drive(
      (deps) => dnsJvmDiscovery.make({ cacheTtl: input.ttlMs, negativeTtl: input.negativeTtlMs, emptyUpdates: 'apply' }, deps),
      (_, nowMs) => {
        answer = valueAt(nowMs);
        return view(answer === 'NXDOMAIN' ? [] : [0]);
      },
    );
    const answers = input.lookupsAtMs.map((nowMs, i) => {
      if (i === 0) driven.client.start(nowMs);
      else driven.client.resolveNow!(nowMs);
      return answer;
    });
    return { answers };
  },

  'discovery.grpcDns': (input: { readonly minResolutionIntervalMs: number; readonly resolveNowAtMs: readonly number[] }) => {
    const lookupsAtMs: number[] = [];
    const { client, runTimers } = drive(
      (deps) => dnsGrpcDiscovery.make({ minResolutionInterval: input.minResolutionIntervalMs }, deps),
      (_, nowMs) => {
        lookupsAtMs.push(nowMs);
        return view([0]);
      },
    );
    client.start(0);
    for (const nowMs of input.resolveNowAtMs) {
      runTimers(nowMs);
      client.resolveNow!(nowMs);
    }
    runTimers(Infinity);
    return { lookupsAtMs };
  },

  'discovery.staleness': (input: {
    readonly ttlMs: number;
    readonly resolverLayersWithIndependentCaches: readonly number[];
  }) => ({
    worstMs: input.resolverLayersWithIndependentCaches.map((layers) => worstTtlStalenessMs(input.ttlMs, layers)),
    meanMs: input.resolverLayersWithIndependentCaches.map((layers) => meanTtlStalenessMs(input.ttlMs, layers)),
  }),

  'discovery.staleErrors': (input: {
    readonly rows: readonly { readonly rps: number; readonly endpoints: number; readonly stalenessMs: number }[];
  }) => ({
    expectedFailedRequests: input.rows.map(({ rps, endpoints, stalenessMs }) =>
      expectedStaleRequests(rps, endpoints, stalenessMs),
    ),
  }),
};

const nodes: Adapters = {
  'k8s.zoneState': (input: {
    readonly unhealthyZoneThreshold: number;
    readonly rows: readonly { readonly ready: number; readonly notReady: number }[];
  }) => ({
    state: input.rows.map(({ ready, notReady }) => zoneState(ready, notReady, input.unhealthyZoneThreshold)),
  }),

  'k8s.evictionRate': (input: {
    readonly nodeEvictionRate: number;
    readonly secondaryNodeEvictionRate: number;
    readonly largeClusterSizeThreshold: number;
    readonly rows: readonly { readonly state: ZoneState; readonly zoneSize: number }[];
  }) => ({
    nodesPerSecond: input.rows.map(({ state, zoneSize }) => nodesEvictedPerSecond(state, zoneSize, input)),
  }),
};

export const discoveryAdapters: Adapters = { ...registries, ...leases, ...clients, ...nodes };

const view = (members: readonly number[]): SourceView => ({ members, index: 0, ageMs: 0, ttlMs: Infinity });

/** A client whose source answers within the call. */
function drive(
  make: (deps: DiscoveryDeps) => DiscoveryClient,
  answer: (request: FetchRequest, nowMs: number) => SourceView,
): { readonly client: DiscoveryClient; runTimers(untilMs: number): void } {
  const client: DiscoveryClient = make({
    rng: new Script(),
    configured: [],
    sink: { update: () => {} },
    host: { fetch: (request, nowMs) => client.onFetched(request.id, answer(request, nowMs), nowMs) },
  });
  return {
    client,
    runTimers: (untilMs) => {
      for (let nextMs = client.nextTimerMs(); nextMs <= untilMs && nextMs < Infinity; nextMs = client.nextTimerMs()) {
        client.onTimer(nextMs);
      }
    },
  };
}
