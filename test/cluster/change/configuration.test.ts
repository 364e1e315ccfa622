/** Configuration on its way to hosts: whatever is lost, late or out of order on the way, each comes to have what was decided last. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Configuration, type HostPlace } from '../../../src/cluster/change/configuration.ts';
import { StoreLink } from '../../../src/cluster/change/store-link.ts';
import type { DistributionSpec } from '../../../src/core/distribution-spec.ts';
import { PolicyFault } from '../../../src/core/errors.ts';
import { type AgentDeps, agents, type ConfigAgent } from '../../../src/policies/rollout/propagation/index.ts';
import { etcdStore } from '../../../src/policies/rollout/store/index.ts';
import type { VersionSpec } from '../../../src/scenario/spec.ts';
import { Bench } from './harness.ts';

const version = (name: string, isMalformed = false): VersionSpec => ({ name, isBad: isMalformed, effects: [], isMalformed });
const versions = [version('v1'), version('v2'), version('v3'), version('broken', true)];

interface Settings {
  readonly hosts?: number;
  readonly latency?: DistributionSpec;
  readonly loss?: number;
  readonly distributors?: readonly number[];
  readonly pushesPerSecond?: number;
  readonly agent?: string;
  readonly params?: object;
  readonly ackTimeoutMs?: number;
  readonly seed?: string;
}

const ACK_TIMEOUT_MS = 10_000;

class ConfigBench extends Bench {
  readonly configuration: Configuration;
  readonly places: readonly HostPlace[];
  /** `host version at`, as hosts took them. */
  readonly log: string[] = [];
  readonly link: StoreLink;

  constructor({
    hosts = 6,
    latency = { type: 'constant', value: 10 },
    loss = 0,
    distributors = [2],
    pushesPerSecond = Infinity,
    agent = 'push',
    params = {},
    ackTimeoutMs = ACK_TIMEOUT_MS,
    seed = 'config',
  }: Settings = {}) {
    super(seed);
    this.places = Array.from({ length: hosts }, (_, at) => ({ host: `h${at}`, domain: `zone-${at % 2}` }));
    const { errands, streams } = this;
    this.link = new StoreLink({ errands, streams, latency, makeStore: (deps) => etcdStore.make({}, deps) });
    this.configuration = new Configuration({
      ...{ errands, streams, store: this.link, service: 'api', versions, hosts: this.places },
      delivery: { latency, loss, distributors, pushesPerSecond, ackTimeoutMs },
      makeAgent: (deps: AgentDeps): ConfigAgent => agents[agent].make(params, deps),
      applied: (host, { name }) => this.log.push(`${host} ${name} ${this.nowMs}`),
    });
    this.configuration.start();
  }

  get names(): readonly string[] {
    return this.places.map(({ host }) => host);
  }

  push(name: string, hosts: readonly string[] = this.names): void {
    this.configuration.push(name, hosts);
  }

  outage(forMs: number): void {
    this.configuration.setDistributing(false);
    this.errands.later(forMs, () => this.configuration.setDistributing(true));
  }

  /** Versions of those there are. */
  have(): readonly (string | undefined)[] {
    return this.configuration.statuses().map((status) => status.version);
  }
}

const all = (name: string, count = 6): readonly string[] => Array.from({ length: count }, () => name);

