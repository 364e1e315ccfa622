/** Every store against its contract, and the contract against stores that break it. */
import { describe, expect, it } from 'vitest';
import { storeRules } from '../../../src/policies/rollout/store/contract.ts';
import { checkStore, type ConfigStore, etcdStore, stores } from '../../../src/policies/rollout/store/index.ts';

const variants: Readonly<Record<string, readonly object[]>> = {
  etcd: [{ heartbeatInterval: 500, electionTimeout: 5000 }, { leaseRevokeRate: 2 }, { compactionRetention: 10 }],
  consul: [{ behavior: 'delete' }, { lockDelay: 0 }, { sessionTtlMultiplier: 1 }, { waitTime: 1000 }],
};
for (const definition of Object.values(stores)) {
  describe.each([{}, ...(variants[definition.name] ?? [])])(
    `${definition.name} %j keeps the contract of stores: it`,
    (params) => {
      it.each(storeRules)('$name', (rule) => expect(rule.check((deps) => definition.make(params, deps))).toEqual([]));
    },
  );
}

describe('the contract of stores', () => {
  const found = (spoil: (store: ConfigStore) => Partial<ConfigStore>): readonly string[] =>
    checkStore((deps) => {
      const store = etcdStore.make({}, deps);
      const spoilt = spoil(store);
      return new Proxy(store, {
        get: (target, key) => {
          const value: unknown = Reflect.get(key in spoilt ? spoilt : target, key, target);
          return typeof value === 'function' && !(key in spoilt) ? value.bind(target) : value;
        },
      });
    });

  it('notices that the last writer wins', () => {
    const violations = found((store) => ({
      compareAndSwap: (key, _, value, nowMs) => ({ succeeded: true, revision: store.put(key, value, nowMs) }),
    }));
    expect(violations.join()).toContain('lets one of those win');
  });

  it('notices leases that never end, and locks given twice', () => {
    expect(found(() => ({ keepAlive: () => 'renewed' })).join()).toContain('renews a lease that was long over');
    expect(found(() => ({ acquire: () => ({ state: 'held', token: 1 }) })).join()).toContain('gives a lock to one at a time');
  });

  it('notices watchers who are told nothing, and prefixes that catch too much', () => {
    expect(found(() => ({ watch: () => ({ kind: 'from', revision: 1 }) })).join()).toContain('a watcher believes');
    expect(found((store) => ({ list: () => store.list('') })).join()).toContain('lists what is below a prefix');
  });
});
