/** Messages take their time. Work of 10 ms; times in ms. */
import { describe, expect, test } from 'vitest';
import type { Balancer } from '../../src/policies/balancing/balancer.ts';
import type { Detector } from '../../src/policies/detection/detector.ts';
import { buildWorld, constant, latencies, play, playWorld, rounded, scripted } from './world-builder.ts';

describe('a constant latency', () => {
  test('is added on the way there and on the way back', () => {
    // 2 there, 10 of work, 2 back.
    expect(latencies(play({ at: [0, 50], work: 10, network: { sameZone: constant(2) } }))).toEqual([14, 14]);
  });

  test('does not count as waiting in the queue', () => {
    // Both there at 2; the second waits 10 in the queue.
    const played = play({ at: [0, 0], work: 10, network: { sameZone: constant(2) } });
    expect(latencies(played)).toEqual([14, 24]);
    expect(rounded(played.metrics['wait.max'])).toBe(10);
  });

  test('is that of the pair of zones: same, between, or its own in either direction', () => {
    // The client is in a. api/0 same zone 1 + 1; api/1 in b 5 + 5; api/2 in c 20 + 20.
    const network = {
      sameZone: constant(1),
      betweenZones: constant(5),
      pairs: [{ zones: ['c', 'a'] as const, latency: constant(20) }],
    };
    const instances = [{ zone: 'a' }, { zone: 'b' }, { zone: 'c' }];
    expect(latencies(play({ at: [0, 100, 200], work: 10, instances, network }))).toEqual([12, 20, 50]);
    const turned = { ...network, pairs: [{ zones: ['a', 'c'] as const, latency: constant(20) }] };
    expect(latencies(play({ at: [0, 100, 200], work: 10, instances, network: turned }))).toEqual([12, 20, 50]);
  });

  test('of a pair within one zone overrides that zone only', () => {
    const network = { sameZone: constant(1), pairs: [{ zones: ['b', 'b'] as const, latency: constant(3) }] };
    const instances = [{ zone: 'a' }, { zone: 'b' }];
    const fromB = play({
      at: [0, 100],
      work: 10,
      instances,
      network: { ...network, betweenZones: constant(5) },
      balancerZones: ['b'],
    });
    expect(latencies(fromB)).toEqual([20, 16]);
  });

  test('of 0 in one zone beside one between zones', () => {
    const instances = [{ zone: 'a' }, { zone: 'b' }];
    expect(latencies(play({ at: [0, 100], work: 10, instances, network: { betweenZones: constant(5) } }))).toEqual([10, 20]);
  });

  test('depends on the zone of the proxy: they are dealt out in turn', () => {
    // Two proxies, in a and b; one instance in a. The proxy is drawn at random for each request: 2 or 10 for the network.
    const played = play({
      at: Array.from({ length: 40 }, (_, i) => 25 * i),
      work: 10,
      balancers: 2,
      balancerZones: ['a', 'b'],
      network: { sameZone: constant(1), betweenZones: constant(5) },
    });
    for (const { client, latencyMs } of played.attempts) expect(rounded(latencyMs)).toBe(client === 0 ? 12 : 20);
    expect(new Set(played.attempts.map(({ client }) => client)).size).toBe(2);
  });
});