describe('configuration', () => {
  it.each(Object.keys(agents))(
    'is everywhere in its first version before the first moment, without a message, with %s',
    (agent) => {
      const bench = new ConfigBench({ agent, latency: { type: 'constant', value: 1 } });
      expect(bench.configuration.log.head?.version).toBe(1);
      expect(bench.configuration.statuses()).toEqual(
        bench.places.map(({ host, domain }) => ({ host, domain, version: 'v1', told: undefined })),
      );
      bench.run(400);
      expect(bench.engine.events).toBe(0);
      expect(bench.log).toEqual([]);
    },
  );

  it('reaches each host after one message per level', () => {
    for (const [distributors, messages] of [
      [[], 1],
      [[2], 2],
      [[2, 4], 3],
    ] as const) {
      const bench = new ConfigBench({ distributors });
      bench.at(100, () => bench.push('v2'));
      bench.run(10_000);
      expect([...bench.log].sort()).toEqual(bench.names.map((host) => `${host} v2 ${100 + 10 * messages}`));
    }
  });

  it('changes only the hosts it names; the others take note and go on', () => {
    const bench = new ConfigBench();
    bench.push('v2', ['h1', 'h4']);
    bench.run(10_000);
    expect(bench.have()).toEqual(['v1', 'v2', 'v1', 'v1', 'v2', 'v1']);
    expect(bench.configuration.statuses().map(({ told }) => told)).toEqual([
      ...[undefined, 'v2', undefined],
      ...[undefined, 'v2', undefined],
    ]);
    expect(bench.log).toHaveLength(2);
  });

  it('keeps every revision, also one that goes back, and none for what changes nothing', () => {
    const bench = new ConfigBench();
    bench.push('v2', ['h0']);
    bench.push('v2', ['h0']);
    bench.push('v1', ['h0']);
    expect(bench.configuration.log.history().map((entry) => entry.version)).toEqual([1, 2, 3]);
    expect(bench.configuration.log.diff(2, 3)).toEqual([{ path: 'hosts.h0', before: 'v2', after: 'v1' }]);
    bench.run(10_000);
    expect(bench.have()).toEqual(all('v1'));
  });

  it('does not take versions that there are not', () => {
    const bench = new ConfigBench();
    expect(() => bench.push('v9')).toThrow(PolicyFault);
    expect(bench.configuration.log.head?.version).toBe(1);
  });

  it('is pushed at a rate, one host after the other', () => {
    const bench = new ConfigBench({ distributors: [], pushesPerSecond: 2 });
    bench.push('v2');
    bench.run(60_000);
    expect(bench.log).toEqual(bench.names.map((host, at) => `${host} v2 ${10 + 500 * at}`));
  });

  it('has the same history for the same seed, and another for another', () => {
    const history = (seed: string): unknown => {
      const bench = new ConfigBench({ seed, loss: 0.4, latency: { type: 'uniform', min: 1, max: 3000 } });
      bench.push('v2');
      bench.at(5000, () => bench.push('v3', ['h1', 'h2']));
      bench.at(9000, () => bench.outage(20_000));
      bench.run(200_000);
      return [bench.log, bench.configuration.lags, bench.configuration.maxLagMs, bench.engine.events];
    };
    expect(history('a')).toEqual(history('a'));
    expect(history('a')).not.toEqual(history('b'));
  });
});

describe('what is lost or late on the way', () => {
  it('is sent again after the time for acknowledgements', () => {
    const bench = new ConfigBench({ hosts: 40, loss: 0.5, distributors: [] });
    bench.push('v2');
    bench.run(ACK_TIMEOUT_MS);
    const first = bench.log.length;
    // Half of 40, ± 4 standard deviations of 3.2.
    expect(first).toBeGreaterThan(7);
    expect(first).toBeLessThan(33);
    bench.run(ACK_TIMEOUT_MS + 11);
    expect(bench.log.length).toBeGreaterThan(first);
    bench.run(ACK_TIMEOUT_MS * 20);
    expect(bench.have()).toEqual(all('v2', 40));
  });

  it('arrives under any loss below 1, by a bound', () => {
    // After n rounds per level one of 20 hosts lacks it with a chance of at most 22 · loss^n: below 1e-6.
    for (const [loss, rounds] of [
      [0.1, 8],
      [0.5, 26],
      [0.9, 165],
    ] as const)
      for (const agent of ['push', 'push-and-poll']) {
        const bench = new ConfigBench({ hosts: 20, loss, agent, seed: `${loss}` });
        bench.push('v2');
        bench.run(2 * rounds * (ACK_TIMEOUT_MS + 20));
        expect(bench.have()).toEqual(all('v2', 20));
      }
  });

  it('does not bring an old version back when it is overtaken', () => {
    const bench = new ConfigBench({ hosts: 30, latency: { type: 'uniform', min: 0, max: 1000 } });
    let overtaken = 0;
    bench.push('v2');
    bench.at(100, () => bench.push('v3'));
    bench.run(60_000);
    for (const host of bench.names) {
      const taken = bench.log.filter((line) => line.startsWith(`${host} `)).map((line) => line.split(' ')[1]);
      expect([['v3'], ['v2', 'v3']]).toContainEqual(taken);
      if (taken.length === 1) overtaken++;
    }
    // Some were overtaken, or nothing was shown.
    expect(overtaken).toBeGreaterThan(3);
  });
});

