/** The whole way: controllers decide, the store takes it, distributors hand it on, hosts use it and are seen to. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChangeSubject } from '../../../src/cluster/change/change-subject.ts';
import { Configuration } from '../../../src/cluster/change/configuration.ts';
import { Controllers } from '../../../src/cluster/change/controllers.ts';
import { StoreLink } from '../../../src/cluster/change/store-link.ts';
import { leaseElection } from '../../../src/policies/rollout/elections/index.ts';
import { agents } from '../../../src/policies/rollout/propagation/index.ts';
import type { RolloutRequest } from '../../../src/policies/rollout/rollout-controller.ts';
import { consulStore, etcdStore } from '../../../src/policies/rollout/store/index.ts';
import type { RolloutAction, RolloutObservation } from '../../../src/policies/rollout/strategies/index.ts';
import { stagedWaves } from '../../../src/policies/rollout/strategies/index.ts';
import type { VersionSpec } from '../../../src/scenario/spec.ts';
import { Bench } from './harness.ts';

const versions: readonly VersionSpec[] = ['v1', 'v2', 'broken'].map((name) => ({
  ...{ name, isBad: name === 'broken', effects: [], isMalformed: name === 'broken' },
}));
const HOSTS = 8;
const MINUTE = 60_000;

interface Settings {
  readonly seed: string;
  readonly controllers: number;
  readonly isFenced: boolean;
  readonly loss: number;
  readonly agent: string;
  readonly store: 'etcd' | 'consul';
}
const calm: Settings = { seed: 'delivery', controllers: 1, isFenced: true, loss: 0, agent: 'push', store: 'etcd' };

class DeliveryBench extends Bench implements ChangeSubject {
  readonly service = 0;
  readonly kind = 'config';
  readonly link: StoreLink;
  readonly configuration: Configuration;
  readonly controllers: Controllers;
  readonly phases: string[] = [];
  /** Moments at which revisions were decided. */
  readonly decisions: number[] = [];
  private wanted: RolloutRequest | undefined;

  constructor({ seed, controllers, isFenced, loss, agent, store }: Settings = calm) {
    super(seed);
    const { errands, streams } = this;
    const latency = { type: 'uniform', min: 1, max: 200 } as const;
    const makeStore = store === 'etcd' ? etcdStore : consulStore;
    this.link = new StoreLink({ errands, streams, latency, makeStore: (deps) => makeStore.make({}, deps) });
    this.configuration = new Configuration({
      ...{ errands, streams, store: this.link, service: 'api', versions },
      hosts: Array.from({ length: HOSTS }, (_, at) => ({ host: `api/${at}`, domain: 'a' })),
      delivery: { latency, loss, distributors: [2], pushesPerSecond: Infinity, ackTimeoutMs: 5000 },
      makeAgent: (deps) => agents[agent].make({}, deps),
      applied: () => this.controllers.changed(this),
    });
    this.controllers = new Controllers({
      ...{ errands, streams, link: this.link, delivery: { controllers, isFenced }, subjects: [this] },
      makeElector: (deps) => leaseElection.make({}, deps),
      makeRollout: () =>
        stagedWaves.make(
          {
            stages: [
              { count: 2, soak: 30_000 },
              { fraction: 1, soak: 30_000 },
            ],
            oneDomainAtATime: false,
            stageDeadline: 10 * MINUTE,
          },
          { unit: 'hosts' },
        ),
    });
    this.configuration.start();
    this.controllers.start();
  }

  request(): RolloutRequest | undefined {
    return this.wanted;
  }

  observe(): RolloutObservation {
    return {
      ...{ nowMs: this.nowMs, desired: 0, groups: [], weights: undefined, mirror: undefined },
      hosts: this.configuration.statuses().map((status) => ({ ...status, isHealthy: true })),
      metric: () => undefined,
    };
  }

  carryOut(action: RolloutAction): void {
    if (action.kind === 'phase') this.phases.push(action.phase);
    if (action.kind !== 'push') return;
    if (this.configuration.push(action.version, action.hosts).kind === 'committed') this.decisions.push(this.nowMs);
  }

  want(to: string): void {
    this.wanted = { from: 'v1', to };
    this.controllers.changed(this);
  }

  have(): ReadonlySet<string | undefined> {
    return new Set(this.configuration.statuses().map(({ version }) => version));
  }
}