describe('a random latency', () => {
  const law = { type: 'uniform', min: 1, max: 9 } as const;
  const setup = { arrivals: { type: 'constant', perSecond: 50 } as const, work: 1, durationMs: 60_000, instances: 2 };

  test('is drawn anew for each hop', () => {
    const played = play({ ...setup, network: { sameZone: law } });
    const hops = played.attempts.map(({ latencyMs }) => latencyMs - 1);
    // Sum of two uniforms on [1, 9]: mean 10, variance 2 · 64/12 = 10.67. n = 3000: sd of the mean 0.06.
    const mean = hops.reduce((sum, hop) => sum + hop, 0) / hops.length;
    const variance = hops.reduce((sum, hop) => sum + (hop - mean) ** 2, 0) / hops.length;
    expect(hops.length).toBeGreaterThan(2990);
    expect(mean).toBeGreaterThan(9.7);
    expect(mean).toBeLessThan(10.3);
    // A hop drawn once and used twice would have 21.3.
    expect(variance).toBeGreaterThan(9.5);
    expect(variance).toBeLessThan(11.9);
  });

  test('is the same for the same request under another policy', () => {
    const one = play({ ...setup, network: { sameZone: law }, balancer: scripted(0) });
    const other = play({ ...setup, network: { sameZone: law }, balancer: scripted(1, 0, 0) });
    // Never a queue here: 20 ms between requests, at most 19 for one. So latencies must be equal one by one.
    expect(latencies(other)).toEqual(latencies(one));
  });

  test('may let a later request overtake an earlier one', () => {
    // Pairs half a millisecond apart, one slot for each. Overtaken when the difference of two sums of two hops is above 0.5: it has
    // mean 0 and variance 4 · 64/12, so about normal with sd 4.6: 46 %. n = 1000: sd 1.6 %.
    const at = Array.from({ length: 1000 }, (_, i) => [30 * i, 30 * i + 0.5]).flat();
    const played = play({ ...setup, at, slots: 2, network: { sameZone: law }, balancer: scripted(0) });
    const seconds = played.attempts.filter(({ endedMs }, i) => i % 2 === 1 && endedMs < played.attempts[i - 1].endedMs);
    expect(seconds.length / 1000).toBeGreaterThan(0.4);
    expect(seconds.length / 1000).toBeLessThan(0.52);
  });

  test('of heartbeats is drawn anew for each beat, instance and proxy', () => {
    const delays: number[][][] = [];
    const detector = (): Detector => {
      const own: number[][] = [[], []];
      delays.push(own);
      const nothing = (): void => {};
      const onHeartbeat = (slot: number, nowMs: number): void => {
        // Beats are 100 apart and hops at most 9: what is over whole hundreds, up to the instance's phase.
        own[slot].push(rounded(nowMs % 100));
      };
      return {
        heartbeatEveryMs: 100,
        watch: nothing,
        unwatch: nothing,
        onHeartbeat,
        nextTimerMs: () => Infinity,
        onTimer: nothing,
      };
    };
    play({ at: [], instances: 2, balancers: 2, network: { sameZone: law }, detector, durationMs: 20_000 });
    const fromLeast = (values: readonly number[]): number[] => values.map((value) => rounded(value - Math.min(...values)));
    const lists = delays.flat().map(fromLeast);
    for (const list of lists) expect(new Set(list).size).toBeGreaterThan(195);
    // No two see the same sequence of delays: not two proxies of one instance, not two instances at one proxy.
    const equal = lists.flatMap((list, i) =>
      lists.slice(i + 1).flatMap((other) => list.filter((value, n) => value > 0 && value === other[n])),
    );
    expect(equal).toEqual([]);
  });

  test('of probes is drawn anew for each probe and each way', () => {
    // Two probes per pick. Their round trips have variance 2 · 64/12 and nothing in common: 500 pairs, sd of the correlation 0.045.
    const pairs: number[][] = [];
    let sentMs = 0;
    const balancer = (): Balancer => ({
      update: () => {},
      pick: ({ nowMs }) => {
        sentMs = nowMs;
        pairs.push([]);
        return 0;
      },
      onReport: (slot, nowMs, { isProbe }) => {
        if (isProbe) pairs[pairs.length - 1][slot] = nowMs - sentMs;
      },
      probes: (out) => {
        out.set([0, 1]);
        return 2;
      },
    });
    play({
      at: Array.from({ length: 500 }, (_, i) => 30 * i),
      work: 1,
      instances: 2,
      network: { sameZone: law },
      balancer,
      durationMs: 20_000,
    });
    const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [x, y] = [0, 1].map((slot) => pairs.map((pair) => pair[slot] - meanOf(pairs.map((other) => other[slot]))));
    const covariance = (a: readonly number[], b: readonly number[]): number => meanOf(a.map((value, i) => value * b[i]));
    expect(covariance(x, x)).toBeGreaterThan(9);
    expect(covariance(x, x)).toBeLessThan(12.4);
    expect(Math.abs(covariance(x, y) / covariance(x, x))).toBeLessThan(0.2);
  });

  test('of two sources is independent: their n-th requests do not share hops', () => {
    const base = buildWorld({ ...setup, slots: 2, network: { sameZone: law } });
    const twin = { ...base.traffic[0], name: 'twin' };
    const { attempts } = playWorld({ ...base, traffic: [base.traffic[0], twin] });
    const of = (client: number): number[] =>
      attempts.filter((attempt) => attempt.client === client).map(({ latencyMs }) => rounded(latencyMs));
    const [one, other] = [of(0), of(1)];
    const shared = one.filter((latency, n) => latency === other[n]);
    expect(one.length).toBeGreaterThan(2990);
    expect(shared).toEqual([]);
  });
});