describe('an outage', () => {
  it('of distributors leaves hosts with what they have, and they catch up afterwards', () => {
    const bench = new ConfigBench({ distributors: [2, 3] });
    bench.push('v2');
    bench.run(1000);
    bench.at(1000, () => bench.outage(60_000));
    bench.at(2000, () => bench.push('v3'));
    bench.run(61_000);
    expect(bench.have()).toEqual(all('v2'));
    // Streams are opened again after 30 s at most, per level.
    bench.run(61_000 + 3 * 31_000);
    expect(bench.have()).toEqual(all('v3'));
  });

  it('of distributors loses what was under way', () => {
    const bench = new ConfigBench({ distributors: [] });
    bench.push('v2');
    bench.at(5, () => bench.outage(2));
    bench.run(12);
    expect(bench.have()).toEqual(all('v1'));
    bench.run(40_000);
    expect(bench.have()).toEqual(all('v2'));
  });

  it('of distributors is made up for by streams that are opened again, also where nothing is sent again', () => {
    const bench = new ConfigBench({ distributors: [2, 3], ackTimeoutMs: Infinity });
    bench.outage(60_000);
    bench.at(1000, () => bench.push('v2'));
    bench.run(60_000 + 3 * 31_000);
    expect(bench.have()).toEqual(all('v2'));
  });

  it('is over only when each of several is', () => {
    const bench = new ConfigBench({ distributors: [] });
    bench.outage(10_000);
    bench.outage(50_000);
    bench.at(1000, () => bench.push('v2'));
    bench.run(50_000);
    expect(bench.have()).toEqual(all('v1'));
    bench.run(90_000);
    expect(bench.have()).toEqual(all('v2'));
  });

  it('of the store does not stop what is committed', () => {
    const bench = new ConfigBench();
    bench.push('v2');
    bench.link.setReachable(false);
    bench.run(1000);
    expect(bench.have()).toEqual(all('v2'));
  });
});

describe('a version that cannot be used', () => {
  it('is refused once by each host it is for; they keep what they have and take the next one', () => {
    const bench = new ConfigBench();
    bench.push('broken', ['h0', 'h1']);
    bench.run(30_000);
    expect(bench.have()).toEqual(all('v1'));
    expect(bench.configuration.refused).toBe(2);
    expect(bench.configuration.statuses()[0].told).toBe('broken');
    // Another revision that still has it for two hosts.
    bench.push('v2', ['h2']);
    bench.run(60_000);
    expect(bench.have()).toEqual(['v1', 'v1', 'v2', 'v1', 'v1', 'v1']);
    expect(bench.configuration.refused).toBe(2);
    bench.push('v2', ['h0', 'h1']);
    bench.run(90_000);
    expect(bench.have()).toEqual(['v2', 'v2', 'v2', 'v1', 'v1', 'v1']);
  });

  it('does not count as on its way', () => {
    const bench = new ConfigBench();
    bench.push('broken', ['h0']);
    bench.run(30_000);
    // Said again: no new revision, so nothing will come.
    bench.push('broken', ['h0']);
    bench.run(60_000);
    expect(bench.configuration.lags.count).toBe(0);
    expect(bench.configuration.maxLagMs).toBeNaN();
  });
});

describe('hosts that come and go', () => {
  it('have what was on their disk when they restart in place, and what is current soon after', () => {
    const bench = new ConfigBench({ distributors: [] });
    bench.push('v2');
    bench.run(1000);
    bench.configuration.hostDown('h0');
    bench.push('v3', ['h0']);
    bench.run(2000);
    expect(bench.configuration.versionOf('h0').name).toBe('v2');
    bench.configuration.hostRestarted('h0');
    expect(bench.configuration.versionOf('h0').name).toBe('v2');
    bench.run(2021);
    expect(bench.configuration.versionOf('h0').name).toBe('v3');
  });

  it('begin with the first version without a disk', () => {
    const bench = new ConfigBench({ distributors: [], params: { cacheOnDisk: false } });
    bench.push('v2');
    bench.run(1000);
    bench.configuration.hostRestarted('h0');
    expect(bench.configuration.versionOf('h0').name).toBe('v1');
    bench.run(1021);
    expect(bench.configuration.versionOf('h0').name).toBe('v2');
  });

  it('begin with the first version on a new machine, whatever the last one with this name had', () => {
    const bench = new ConfigBench({ distributors: [] });
    bench.push('v2');
    bench.run(1000);
    bench.configuration.hostGone('h0');
    expect(bench.configuration.statuses().map(({ host }) => host)).toEqual(['h1', 'h2', 'h3', 'h4', 'h5']);
    bench.run(2000);
    bench.configuration.hostCame({ host: 'h0', domain: 'zone-0' });
    bench.configuration.hostCame({ host: 'new', domain: 'zone-1' });
    expect(bench.configuration.versionOf('h0').name).toBe('v1');
    bench.run(60_000);
    expect(bench.configuration.versionOf('h0').name).toBe('v2');
    expect(bench.configuration.versionOf('new').name).toBe('v1');
    expect(bench.configuration.statuses().at(-1)).toEqual({ host: 'new', domain: 'zone-1', version: 'v1', told: undefined });
    bench.push('v3', ['new']);
    bench.run(61_000);
    expect(bench.configuration.versionOf('new').name).toBe('v3');
  });

  it('hear nothing while they are down, and nobody goes on sending to those that have gone', () => {
    const bench = new ConfigBench({ distributors: [] });
    bench.at(5, () => bench.configuration.hostDown('h0'));
    bench.at(5, () => bench.configuration.hostGone('h1'));
    bench.push('v2');
    bench.run(100_000);
    expect(bench.have()).toEqual(['v1', 'v2', 'v2', 'v2', 'v2']);
    const { events } = bench.engine;
    bench.run(200_000);
    expect(bench.engine.events - events).toBe(0);
  });
});

