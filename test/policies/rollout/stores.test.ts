/** What single stores do, and that they behave like one copy whatever happens. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaults } from '../../../src/core/params.ts';
import {
  type ConfigStore,
  ConsulStore,
  consulStore,
  type WatchDelivery,
  EtcdStore,
  etcdStore,
  FencedTarget,
  performOn,
  type StoreDefinition,
  stores,
} from '../../../src/policies/rollout/store/index.ts';
import { testRng } from '../fixtures.ts';

const deps = (deliver: (watcher: number, delivery: WatchDelivery) => void = () => {}) => ({ rng: testRng(1), host: { deliver } });
const etcd = (settings: object = {}, deliver?: (watcher: number, delivery: WatchDelivery) => void): EtcdStore =>
  new EtcdStore({ ...defaults(etcdStore.params), ...settings }, deps(deliver));
const consul = (settings: object = {}, deliver?: (watcher: number, delivery: WatchDelivery) => void): ConsulStore =>
  new ConsulStore({ ...defaults(consulStore.params), ...settings }, deps(deliver));
/** Runs timers up to a moment. */
const wait = (store: ConfigStore, untilMs: number): void => {
  while (store.nextTimerMs() <= untilMs) store.onTimer(store.nextTimerMs());
};

const key = fc.constantFrom('a', 'b', 'a/c');
const operation = fc.oneof(
  fc.record({ op: fc.constant('put' as const), key, value: fc.string() }),
  fc.record({ op: fc.constant('swap' as const), key, value: fc.string(), isCurrent: fc.boolean() }),
  fc.record({ op: fc.constant('delete' as const), key }),
);

describe.each(Object.values(stores))('the store $name', (definition: StoreDefinition) => {
  it('behaves like one copy: what is read is what was written last, and stale writers lose', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const store = definition.make({}, deps());
        const model = new Map<string, { readonly value: string; readonly at: number; readonly version: number }>();
        operations.forEach((operation, at) => {
          const before = store.revision;
          const known = model.get(operation.key);
          let isWritten = true;
          if (operation.op === 'delete') {
            store.delete(operation.key, at);
            model.delete(operation.key);
          } else {
            if (operation.op === 'put') store.put(operation.key, operation.value, at);
            else {
              const seen = store.get(operation.key)?.modRevision ?? 0;
              isWritten = store.compareAndSwap(
                operation.key,
                operation.isCurrent ? seen : seen + 1,
                operation.value,
                at,
              ).succeeded;
              expect(isWritten).toBe(operation.isCurrent);
            }
            if (isWritten)
              model.set(operation.key, { value: operation.value, at: store.revision, version: (known?.version ?? 0) + 1 });
          }
          expect(store.revision).toBeGreaterThanOrEqual(before);
          const read = store.list('').map((entry) => [entry.key, entry.value, entry.modRevision, entry.version]);
          const expected = [...model]
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, { value, at: revision, version }]) => [name, value, revision, version]);
          expect(read).toEqual(expected);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('does through requests what it does when it is called', () => {
    const store = definition.make({}, deps());
    const lease = performOn(store, { op: 'grant-lease', ttlMs: 20_000 }, 0) as { readonly lease: number };
    expect(performOn(store, { op: 'put', key: 'a', value: '1' }, 0)).toMatchObject({ kind: 'written', succeeded: true });
    const { entry } = performOn(store, { op: 'get', key: 'a' }, 0) as { readonly entry: { readonly modRevision: number } };
    const swap = { op: 'compare-and-swap', key: 'a', modRevision: entry.modRevision, value: '2' } as const;
    expect(performOn(store, swap, 0)).toMatchObject({ succeeded: true });
    expect(performOn(store, swap, 0)).toMatchObject({ succeeded: false });
    expect(performOn(store, { op: 'acquire', key: 'l', lease: lease.lease, value: 'me' }, 0)).toMatchObject({
      result: { state: 'held' },
    });
    expect(performOn(store, { op: 'keep-alive', lease: lease.lease }, 0)).toEqual({ kind: 'keep-alive', result: 'renewed' });
    expect(performOn(store, { op: 'release', key: 'l', lease: lease.lease }, 0)).toEqual({ kind: 'done', succeeded: true });
    expect(performOn(store, { op: 'revoke-lease', lease: lease.lease }, 0)).toEqual({ kind: 'done', succeeded: true });
    expect(performOn(store, { op: 'list', prefix: 'a' }, 0)).toMatchObject({ entries: [{ key: 'a', value: '2' }] });
  });
});

