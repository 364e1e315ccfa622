/** What every vertical recommender owes its host, as checks that can be run on one. Each rule returns the violations it found, in words;
 *  none is good. */
import type { Ms } from '../../../core/time.ts';
import type { Recommendation, ResourceRange, VerticalRecommender } from './vertical-recommender.ts';

export type MakeVertical = () => VerticalRecommender;

export interface VerticalRule {
  /** A sentence that the recommender should make true. */
  readonly name: string;
  check(make: MakeVertical): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkVertical = (make: MakeVertical): readonly string[] =>
  verticalRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const verticalRules: readonly VerticalRule[] = [
  {
    name: 'recommends nothing before it has seen something',
    check: (make) => (make().recommend() === undefined ? [] : ['has an opinion about nothing']),
  },
  {
    name: 'puts the target between the bounds, after little as after much',
    check: (make) =>
      [1, 10, 2000, 20_000].flatMap((minutes) => {
        const { cpu, memory } = afterUse(make(), minutes, 1, GIGA);
        return [...ordered('cpu', cpu, minutes), ...ordered('memory', memory, minutes)];
      }),
  },
  {
    name: 'covers steady usage, without reserving twice of it',
    check: (make) => {
      const { cpu, memory } = afterUse(make(), 20_000, 2, 4 * GIGA);
      return [...between('cpu', cpu.target, 2, 4), ...between('memory', memory.target, 4 * GIGA, 8 * GIGA)];
    },
  },
  {
    name: 'follows usage that has changed for weeks',
    check: (make) => {
      const recommender = make();
      const before = afterUse(recommender, 10_000, 4, 8 * GIGA);
      const after = afterUse(recommender, 60_000, 1, 2 * GIGA, 10_000);
      return [
        ...(after.cpu.target < before.cpu.target / 2 ? [] : [`still wants ${after.cpu.target} cores`]),
        ...(after.memory.target < before.memory.target / 2 ? [] : [`still wants ${after.memory.target} bytes`]),
      ];
    },
  },
  {
    name: 'wants more memory after a replica died for want of it',
    check: (make) => {
      const recommender = make();
      const before = afterUse(recommender, 2000, 1, GIGA);
      for (let replica = 0; replica < REPLICAS; replica++) recommender.onOutOfMemory(replica, GIGA, 2000 * MINUTE);
      const after = recommender.recommend()!;
      return after.memory.target > before.memory.target ? [] : [`wants ${after.memory.target} bytes as before`];
    },
  },
  {
    name: 'remembers replicas that have left',
    check: (make) => {
      const recommender = make();
      const before = afterUse(recommender, 2000, 1, GIGA);
      for (let replica = 0; replica < REPLICAS; replica++) recommender.onGone(replica);
      const after = recommender.recommend();
      return after?.cpu.target === before.cpu.target ? [] : ['has forgotten what they used'];
    },
  },
];

const MINUTE: Ms = 60_000;
const GIGA = 1024 * 1024 * 1024;
const REPLICAS = 3;

/** The recommendation after so many minutes of steady usage, measured every minute from `fromMinute` on. */
function afterUse(
  recommender: VerticalRecommender,
  minutes: number,
  cpu: number,
  memory: number,
  fromMinute = 0,
): Recommendation {
  for (let minute = fromMinute; minute < fromMinute + minutes; minute++)
    for (let replica = 0; replica < REPLICAS; replica++)
      recommender.observe({ replica, startMs: minute * MINUTE, cpu, cpuRequest: 1, memory });
  return recommender.recommend()!;
}

const ordered = (name: string, { lower, target, upper }: ResourceRange, minutes: number): readonly string[] =>
  lower <= target && target <= upper ? [] : [`wants ${lower} to ${upper} and ${target} of ${name} after ${minutes} minutes`];

const between = (name: string, value: number, atLeast: number, below: number): readonly string[] =>
  value >= atLeast && value < below ? [] : [`wants ${value} of ${name}, expected ${atLeast} to ${below}`];