describe('delivery', () => {
  it('takes a decision all the way to the hosts, a stage at a time', () => {
    const bench = new DeliveryBench();
    bench.at(MINUTE, () => bench.want('v2'));
    bench.run(10 * MINUTE);
    expect([...bench.have()]).toEqual(['v2']);
    expect(bench.phases.at(-1)).toBe('succeeded');
    expect(bench.configuration.log.head?.version).toBe(3);
    // The first stage is looked at for half a minute after its hosts have it.
    expect(bench.decisions[1] - bench.decisions[0]).toBeGreaterThan(30_000);
    expect(bench.configuration.lags.count).toBe(HOSTS);
  });

  it('decides nothing new while the store is out; what was decided goes on', () => {
    const bench = new DeliveryBench();
    bench.at(MINUTE, () => bench.want('v2'));
    bench.run(MINUTE + 1000);
    const [decidedMs] = bench.decisions;
    bench.link.setReachable(false);
    bench.at(3 * MINUTE, () => bench.link.setReachable(true));
    bench.run(3 * MINUTE);
    expect(bench.decisions).toEqual([decidedMs]);
    expect(bench.configuration.statuses().filter(({ version }) => version === 'v2')).toHaveLength(2);
    bench.run(10 * MINUTE);
    expect(bench.decisions[1]).toBeGreaterThan(3 * MINUTE);
    expect([...bench.have()]).toEqual(['v2']);
  });

  it('gives up what hosts refuse, and they are told to use what they have', () => {
    const bench = new DeliveryBench();
    bench.at(MINUTE, () => bench.want('broken'));
    bench.run(30 * MINUTE);
    expect(bench.configuration.refused).toBe(2);
    expect([...bench.have()]).toEqual(['v1']);
    expect(bench.phases.at(-1)).toBe('aborted');
    expect(bench.configuration.statuses().some(({ told }) => told === 'broken')).toBe(false);
  });

  it('ends with what was asked for, whatever happened under way', () => {
    const settings = fc.record({
      seed: fc.nat(1e6).map(String),
      controllers: fc.constantFrom(1, 3),
      isFenced: fc.boolean(),
      loss: fc.constantFrom(0, 0.2),
      agent: fc.constantFrom('push', 'push-and-poll'),
      store: fc.constantFrom('etcd' as const, 'consul' as const),
    });
    const troubles = fc.array(
      fc.record({
        atMs: fc.integer({ min: MINUTE, max: 5 * MINUTE }),
        forMs: fc.integer({ min: 1, max: MINUTE }),
        kind: fc.constantFrom('leader' as const, 'store' as const, 'distributors' as const),
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(settings, troubles, (chosen, list) => {
        const bench = new DeliveryBench(chosen);
        bench.at(MINUTE, () => bench.want('v2'));
        for (const { atMs, forMs, kind } of list)
          bench.at(atMs, () => {
            if (kind === 'leader') {
              const paused = bench.controllers.pause('leader');
              bench.errands.later(forMs, () => bench.controllers.resume(paused));
            } else {
              const set = (works: boolean): void =>
                kind === 'store' ? bench.link.setReachable(works) : bench.configuration.setDistributing(works);
              set(false);
              bench.errands.later(forMs, () => set(true));
            }
          });
        bench.run(30 * MINUTE);
        expect([...bench.have()]).toEqual(['v2']);
        const content = bench.configuration.log.content(bench.configuration.log.head!.version);
        expect(content).toEqual({ hosts: Object.fromEntries(bench.configuration.statuses().map(({ host }) => [host, 'v2'])) });
        if (chosen.isFenced) expect([bench.controllers.stale, bench.phases.at(-1)]).toEqual([0, 'succeeded']);
      }),
      { numRuns: 100, seed: 5 },
    );
  });
});
