/** Every elector against its contract, the contract against electors that break it, and what a pause longer than the lease does with and
 *  without tokens. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ElectionTrial, electorRules } from '../../../src/policies/rollout/elections/contract.ts';
import {
  checkElector,
  type Elector,
  electors,
  leaseElection,
  sessionLock,
} from '../../../src/policies/rollout/elections/index.ts';
import { FencedTarget } from '../../../src/policies/rollout/store/index.ts';

const variants: Readonly<Record<string, readonly object[]>> = {
  'lease-election': [{ leaseDuration: 60_000, renewDeadline: 15_000, retryPeriod: 5000 }, { jitterFactor: 0 }],
  'session-lock': [{ ttl: 15_000, retryPeriod: 1000 }],
};
for (const definition of Object.values(electors)) {
  describe.each([{}, ...(variants[definition.name] ?? [])])(
    `${definition.name} %j keeps the contract of electors: it`,
    (params) => {
      it.each(electorRules)('$name', (rule) => expect(rule.check((deps) => definition.make(params, deps))).toEqual([]));
    },
  );
}

describe('the contract of electors', () => {
  const found = (spoil: (elector: Elector) => Partial<Elector>): readonly string[] =>
    checkElector((deps) => {
      const elector = sessionLock.make({ ttl: 15_000 }, deps);
      const spoilt = spoil(elector);
      return new Proxy(elector, {
        get: (target, key) => {
          const value: unknown = Reflect.get(key in spoilt ? spoilt : target, key, target);
          return typeof value === 'function' && !(key in spoilt) ? value.bind(target) : value;
        },
      });
    });

  it('notices that all believe to lead, under one token', () => {
    const violations = found(() => ({ isLeader: true, token: 1 })).join();
    expect(violations).toContain('comes to have one leader');
    expect(violations).toContain('never gives two controllers the same token');
  });

  it('notices leaders that never give up', () => {
    expect(found((elector) => ({ stop: () => elector.isLeader })).join()).toContain('hands over soon');
  });
});

describe('a leader that is paused for longer than its lease', () => {
  /** Every controller writes what it thinks, once a second, if it believes to lead. */
  const story = (hasFencing: boolean): readonly string[] => {
    const trial = new ElectionTrial((deps) => sessionLock.make({ ttl: 10_000, retryPeriod: 1000 }, deps), 2);
    const target = new FencedTarget();
    const written: string[] = [];
    const write = (at: number, token: number): void => {
      if (!hasFencing || target.accept(token)) written.push(`controller ${at}`);
    };
    trial.run(30_000);
    const [first] = trial.leaders();
    const { token } = trial.electors[first];
    write(first, token!);
    trial.pause(first, 60_000);
    trial.run(40_000);
    const second = 1 - first;
    write(second, trial.electors[second].token!);
    // What the first one was about to write when it was paused goes out now.
    write(first, token!);
    return written.map((who) => (who === `controller ${first}` ? 'first' : 'second'));
  };

  it('overwrites what its follower wrote, if nobody checks tokens', () => {
    expect(story(false)).toEqual(['first', 'second', 'first']);
  });

  it('is refused, if tokens are checked', () => {
    expect(story(true)).toEqual(['first', 'second']);
  });
});

describe('lease election', () => {
  it('refuses lengths that cannot be kept to', () => {
    const deps = {
      rng: { next: () => 0, uint32: () => 0, below: () => 0 },
      host: { request: () => {} },
      key: 'k',
      identity: 'i',
    };
    expect(() => leaseElection.make({ leaseDuration: 10_000 }, deps)).toThrow(/leaseDuration must be above/);
    expect(() => leaseElection.make({ retryPeriod: 9000 }, deps)).toThrow(/jitterFactor times retryPeriod/);
  });

  it('is safe with tokens checked, however long anybody pauses whenever', () => {
    const pauses = fc.array(fc.record({ who: fc.nat(2), forMs: fc.nat(60_000), afterMs: fc.nat(30_000) }), { maxLength: 12 });
    fc.assert(
      fc.property(pauses, fc.integer({ min: 1, max: 1000 }), (list, seed) => {
        const trial = new ElectionTrial((deps) => leaseElection.make({}, deps), 3, seed);
        const target = new FencedTarget();
        let lastWriter: number | undefined;
        const former = new Set<number>();
        for (const { who, forMs, afterMs } of list) {
          trial.run(afterMs);
          // Everybody who believes to lead writes, paused or not: a write under way does not know that its sender sleeps.
          for (const at of trial.leaders()) {
            const token = trial.electors[at].token!;
            if (!target.accept(token)) continue;
            expect(former.has(token)).toBe(false);
            if (lastWriter !== undefined && lastWriter !== token) former.add(lastWriter);
            lastWriter = token;
          }
          trial.pause(who, forMs);
        }
        expect(trial.violations).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
