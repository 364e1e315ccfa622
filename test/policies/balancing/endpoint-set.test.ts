import { describe, expect, it } from 'vitest';
import { type Balancer, type EndpointView, healthStates } from '../../../src/policies/balancing/balancer.ts';
import { EndpointSet } from '../../../src/policies/balancing/endpoint-set.ts';

const { unhealthy, degraded, healthy, excluded } = healthStates;

/** Remembers what it was shown, as names. */
class Witness implements Balancer {
  readonly shown: string[] = [];
  update(view: EndpointView, nowMs: number): void {
    this.shown.push(`${nowMs}: ${names(view).join(' ')}`);
  }
  pick(): number {
    return -1;
  }
}

const names = (view: EndpointView): string[] => [...view.members.subarray(0, view.count)].map((slot) => view.table.ids[slot]);

function setOf(...ids: string[]): EndpointSet {
  const set = new EndpointSet();
  for (const id of ids) set.add(id, {}, 0);
  return set;
}

describe('EndpointSet', () => {
  it('shows members in the order they came, whatever slots they live in', () => {
    const set = setOf('a', 'b', 'c');
    set.remove(set.find('a'), 1);
    const slot = set.add('d', {}, 2);
    expect(slot).toBe(0);
    expect(names(set.view)).toEqual(['b', 'c', 'd']);
  });

  it('offers only endpoints that are available and weigh something', () => {
    const set = setOf('a', 'b', 'c', 'd');
    set.setHealth(0, unhealthy, 1);
    set.setHealth(1, excluded, 1);
    set.setWeight(2, 0);
    expect(names(set.view)).toEqual(['d']);
    expect([0, 1, 2, 3].map((slot) => set.isEligible(slot))).toEqual([false, false, false, true]);
    expect([...set.view.everyone.subarray(0, set.view.everyoneCount)]).toEqual([0, 1, 2, 3]);
  });

  it('falls back on degraded endpoints only where no healthy one is left', () => {
    const set = setOf('a', 'b', 'c');
    set.setHealth(1, degraded, 1);
    expect(names(set.view)).toEqual(['a', 'c']);
    set.setHealth(0, unhealthy, 2);
    set.setHealth(2, degraded, 2);
    expect(names(set.view)).toEqual(['b', 'c']);
    expect(set.isEligible(1)).toBe(true);
  });

  it('keeps the slot of a removed endpoint until its last attempt has ended', () => {
    const set = setOf('a', 'b');
    set.begin(0);
    set.begin(0);
    set.remove(0, 1);
    expect(set.isEligible(0)).toBe(false);
    set.end(0);
    expect(set.add('c', {}, 2)).toBe(2);
    set.end(0);
    expect(set.add('d', {}, 3)).toBe(0);
    expect(set.table.active[0]).toBe(0);
    expect([...set.table.generation.subarray(0, 3)]).toEqual([2, 1, 1]);
  });

  it('lets an id come back while its former self is still draining', () => {
    const set = setOf('a');
    set.begin(0);
    set.remove(0, 1);
    expect(set.add('a', {}, 2)).toBe(1);
    expect(set.find('a')).toBe(1);
    set.end(0);
    expect(names(set.view)).toEqual(['a']);
  });

  it('tells the bound balancer of each change once, and of nothing that changed nothing', () => {
    const set = setOf('a', 'b');
    const witness = new Witness();
    set.bind(witness, 5);
    set.setHealth(0, healthy, 6);
    set.setWeight(0, 1, 6);
    set.setHealth(0, unhealthy, 7);
    set.add('c', {}, 8);
    set.remove(set.find('b'), 9);
    set.setWeight(set.find('c'), 0);
    expect(witness.shown).toEqual(['5: a b', '7: b', '8: b c', '9: c', '9: ']);
  });

  it('makes one update of a batch, even when the view is looked at inside', () => {
    const set = setOf('a');
    const witness = new Witness();
    set.bind(witness, 0);
    set.batch(3, () => {
      set.add('b', {}, 3);
      expect(names(set.view)).toEqual(['a', 'b']);
      set.add('c', {}, 3);
      expect(names(set.view)).toEqual(['a', 'b', 'c']);
    });
    set.batch(4, () => {});
    expect(witness.shown).toEqual(['0: a', '3: a b c']);
  });

  it('restarts the slow-start clock on recovery, but not between healthy and degraded', () => {
    const set = setOf('a');
    const since = (): number => set.table.healthySinceMs[0];
    set.setHealth(0, degraded, 10);
    set.setHealth(0, healthy, 20);
    expect(since()).toBe(0);
    set.setHealth(0, unhealthy, 30);
    set.setHealth(0, healthy, 40);
    expect(since()).toBe(40);
  });

  it('grows past its first capacity and keeps everything it knew', () => {
    const set = new EndpointSet(2);
    for (let i = 0; i < 100; i++) set.add(`e${i}`, { weight: i + 1, priority: i % 3, locality: i % 5 }, i);
    set.begin(7);
    set.add('more', {}, 100);
    expect(set.view.count).toBe(101);
    expect(set.table.weight[99]).toBe(100);
    expect(set.table.active[7]).toBe(1);
    expect([set.table.priority[8], set.table.locality[8]]).toEqual([2, 3]);
  });

  it('lets a balancer that judges health itself pick anybody who has not been removed', () => {
    const set = setOf('a', 'b');
    set.setHealth(0, unhealthy, 0);
    set.bind(Object.assign(new Witness(), { judgesHealth: true }), 0);
    expect(set.isEligible(0)).toBe(true);
    set.begin(0);
    set.remove(0, 1);
    expect(set.isEligible(0)).toBe(false);
    set.bind(new Witness(), 2);
    set.setHealth(1, unhealthy, 2);
    expect(set.isEligible(1)).toBe(false);
  });

  it('refuses what a driver must not do', () => {
    const set = setOf('a');
    expect(() => set.end(0)).toThrow('an attempt ended that never began');
    expect(() => set.add('a', {}, 0)).toThrow('endpoint a is already a member');
    expect(() => set.add('b', { weight: -1 }, 0)).toThrow('an endpoint cannot weigh -1');
    expect(() => set.setWeight(0, NaN)).toThrow('an endpoint cannot weigh NaN');
    expect(() => set.remove(3, 0)).toThrow('slot 3 holds no member');
    expect(names(set.view)).toEqual(['a']);
  });

  it('tells every balancer that is bound beside others, each once, until it is unbound', () => {
    const set = setOf('a', 'b');
    const [first, second] = [new Witness(), new Witness()];
    set.bind(first, 1);
    set.bindAlso(second, 2);
    set.bindAlso(first, 3);
    set.remove(0, 4);
    set.unbind(first);
    set.add('c', {}, 5);
    expect(first.shown).toEqual(['1: a b', '4: b']);
    expect(second.shown).toEqual(['2: a b', '4: b', '5: b c']);
    set.bind(new Witness(), 6);
    set.remove(0, 7);
    expect(second.shown).toHaveLength(3);
  });

  it('knows of each balancer whether it may pick who is not in the view; unless told, of the one bound last', () => {
    const set = setOf('a', 'b');
    const judge = Object.assign(new Witness(), { judgesHealth: true });
    set.setHealth(0, unhealthy, 1);
    set.bind(new Witness(), 1);
    expect([set.isEligible(0), set.isEligible(0, true), set.isEligible(1)]).toEqual([false, true, true]);
    set.bindAlso(judge, 2);
    expect([set.isEligible(0), set.isEligible(0, false)]).toEqual([true, false]);
    set.unbind(judge);
    expect(set.isEligible(0)).toBe(false);
  });
});