describe('the lag of configuration', () => {
  it('counts from the decision to use, and for those under way until now', () => {
    const bench = new ConfigBench({ distributors: [] });
    bench.push('v2', ['h0', 'h1']);
    bench.run(100);
    expect(bench.configuration.lags).toEqual({ count: 2, sumMs: 20 });
    expect(bench.configuration.maxLagMs).toBe(10);
    bench.configuration.hostDown('h2');
    bench.push('v2', ['h2']);
    bench.run(1100);
    expect(bench.configuration.lags.count).toBe(2);
    expect(bench.configuration.maxLagMs).toBe(1000);
    bench.configuration.hostGone('h2');
    expect(bench.configuration.maxLagMs).toBe(10);
  });

  it('does not begin anew when the same is decided again', () => {
    const bench = new ConfigBench({ distributors: [], latency: { type: 'constant', value: 100 } });
    bench.push('v2', ['h0']);
    bench.at(50, () => bench.push('v2', ['h0', 'h1']));
    bench.run(1000);
    expect(bench.configuration.lags).toEqual({ count: 2, sumMs: 200 });
  });
});

interface Step {
  readonly afterMs: number;
  readonly act: 'push' | 'outage' | 'down' | 'restart' | 'go' | 'come';
  readonly host: number;
  readonly version: number;
}

const steps = fc.array(
  fc.record({
    afterMs: fc.nat(20_000),
    act: fc.constantFrom<Step['act']>('push', 'push', 'push', 'outage', 'down', 'restart', 'go', 'come'),
    host: fc.nat(5),
    version: fc.nat(3),
  }),
  { minLength: 1, maxLength: 15 },
);

/** What a host goes through stays in order: only those that are down or gone come back. */
function take(bench: ConfigBench, away: Map<string, 'down' | 'gone'>, { act, host, version: index, afterMs }: Step): void {
  const place = bench.places[host];
  const name = place.host;
  const state = away.get(name);
  if (act === 'push') bench.push(versions[index].name, bench.names.slice(host));
  else if (act === 'outage') bench.outage(1 + afterMs);
  else if (act === 'down' && state === undefined) {
    bench.configuration.hostDown(name);
    away.set(name, 'down');
  } else if (act === 'go' && state !== 'gone') {
    bench.configuration.hostGone(name);
    away.set(name, 'gone');
  } else if (act === 'restart' && state !== 'gone') {
    bench.configuration.hostRestarted(name);
    away.delete(name);
  } else if (act === 'come' && state === 'gone') {
    bench.configuration.hostCame(place);
    away.delete(name);
  }
}

describe('whatever happens on the way', () => {
  it('every host that is there has in the end what was accepted last, or what it had if it cannot use that', () => {
    const settings = fc.record({
      agent: fc.constantFrom(...Object.keys(agents)),
      params: fc.constantFrom({}, { cacheOnDisk: false }),
      loss: fc.constantFrom(0, 0.1, 0.5),
      latency: fc.constantFrom<DistributionSpec>(
        { type: 'constant', value: 0 },
        { type: 'uniform', min: 0, max: 5000 },
        { type: 'exponential', mean: 1000 },
      ),
      distributors: fc.constantFrom([], [1], [2, 3]),
      seed: fc.nat(1e6).map(String),
    });
    fc.assert(
      fc.property(settings, steps, (chosen, list) => {
        const bench = new ConfigBench(chosen);
        const away = new Map<string, 'down' | 'gone'>();
        let atMs = 0;
        for (const step of list) {
          atMs += step.afterMs;
          bench.at(atMs, () => take(bench, away, step));
        }
        bench.run(atMs + 3_600_000);
        for (const { host, told, version: has } of bench.configuration.statuses())
          if (away.get(host) === undefined && told !== 'broken') expect([host, has]).toEqual([host, told ?? 'v1']);
        expect(bench.have()).not.toContain('broken');
      }),
      { numRuns: 200, seed: 3 },
    );
  });
});
