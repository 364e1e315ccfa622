/** Who speaks against an endpoint, and what that makes of its health. */
import { describe, expect, test } from 'vitest';
import { healthStates } from '../../../src/policies/balancing/balancer.ts';
import { doubts, EndpointHealth } from '../../../src/policies/balancing/endpoint-health.ts';
import { EndpointSet } from '../../../src/policies/balancing/endpoint-set.ts';

const { healthy, degraded, unhealthy, excluded } = healthStates;

function withEndpoints(count: number): {
  health: EndpointHealth;
  changes: string[];
  healthOf(slot: number): number;
  set: EndpointSet;
} {
  const set = new EndpointSet(count);
  const changes: string[] = [];
  const health = new EndpointHealth(set, 1, (slot, isUsed, nowMs) => changes.push(`${nowMs} ${slot} ${isUsed}`));
  for (let i = 0; i < count; i++) health.begin(set.add(`e${i}`, {}, 0));
  return { health, changes, set, healthOf: (slot) => set.table.health[slot] };
}

describe('an endpoint', () => {
  test('is used when nothing speaks against it, and a change is told once', () => {
    const { health, changes, healthOf } = withEndpoints(1);
    health.set(0, doubts.suspected, true, 1);
    health.set(0, doubts.suspected, true, 2);
    health.set(0, doubts.ejected, true, 3);
    health.set(0, doubts.suspected, false, 4);
    expect([healthOf(0), health.isUsed(0), health.holds(0, doubts.ejected)]).toEqual([unhealthy, false, true]);
    health.set(0, doubts.ejected, false, 5);
    expect([healthOf(0), health.isUsed(0)]).toEqual([healthy, true]);
    expect(changes).toEqual(['1 0 false', '5 0 true']);
  });

  test('that is unknown is excluded, whatever else there is; one to be spared is used', () => {
    const { health, changes, healthOf } = withEndpoints(1);
    health.set(0, doubts.degraded, true, 1);
    expect([healthOf(0), health.isUsed(0), changes.length]).toEqual([degraded, true, 0]);
    health.set(0, doubts.unfit, true, 2);
    health.set(0, doubts.unknown, true, 3);
    expect(healthOf(0)).toBe(excluded);
    health.set(0, doubts.unknown, false, 4);
    expect(healthOf(0)).toBe(unhealthy);
  });

  test('is what it is said to be, and what is doubted besides', () => {
    const { health, healthOf } = withEndpoints(1);
    const said = [unhealthy, degraded, excluded, healthy].map((each, i) => {
      health.say(0, each, i);
      return healthOf(0);
    });
    expect(said).toEqual([unhealthy, degraded, excluded, healthy]);
    health.set(0, doubts.unfit, true, 5);
    health.say(0, degraded, 6);
    expect(healthOf(0)).toBe(unhealthy);
    health.say(0, healthy, 7);
    expect(healthOf(0)).toBe(unhealthy);
    health.set(0, doubts.unfit, false, 8);
    expect(healthOf(0)).toBe(healthy);
  });

  test('that gets the slot of another begins without its doubts, in slots beyond those foreseen', () => {
    const { health, set, healthOf } = withEndpoints(40);
    health.set(39, doubts.unfit, true, 1);
    set.remove(39, 2);
    const slot = set.add('newcomer', { health: degraded }, 3);
    health.begin(slot, degraded);
    expect([slot, healthOf(39), health.isUsed(39)]).toEqual([39, degraded, true]);
    health.say(slot, healthy, 4);
    expect(healthOf(39)).toBe(healthy);
  });
});
