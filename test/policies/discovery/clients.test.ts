import { beforeEach, describe, expect, it } from 'vitest';
import {
  type DiscoveryClient,
  type DiscoveryClientDefinition,
  dnsDiscovery,
  dnsGrpcDiscovery,
  dnsJvmDiscovery,
  fileDiscovery,
  type FetchRequest,
  registryPollDiscovery,
  registryWatchDiscovery,
  type SourceFailure,
  type SourceView,
  staticDiscovery,
  xdsDiscovery,
} from '../../../src/policies/discovery/index.ts';
import { grpcResolverBackoffMs } from '../../../src/policies/discovery/dns-grpc.ts';
import { KeptView } from '../../../src/policies/discovery/parts/kept-view.ts';
import { nextIndex, watchRetryMs } from '../../../src/policies/discovery/registry-watch.ts';
import { streamRetryBoundMs } from '../../../src/policies/discovery/xds.ts';
import { unusedRng } from '../fixtures.ts';

let asked: (FetchRequest & { readonly atMs: number })[];
let told: string[];
const half = { next: () => 0.5, uint32: () => 0, below: (n: number) => Math.floor(n / 2) };

const view = (members: readonly number[], more: Partial<SourceView> = {}): SourceView => ({
  members,
  index: 0,
  ageMs: 0,
  ttlMs: Infinity,
  ...more,
});

function start(definition: DiscoveryClientDefinition, params: object = {}, configured: readonly number[] = []): DiscoveryClient {
  const client = definition.make(params, {
    rng: half,
    configured,
    sink: { update: (members, nowMs) => told.push(`${nowMs}: ${members.join()}`) },
    host: { fetch: (request, atMs) => asked.push({ ...request, atMs }) },
  });
  client.start(0);
  return client;
}

const last = (): FetchRequest & { readonly atMs: number } => asked[asked.length - 1];
const answer = (client: DiscoveryClient, what: SourceView | SourceFailure, nowMs: number): void =>
  client.onFetched(last().id, what, nowMs);

function runTo(client: DiscoveryClient, untilMs: number): void {
  while (client.nextTimerMs() <= untilMs) client.onTimer(client.nextTimerMs());
}

beforeEach(() => {
  asked = [];
  told = [];
});

describe('static', () => {
  it('never asks, and is as old as the deployment but never stale', () => {
    const client = start(staticDiscovery, {}, [2, 1]);
    expect([told, asked, client.nextTimerMs()]).toEqual([['0: 1,2'], [], Infinity]);
    expect([client.ageMs(5000), client.isStale(5000)]).toEqual([5000, false]);
  });
});

describe('file', () => {
  it('reads at multiples of the interval from its start, and once per delay after changes', () => {
    const client = start(fileDiscovery, { refreshInterval: 60_000, delay: 1000 });
    answer(client, view([1]), 5);
    client.onSourceChanged!(10_000);
    client.onSourceChanged!(10_500);
    runTo(client, 130_000);
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 11_000, 60_000, 120_000]);
  });

  it('does not hear of changes that it does not watch', () => {
    const client = start(fileDiscovery, { watch: false });
    client.onSourceChanged!(10);
    expect(client.nextTimerMs()).toBe(300_000);
  });
});

describe('dns', () => {
  it('times the next look-up from the answer', () => {
    const client = start(dnsDiscovery);
    answer(client, view([1], { ttlMs: 300_000 }), 120);
    expect(client.nextTimerMs()).toBe(5120);
  });

  it('goes by the time to live if it should and there is one', () => {
    const nextAfter = (ttlMs: number): number => {
      const client = start(dnsDiscovery, { respectDnsTtl: true });
      answer(client, view([1], { ttlMs }), 0);
      return client.nextTimerMs();
    };
    expect([300_000, 0, Infinity].map(nextAfter)).toEqual([300_000, 5000, 5000]);
  });

  it('adds its jitter, and gives up a look-up after its timeout', () => {
    const client = start(dnsDiscovery, { dnsJitter: 1000 });
    expect(client.nextTimerMs()).toBe(5000);
    client.onTimer(5000);
    expect([client.isStale(5000), client.nextTimerMs()]).toEqual([true, 10_500]);
    const { id } = last();
    client.onTimer(10_500);
    client.onFetched(id, view([1]), 10_501);
    expect(told).toEqual([]);
  });
});

