/** Several controllers of one roll-out: who takes over goes on, and who comes back from a long pause does harm only where tokens are not
 *  checked. */
import { describe, expect, it } from 'vitest';
import { ElectionTrial } from '../../../src/policies/rollout/elections/contract.ts';
import { FencedTarget, RolloutController, sessionLock, stagedWaves } from '../../../src/policies/rollout/index.ts';
import type { HostStatus, RolloutObservation } from '../../../src/policies/rollout/strategies/index.ts';

/** Two controllers, ten hosts, and whoever carries out what controllers say. */
class Fleet {
  readonly trial = new ElectionTrial((deps) => sessionLock.make({ ttl: 10_000, retryPeriod: 1000 }, deps), 2);
  readonly target: FencedTarget | undefined;
  readonly versions = Array.from({ length: 10 }, () => 'v1');
  readonly log: string[] = [];
  readonly controllers: readonly RolloutController[];
  request = { from: 'v1', to: 'v2' };
  #memory: string | undefined;

  constructor(hasFencing: boolean) {
    this.target = hasFencing ? new FencedTarget() : undefined;
    this.controllers = this.trial.electors.map(
      (elector) =>
        new RolloutController({
          elector,
          makeRollout: () =>
            stagedWaves.make(
              {
                stages: [
                  { count: 2, soak: 20_000 },
                  { count: 6, soak: 20_000 },
                ],
                oneDomainAtATime: false,
              },
              { unit: 'hosts' },
            ),
          readMemory: () => this.#memory,
        }),
    );
    this.trial.run(15_000);
  }

  observe(): RolloutObservation {
    const hosts = this.versions.map((version, at): HostStatus => ({
      host: `h${at}`,
      domain: 'd',
      version,
      told: version,
      isHealthy: true,
    }));
    const nowMs = this.trial.nowMs;
    return { nowMs, desired: 0, groups: [], weights: undefined, mirror: undefined, hosts, metric: () => undefined };
  }

  /** What a controller says to what it sees, and what becomes of it. */
  act(controller: number, seen = this.observe()): void {
    const said = this.controllers[controller].step(this.request, seen);
    if (said === undefined) return;
    if (this.target !== undefined && !this.target.accept(said.token)) {
      this.log.push(`${controller} refused`);
      return;
    }
    this.#memory = said.memory;
    for (const action of said.actions) {
      if (action.kind !== 'push') continue;
      this.log.push(`${controller} pushes ${action.version} to ${action.hosts.length}`);
      for (const host of action.hosts) this.versions[Number(host.slice(1))] = action.version;
    }
  }

  run(forMs: number, controller: number): void {
    for (let ms = 0; ms < forMs; ms += 1000) {
      this.trial.run(1000);
      this.act(controller);
    }
  }

  count(version: string): number {
    return this.versions.filter((each) => each === version).length;
  }
}

describe('several controllers of one roll-out', () => {
  it('leave it to the one that leads', () => {
    const fleet = new Fleet(true);
    const [leader] = fleet.trial.leaders();
    fleet.act(1 - leader);
    expect(fleet.log).toEqual([]);
    fleet.act(leader);
    expect(fleet.log).toEqual([`${leader} pushes v2 to 2`]);
  });

  it('go on where the last one was, not from the beginning', () => {
    const fleet = new Fleet(true);
    const [first] = fleet.trial.leaders();
    fleet.run(30_000, first);
    expect(fleet.count('v2')).toBe(6);
    fleet.trial.pause(first, Infinity);
    fleet.trial.run(30_000);
    const second = 1 - first;
    expect(fleet.trial.electors[second].isLeader).toBe(true);
    fleet.run(60_000, second);
    expect(fleet.log).toEqual([`${first} pushes v2 to 2`, `${first} pushes v2 to 4`, `${second} pushes v2 to 4`]);
    expect(fleet.controllers[second].rollout.phase).toBe('succeeded');
  });

  /** The first leader sees a stage that is over, and is paused before it can say so; meanwhile everything was taken back. */
  const pausedLeader = (hasFencing: boolean): Fleet => {
    const fleet = new Fleet(hasFencing);
    const [first] = fleet.trial.leaders();
    fleet.run(5000, first);
    const seen = { ...fleet.observe(), nowMs: fleet.trial.nowMs + 30_000 };
    fleet.trial.pause(first, 120_000);
    fleet.trial.run(60_000);
    const second = 1 - first;
    fleet.request = { from: 'v1', to: 'v1' };
    fleet.run(5000, second);
    expect(fleet.count('v1')).toBe(10);
    fleet.request = { from: 'v1', to: 'v2' };
    fleet.act(first, seen);
    return fleet;
  };

  it('are undone by one that comes back from a pause longer than its lease, if nobody checks tokens', () => {
    expect(pausedLeader(false).count('v2')).toBeGreaterThan(0);
  });

  it('are safe from it, if tokens are checked', () => {
    const fleet = pausedLeader(true);
    expect(fleet.count('v2')).toBe(0);
    expect(fleet.log.at(-1)).toMatch(/refused$/);
  });
});