describe('etcd', () => {
  it('replays exactly what happened since a revision, then what happens', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), fc.nat(40), fc.nat(45), (operations, joinAt, from) => {
        const seen: (readonly [number, string])[] = [];
        const all: (readonly [number, string])[] = [];
        const store = etcd({}, (watcher, delivery) => {
          if (delivery.kind !== 'events') return;
          for (const event of delivery.events) (watcher === 1 ? all : seen).push([event.revision, `${event.kind} ${event.key}`]);
        });
        store.watch(1, '', 2, 0);
        let first = from;
        operations.forEach((operation, at) => {
          if (at === joinAt) {
            const start = store.watch(2, 'a', from, 0);
            if (start.kind === 'from') first = start.revision;
          }
          if (operation.op === 'delete') store.delete(operation.key, at);
          else store.put(operation.key, operation.value, at);
        });
        if (joinAt >= operations.length) return;
        expect(seen).toEqual(all.filter(([revision, text]) => revision >= first && / a/.test(text)));
      }),
    );
  });

  it('ends watches that begin before what history is kept', () => {
    const store = etcd({ compactionRetention: 5 });
    for (let i = 0; i < 20; i++) store.put('a', String(i), 0);
    wait(store, 300_000);
    expect(store.watch(1, '', 10, 0)).toEqual({ kind: 'compacted', revision: 16 });
    expect(store.watch(1, '', 16, 0)).toEqual({ kind: 'from', revision: 16 });
  });

  it('takes the keys of a lease down with it, in one revision', () => {
    const events: WatchDelivery[] = [];
    const store = etcd({}, (_, delivery) => events.push(delivery));
    const { lease } = store.grantLease(5000, 0)!;
    store.putWithLease('a', '', lease, 0);
    store.putWithLease('b', '', lease, 0);
    const { revision } = store;
    store.watch(1, '', 0, 0);
    wait(store, 10_000);
    expect(events).toEqual([
      {
        kind: 'events',
        revision: revision + 1,
        events: ['a', 'b'].map((name) => ({ kind: 'delete', revision: revision + 1, key: name, value: undefined })),
      },
    ]);
  });

  it('gives a lock to waiters in the order in which they came', () => {
    const store = etcd();
    const [a, b, c] = [1, 2, 3].map(() => store.grantLease(60_000, 0)!.lease);
    expect([c, a, b].map((lease) => store.acquire('lock', lease, 0).state)).toEqual(['held', 'waiting', 'waiting']);
    store.release('lock', c, 0);
    expect(store.acquire('lock', b, 0).state).toBe('waiting');
    expect(store.holder('lock')?.lease).toBe(a);
  });
});

describe('Consul', () => {
  it('keeps a lost holder’s lock from others for the lock delay, after up to twice its time to live', () => {
    const store = consul();
    const lost = store.grantLease(10_000, 0)!.lease;
    const next = store.grantLease(3_600_000, 0)!.lease;
    store.acquire('lock', lost, 0);
    const stateAt = (nowMs: number): string => {
      wait(store, nowMs);
      return store.acquire('lock', next, nowMs).state;
    };
    expect([10_001, 19_999, 20_001, 34_999, 35_000].map(stateAt)).toEqual(['refused', 'refused', 'refused', 'refused', 'held']);
  });

  it('deletes the locked keys of a lost session, if that is its behaviour', () => {
    const store = consul({ behavior: 'delete' });
    const { lease } = store.grantLease(10_000, 0)!;
    store.acquire('lock', lease, 0, 'mine');
    wait(store, 60_000);
    expect(store.get('lock')).toBeUndefined();
  });

  it('answers a waiting query once, with what there is then', () => {
    const answers: WatchDelivery[] = [];
    const store = consul({}, (_, delivery) => answers.push(delivery));
    store.put('a/1', 'x', 0);
    store.watch(1, 'a/', store.get('a/1')!.modRevision, 0);
    store.put('b', 'other', 0);
    expect(answers).toHaveLength(0);
    store.put('a/2', 'y', 0);
    store.put('a/3', 'z', 0);
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatchObject({ kind: 'snapshot', entries: [{ key: 'a/1' }, { key: 'a/2' }] });
  });
});

describe('a fenced target', () => {
  it('lets nobody write after somebody with a higher token has', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (tokens) => {
        const target = new FencedTarget();
        const accepted = tokens.filter((token) => target.accept(token));
        expect(accepted).toEqual([...accepted].sort((a, b) => a - b));
        expect(Math.max(-Infinity, ...tokens)).toBe(target.highestToken);
      }),
    );
  });
});