describe('dns-jvm', () => {
  it('looks up on demand only, and keeps an answer for its own time to live', () => {
    const client = start(dnsJvmDiscovery);
    answer(client, view([1], { ttlMs: 1000 }), 0);
    for (const nowMs of [1000, 29_999, 30_000, 30_001]) client.resolveNow!(nowMs);
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 30_000]);
    expect(client.nextTimerMs()).toBe(35_000);
  });

  it('never looks again if it caches for ever, unless there was nobody', () => {
    const client = start(dnsJvmDiscovery, { cacheForever: true });
    answer(client, view([]), 0);
    client.resolveNow!(9999);
    client.resolveNow!(10_000);
    answer(client, view([1]), 10_000);
    client.resolveNow!(1e12);
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 10_000]);
  });
});

describe('dns-grpc', () => {
  it('waits for a demand, and then for the interval since the last answer', () => {
    const client = start(dnsGrpcDiscovery);
    answer(client, view([1]), 100);
    expect(client.nextTimerMs()).toBe(Infinity);
    client.resolveNow!(5000);
    expect(client.nextTimerMs()).toBe(30_100);
  });

  it('keeps one demand while it serves another', () => {
    const client = start(dnsGrpcDiscovery);
    answer(client, view([1]), 0);
    for (const nowMs of [1, 2, 3]) client.resolveNow!(nowMs);
    client.onTimer(30_000);
    answer(client, view([1]), 30_000);
    expect(client.nextTimerMs()).toBe(60_000);
    client.onTimer(60_000);
    answer(client, view([1]), 60_000);
    expect([client.nextTimerMs(), asked.length]).toEqual([Infinity, 3]);
  });

  it('asks again by itself after failures, from 1.6 s to 2 min', () => {
    const client = start(dnsGrpcDiscovery);
    const waits: number[] = [];
    for (let nowMs = 0; waits.length < 4;) {
      answer(client, 'unreachable', nowMs);
      waits.push(Math.round(client.nextTimerMs() - nowMs));
      nowMs = client.nextTimerMs();
      client.onTimer(nowMs);
    }
    expect(waits).toEqual([1600, 2560, 4096, 6554]);
    const params = { baseDelay: 1000, multiplier: 1.6, jitter: 0.2, maxDelay: 120_000 };
    expect(grpcResolverBackoffMs(50, params, 0)).toBe(96_000);
    expect(grpcResolverBackoffMs(50, params, 1)).toBe(144_000);
  });
});

describe('registry-poll', () => {
  it('shows the first answer at once, later ones at the next refresh of the list', () => {
    const client = start(registryPollDiscovery, { registryFetchInterval: 30_000, serverListRefreshInterval: 20_000 });
    answer(client, view([1], { ageMs: 700 }), 10);
    runTo(client, 30_010);
    answer(client, view([1, 2], { ageMs: 700 }), 30_050);
    runTo(client, 39_999);
    expect([told, client.ageMs(39_999)]).toEqual([['10: 1'], 39_999 - 10 + 700]);
    runTo(client, 40_000);
    expect([told[1], client.ageMs(40_000)]).toEqual(['40000: 1,2', 40_000 - 30_050 + 700]);
  });

  it('doubles its wait up to ten intervals while fetches outlast theirs', () => {
    const client = start(registryPollDiscovery, { registryFetchInterval: 1000, readTimeout: 1000 });
    runTo(client, 60_000);
    const gaps = asked.slice(1).map(({ atMs }, i) => atMs - asked[i].atMs - 1000);
    expect(gaps.slice(0, 6)).toEqual([2000, 4000, 8000, 10_000, 10_000, 10_000]);
    for (const before = asked.length; asked.length === before;) client.onTimer(client.nextTimerMs());
    answer(client, view([1]), last().atMs);
    expect(client.nextTimerMs()).toBe(last().atMs + 1000);
  });

  it('keeps its pace when fetches fail in time', () => {
    const client = start(registryPollDiscovery);
    answer(client, 'unreachable', 50);
    expect(client.nextTimerMs()).toBe(30_050);
  });
});

