/** Answers of a strategy that nobody has tried yet: what makes no sense is a fault of the strategy, in words. */
import { expect, test } from 'vitest';
import { PolicyFault } from '../../../src/core/errors.ts';
import { checkedRollout } from '../../../src/policies/rollout/strategies/checked-rollout.ts';
import { type Rollout, type RolloutDeps, rollouts } from '../../../src/policies/rollout/strategies/index.ts';
import { RolloutTrial } from '../../../src/policies/rollout/strategies/trial.ts';

/** A strategy that always gives the same answer. */
const answering = (answer: unknown, nextMs: unknown = Infinity): Rollout => ({
  phase: 'progressing',
  reason: '',
  minReadyMs: 0,
  start: () => {},
  command: () => {},
  step: () => answer as [],
  nextTimerMs: () => nextMs as number,
  snapshot: () => null,
  restore: () => {},
});
const trialOf = (rollout: Rollout, unit: RolloutDeps['unit']): RolloutTrial =>
  new RolloutTrial(checkedRollout(rollout, './mine.ts#Mine', { unit }), { unit }).populate('v1').start('v1', 'v2');

const scale = { kind: 'scale', group: 'v2', version: 'v2', replicas: 1 };

test.each([
  ['replicas', undefined, 'answered nothing, not a list of actions'],
  ['replicas', [null], 'answered nothing among its actions'],
  ['replicas', [{ kind: 'dance' }], 'answered "dance"; known: scale, weight, mirror, push, phase'],
  ['replicas', [{ ...scale, replicas: NaN }], 'asks for NaN replicas'],
  ['replicas', [{ ...scale, replicas: -1 }], 'asks for -1 replicas'],
  ['replicas', [{ ...scale, version: 'v9' }], 'asks for version "v9"; it was told of v1, v2'],
  ['replicas', [{ kind: 'push', version: 'v2', hosts: [] }], 'it has replicas to scale'],
  ['replicas', [{ kind: 'weight', weights: { v2: -3, v1: 103 } }], 'gives "v2" -3 percent of traffic'],
  ['replicas', [{ kind: 'weight', weights: { v2: 20 } }], 'divides 20 percent of traffic, not 100'],
  ['replicas', [{ kind: 'mirror', group: 'v2', percent: 101 }], 'copies 101 percent of requests'],
  ['replicas', [{ kind: 'phase', phase: 'done', reason: '' }], 'is in phase "done"; known: idle, progressing'],
  ['hosts', [scale], 'it has hosts to push to'],
  ['hosts', [{ kind: 'push', version: 'v2', hosts: ['host-7777'] }], 'pushes to "host-7777", which is no host'],
  ['hosts', [{ kind: 'push', version: 'v9', hosts: [] }], 'asks for version "v9"'],
  ['hosts', [{ kind: 'push', version: 'v2' }], 'pushes to nothing, not to a list of hosts'],
] as const)('for %s, %j is a fault', (unit, answer, message) => {
  const step = (): unknown => trialOf(answering(answer), unit).step();
  expect(step).toThrow(PolicyFault);
  expect(step).toThrow(`./mine.ts#Mine ${message.startsWith('it has') ? '' : message}`);
  expect(step).toThrow(message);
});

test('a time that is none is a fault', () => {
  const rollout = checkedRollout(answering([], NaN), './mine.ts#Mine', { unit: 'replicas' });
  expect(() => rollout.nextTimerMs()).toThrow('./mine.ts#Mine wants to be woken at NaN, which is no time');
});

test('to go on for ever at one moment is a fault', () => {
  const trial = trialOf(answering([]), 'replicas');
  const often = (): void => {
    for (let step = 0; step < 20_000; step++) trial.step();
  };
  expect(often).toThrow('./mine.ts#Mine wants to go on without end at 0 ms');
});

test.each(Object.keys(rollouts))('nothing that %s answers is one', (name) => {
  const trial = trialOf(rollouts[name].make({}, { unit: 'replicas' }), 'replicas');
  trial.run(3_600_000);
  expect(trial.violations).toEqual([]);
});
