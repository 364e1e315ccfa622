/** Explained decisions: what was visible, what was true, and what not knowing it cost. All times are arithmetic by hand. */
import { expect, test } from 'vitest';
import { play, type PlaySetup } from './world-builder.ts';
import type { Balancer, EndpointView } from '../../src/policies/balancing/balancer.ts';

/** The first member, always. */
function firstAlways(): Balancer {
  let first = -1;
  return {
    update: ({ members, count }: EndpointView) => {
      first = count === 0 ? -1 : members[0];
    },
    pick: () => first,
  };
}

const regrets = (setup: PlaySetup): (readonly [string, string | null, number])[] =>
  play({ balancer: firstAlways, explain: 100, ...setup }).decisions.map(({ picked, best, regretMs }) => [
    picked,
    best,
    Math.round(regretMs * 1000) / 1000,
  ]);

test('FIFO: the regret is the wait that the other instance would have spared', () => {
  // All go to api/0: the second waits 10 − 4 ms there, the third 20 − 6 ms; api/1 is free throughout.
  expect(regrets({ instances: 2, work: 10, at: [0, 4, 6] })).toEqual([
    ['api/0', 'api/0', 0],
    ['api/0', 'api/1', 6],
    ['api/0', 'api/1', 14],
  ]);
});

test('several slots: the newcomer takes the one that is free first', () => {
  // Two slots of 10 ms hold those of 0 and 2 ms; the third, at 4 ms, would wait until 10 ms.
  expect(regrets({ instances: 2, slots: 2, work: 10, at: [0, 2, 4] }).at(-1)).toEqual(['api/0', 'api/1', 6]);
});

test('LIFO: the newcomer goes before those who wait', () => {
  // At 6 ms one is served until 10 ms and one waits: the newcomer would begin at 10 ms.
  expect(regrets({ instances: 2, discipline: 'lifo', work: 10, at: [0, 4, 6] }).at(-1)).toEqual(['api/0', 'api/1', 4]);
});

test('processor sharing: sharing costs as much as is shared', () => {
  // At 4 ms the first has 6 ms of work left. Both share until it is done, 12 ms later; the newcomer then has 4 ms left: 16 ms instead of 10.
  expect(regrets({ instances: 2, discipline: 'processor-sharing', work: 10, at: [0, 4] }).at(-1)).toEqual(['api/0', 'api/1', 6]);
});

test('speed counts', () => {
  // 10 ms of work take 40 ms at a quarter of the speed.
  expect(regrets({ instances: [{ speed: 0.25 }, {}], work: 10, at: [0] })).toEqual([['api/0', 'api/1', 30]]);
});

test('a pick that is refused while another would have taken it is lost', () => {
  const full = regrets({ instances: 2, queueLimit: 0, work: 10, at: [0, 1] });
  expect(full[1]).toEqual(['api/0', 'api/1', Infinity]);
  // With nowhere to go there is nothing to regret.
  expect(regrets({ instances: 1, queueLimit: 0, work: 10, at: [0, 1] })[1]).toEqual(['api/0', null, 0]);
});

test('what a balancer sees is its own requests; the truth is everybody’s', () => {
  const { decisions } = play({
    instances: 1,
    balancers: 2,
    work: 100,
    at: [0, 1, 2, 3, 4, 5],
    explain: 100,
    balancer: firstAlways,
  });
  decisions.forEach(({ balancer, visible }, i) => {
    const earlier = decisions.slice(0, i);
    expect(visible[0]).toMatchObject({
      active: earlier.filter((other) => other.balancer === balancer).length,
      present: earlier.length,
      healthy: true,
    });
  });
});

test('the age of a view counts from the last answer or heartbeat', () => {
  // Nothing was heard before 10 ms, when the first answer comes: at 30 ms that is 20 ms ago.
  const { decisions } = play({ instances: 1, work: 10, at: [0, 30], explain: 2, balancer: firstAlways });
  expect(decisions.map(({ visible }) => Math.round(visible[0].ageMs))).toEqual([0, 20]);
});

test('the first decisions after warm-up are recorded, as many as asked for, and nothing else changes', () => {
  const setup: PlaySetup = {
    instances: 3,
    work: 10,
    arrivals: { type: 'poisson', perSecond: 200 },
    warmupMs: 500,
    durationMs: 2000,
  };
  const explained = play({ ...setup, explain: 7 });
  expect(explained.decisions).toHaveLength(7);
  expect(explained.decisions.every(({ atMs }) => atMs >= 500)).toBe(true);
  const plain = play(setup);
  expect(plain.decisions).toEqual([]);
  expect(explained.digest).toBe(plain.digest);
});