describe('registry-watch', () => {
  it('asks with the index it knows, from 0 and again from 0 when the index goes backwards', () => {
    const client = start(registryWatchDiscovery);
    answer(client, view([1], { index: 10 }), 1);
    answer(client, view([1], { index: 14 }), 2);
    answer(client, view([1], { index: 3 }), 3);
    expect(asked.map(({ index, waitMs }) => [index, waitMs])).toEqual([0, 10, 14, 0].map((index) => [index, 300_000]));
    expect([nextIndex(14, 14), nextIndex(14, 3), nextIndex(14, 0)]).toEqual([14, 0, 1]);
  });

  it('waits five seconds times the square of its failures, three minutes at most, and asks for everything', () => {
    const client = start(registryWatchDiscovery);
    answer(client, view([1], { index: 10 }), 0);
    answer(client, 'unreachable', 1000);
    expect(client.nextTimerMs()).toBe(6000);
    client.onTimer(6000);
    expect(last().index).toBe(0);
    answer(client, 'unreachable', 6000);
    expect(client.nextTimerMs()).toBe(26_000);
    expect(watchRetryMs(100, 5000, 180_000)).toBe(180_000);
  });

  it('gives up a query that should have been answered long ago', () => {
    const client = start(registryWatchDiscovery, { wait: 16_000, answerTimeout: 5000 });
    expect(client.nextTimerMs()).toBe(5000);
    answer(client, view([1], { index: 10 }), 100);
    expect(client.nextTimerMs()).toBe(100 + 16_000 + 1000 + 5000);
  });

  it('reads everything anew at once when the source forgot its index, but not again and again', () => {
    const client = start(registryWatchDiscovery);
    answer(client, view([1], { index: 10 }), 0);
    answer(client, 'compacted', 5);
    expect([last().index, last().atMs]).toEqual([0, 5]);
    answer(client, 'compacted', 6);
    expect([asked.length, client.nextTimerMs()]).toEqual([3, 5006]);
  });
});

describe('xds', () => {
  it('takes every push on its stream, and says its version when it opens the next', () => {
    const client = start(xdsDiscovery);
    expect(last().waitMs).toBe(Infinity);
    answer(client, view([1], { index: 5 }), 10);
    answer(client, view([1, 2], { index: 6 }), 20);
    const { id } = last();
    answer(client, 'unreachable', 30);
    client.onFetched(id, view([9]), 31);
    expect(told).toEqual(['10: 1', '20: 1,2']);
    expect(client.nextTimerMs()).toBe(30 + 250);
    client.onTimer(280);
    expect([last().index, client.isStale(280)]).toEqual([6, true]);
  });

  it('doubles the bound of its waits from 500 ms to 30 s', () => {
    expect([1, 2, 3, 7, 50].map((failures) => streamRetryBoundMs(failures, 500, 30_000))).toEqual([
      500, 1000, 2000, 30_000, 30_000,
    ]);
  });
});

describe('the kept view', () => {
  it('is stale after an answer it refused, and believes empty answers if it is to', () => {
    const make = (emptyUpdates: 'keep' | 'apply'): KeptView =>
      new KeptView(
        {
          rng: unusedRng,
          configured: [],
          host: { fetch: () => {} },
          sink: { update: (members) => told.push(`[${members.join()}]`) },
        },
        emptyUpdates,
      );
    for (const kept of [make('keep'), make('apply')]) {
      kept.accept(view([1]), 10);
      kept.accept(view([]), 20);
      told.push(`${kept.isStale} ${kept.ageMs(30)}`);
    }
    expect(told).toEqual(['[1]', 'true 20', '[1]', '[]', 'false 10']);
  });
});
