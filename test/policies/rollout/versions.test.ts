/** Versions of a configuration: one address per content, a history without forks, differences, and the way back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consulStore, etcdStore, type StoreDefinition } from '../../../src/policies/rollout/store/index.ts';
import { addressOf, canonical, type Content, diff, VersionLog } from '../../../src/policies/rollout/versions/index.ts';
import { testRng } from '../fixtures.ts';

const content = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Content>;

describe('an address', () => {
  it('is the same for equal contents, in whatever order they were written', () => {
    expect(canonical({ b: [1, 'x', null], a: { d: true, c: 2 } })).toBe('{"a":{"c":2,"d":true},"b":[1,"x",null]}');
    expect(addressOf({ a: 1, b: 2 })).toBe(addressOf({ b: 2, a: 1 }));
    expect(addressOf('')).toBe('12ae32cb1ec02d01eda3581b127c1fee3b0dc53572ed6baf239721a03d82e126');
  });

  it('differs for different contents', () => {
    fc.assert(fc.property(content, content, (a, b) => (addressOf(a) === addressOf(b)) === (diff(a, b).length === 0)));
  });

  it('cannot be had for what JSON cannot hold', () => {
    expect(() => addressOf({ a: Number.NaN })).toThrow('NaN cannot be part of a configuration');
  });
});

describe('a difference', () => {
  it('names what was added, removed and changed, by path', () => {
    const before = { web: { replicas: 2, zones: ['a', 'b'] }, old: 1 };
    const after = { web: { replicas: 3, zones: ['a', 'c', 'd'] }, fresh: { x: 1 } };
    expect(diff(before, after)).toEqual([
      { path: 'fresh', before: undefined, after: { x: 1 } },
      { path: 'old', before: 1, after: undefined },
      { path: 'web.replicas', before: 2, after: 3 },
      { path: 'web.zones.1', before: 'b', after: 'c' },
      { path: 'web.zones.2', before: undefined, after: 'd' },
    ]);
    expect(diff({ a: [1] }, { a: { 0: 1 } })).toEqual([{ path: 'a', before: [1], after: { 0: 1 } }]);
  });

  it('is the same backwards, the other way round', () => {
    fc.assert(
      fc.property(content, content, (a, b) => {
        const back = diff(b, a).map(({ path, before, after }) => ({ path, before: after, after: before }));
        expect(back).toEqual(diff(a, b));
      }),
    );
  });
});

describe.each([etcdStore, consulStore])('versions in $name', (definition: StoreDefinition) => {
  const logs = (check?: ConstructorParameters<typeof VersionLog>[0]['check']): readonly [VersionLog, VersionLog] => {
    const store = definition.make({}, { rng: testRng(1), host: { deliver: () => {} } });
    const options = { store, prefix: 'config/web/', ...(check === undefined ? {} : { check }) };
    return [new VersionLog(options), new VersionLog(options)];
  };
  const commit = (log: VersionLog, base: number, value: Content, nowMs = 0) =>
    log.commit({ base, content: value, author: 'ann', message: `to ${canonical(value)}` }, nowMs);

  it('have a history with addresses, and can be read by everybody', () => {
    const [ann, bob] = logs();
    commit(ann, 0, { limit: 1 }, 100);
    commit(ann, 1, { limit: 2 }, 200);
    expect(bob.history().map(({ version, atMs, message }) => [version, atMs, message])).toEqual([
      [1, 100, 'to {"limit":1}'],
      [2, 200, 'to {"limit":2}'],
    ]);
    expect(bob.content(1)).toEqual({ limit: 1 });
    expect(bob.head?.digest).toBe(addressOf({ limit: 2 }));
    expect(bob.update(2)).toEqual({ version: 2, digest: addressOf({ limit: 2 }), content: '{"limit":2}' });
    expect(bob.diff(1, 2)).toEqual([{ path: 'limit', before: 1, after: 2 }]);
  });

  it('let one of two win who changed the same version', () => {
    const [ann, bob] = logs();
    commit(ann, 0, 'first');
    expect(commit(ann, 1, 'of ann').kind).toBe('committed');
    expect(commit(bob, 1, 'of bob')).toEqual({ kind: 'conflict', current: 2 });
    expect(commit(bob, 2, 'of bob').kind).toBe('committed');
  });

  it('go back by going forward', () => {
    const [log] = logs();
    for (const value of ['one', 'two', 'three']) commit(log, log.head?.version ?? 0, value);
    const result = log.revert(1, 'bob', 500);
    expect(result).toMatchObject({
      kind: 'committed',
      entry: { version: 4, message: 'Back to version 1', digest: addressOf('one') },
    });
    expect(log.content(4)).toBe('one');
    expect(log.revert(1, 'bob', 600).kind).toBe('unchanged');
    expect(() => log.revert(9, 'bob', 600)).toThrow('there is no version 9');
  });

  it('are checked before they are accepted, also against what is there', () => {
    const [log] = logs((after, before) => {
      const limit = (value: Content | undefined): number =>
        Number((value as { readonly limit?: number } | undefined)?.limit ?? 0);
      if (limit(after) <= 0) return ['limit must be above 0'];
      return before !== undefined && limit(after) > 2 * limit(before) ? ['limit more than doubles'] : [];
    });
    expect(commit(log, 0, { limit: 0 })).toEqual({ kind: 'refused', problems: ['limit must be above 0'] });
    expect(log.head).toBeUndefined();
    expect(commit(log, 0, { limit: 5 }).kind).toBe('committed');
    expect(commit(log, 1, { limit: 11 })).toEqual({ kind: 'refused', problems: ['limit more than doubles'] });
    expect(log.head?.version).toBe(1);
  });

  it('are not blocked by somebody who broke off before the head was moved', () => {
    const store = etcdStore.make({}, { rng: testRng(1), host: { deliver: () => {} } });
    const log = new VersionLog({ store, prefix: 'c/' });
    commit(log, 0, 'one');
    let isBroken = true;
    const breaking = new Proxy(store, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (key === 'compareAndSwap' && isBroken)
          return (at: string, ...rest: [number, string, number]) =>
            at === 'c/head' ? { succeeded: false, revision: target.revision } : target.compareAndSwap(at, ...rest);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    expect(commit(new VersionLog({ store: breaking, prefix: 'c/' }), 1, 'two').kind).toBe('conflict');
    isBroken = false;
    expect(log.head?.version).toBe(1);
    expect(commit(log, 1, 'two').kind).toBe('committed');
    expect(commit(log, 2, 'three').kind).toBe('committed');
  });

  it('never fork: whoever commits whenever, the history is one line of those that were committed', () => {
    const attempts = fc.array(fc.record({ who: fc.nat(1), base: fc.nat(6), value: fc.nat(4) }), { maxLength: 25 });
    fc.assert(
      fc.property(attempts, (list) => {
        const pair = logs();
        const accepted: number[] = [];
        for (const { who, base, value } of list) if (commit(pair[who], base, value).kind === 'committed') accepted.push(value);
        expect(pair[0].history().map(({ version }) => pair[1].content(version))).toEqual(accepted);
      }),
    );
  });
});
