/** Groups that watch themselves, in the world: clients believe what their own member believes. SWIM with a probe every second, a probe
 *  timeout of 500 ms; with three members a suspicion lasts at least 4 probe intervals (multiplier 4, log10 of fewer than ten counts as 1). */
import { expect, test } from 'vitest';
import { swim, type MembershipDeps } from '../../../src/policies/detection/swim/index.ts';
import { constant, crash, pause, play, type Played } from '../world-builder.ts';
import { around, fault, once } from './setup.ts';

const membership = (deps: MembershipDeps) => swim.make({}, deps);
const world = {
  arrivals: { type: 'constant', perSecond: 20 } as const,
  instances: 2,
  edge: { membership },
  network: { sameZone: constant(1) },
  durationMs: 120_000,
};
const changes = (played: Played): [string, boolean][] => played.beliefs.map(({ instance, alive }) => [instance, alive]);
const sentTo = (played: Played, slot: number, fromMs: number, toMs: number): number =>
  played.attempts.filter((attempt) => attempt.slot === slot && attempt.sentMs >= fromMs && attempt.sentMs < toMs).length;

test('a crashed instance is declared dead within the bounds of the protocol, used no more, and used again once it is back', () => {
  const played = play({ ...world, faults: [crash(1, 20_000, 40_000)] });
  expect(changes(played)).toEqual([
    ['api/1', false],
    ['api/1', true],
  ]);
  const [dead, back] = played.beliefs;
  // Three members: probed within two intervals by everybody, suspected after a probe interval, dead after four to (with the
  // default maximum factor of 6) twenty-four more.
  expect(dead.atMs).toBeGreaterThanOrEqual(20_000 + 4000);
  expect(dead.atMs).toBeLessThanOrEqual(20_000 + 2000 + 1000 + 24_000 + 1000);
  // It joins when it starts; the answer and the news take a few gossip intervals of 200 ms.
  expect(back.atMs).toBeGreaterThanOrEqual(60_000);
  expect(back.atMs).toBeLessThan(62_000);
  expect(sentTo(played, 1, dead.atMs + 1, back.atMs)).toBe(0);
  expect(sentTo(played, 1, back.atMs + 1, 120_000)).toBeGreaterThan(100);
});

test('nobody is suspected while all is well', () => {
  expect(changes(play(world))).toEqual([]);
});

test('a pause shorter than a suspicion is refuted', () => {
  expect(changes(play({ ...world, faults: [pause(1, 20_000, 3000)] }))).toEqual([]);
});

test('an instance that is cut off is declared dead like one that is down, and asked back by one that remembers it', () => {
  const cut = fault({ type: 'partition', link: around('both') }, [1], once(20_000, 40_000));
  const played = play({ ...world, faults: [cut] });
  expect(changes(played)).toEqual([
    ['api/1', false],
    ['api/1', true],
  ]);
  // Serf's rule: with two alive and one dead each tries every 30 s with probability 1/2, the one cut off, alone, with certainty.
  expect(played.beliefs[1].atMs).toBeGreaterThanOrEqual(60_000);
  expect(played.beliefs[1].atMs).toBeLessThanOrEqual(91_000);
});

test('without that rule, once the dead are forgotten, the group stays cut in two, as with memberlist alone', () => {
  const cut = fault({ type: 'partition', link: around('both') }, [1], once(20_000, 70_000));
  const alone = (deps: MembershipDeps) => swim.make({ reconnectInterval: 0 }, deps);
  const faults = [cut];
  expect(changes(play({ ...world, durationMs: 200_000, edge: { membership: alone }, faults }))).toEqual([['api/1', false]]);
  expect(changes(play({ ...world, durationMs: 200_000, faults }))).toHaveLength(2);
});

test('its messages are counted: each of three members probes once per second, and each probe is answered', () => {
  // 6 per second, less the random part of the first second, and exchanges of all that is known twice a minute.
  const { metrics } = play(world);
  expect(metrics['detection.messages']).toBeGreaterThanOrEqual(5.8);
});
