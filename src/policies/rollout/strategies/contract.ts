/** What every roll-out strategy owes its host, as checks that can be run on one. Each rule returns the violations it found, in words; none
 *  is good. */
import { fmix32 } from '../../../core/hash.ts';
import type { Ms } from '../../../core/time.ts';
import type { Rollout, RolloutDeps } from './rollout.ts';
import { RolloutTrial, type TrialOptions } from './trial.ts';

/** How to make one, and for what. */
export interface RolloutSubject {
  readonly units: readonly RolloutDeps['unit'][];
  make(deps: RolloutDeps): Rollout;
}

export interface RolloutRule {
  /** A sentence that the strategy should make true. */
  readonly name: string;
  check(subject: RolloutSubject): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkRollout = (subject: RolloutSubject): readonly string[] =>
  rolloutRules.flatMap((rule) => rule.check(subject).map((violation) => `${rule.name}: ${violation}`));

const HOUR: Ms = 3_600_000;

export const rolloutRules: readonly RolloutRule[] = [
  {
    name: 'brings the first version up',
    check: each((subject, unit) => {
      const trial = begun(subject, { unit }, undefined);
      trial.start(undefined, 'v1').run(4 * HOUR);
      return settled(trial, 'v1');
    }),
  },
  {
    name: 'replaces a version by a good one, completely',
    check: each((subject, unit) => {
      const trial = begun(subject, { unit });
      trial.start('v1', 'v2').run(12 * HOUR);
      return settled(trial, 'v2');
    }),
  },
  {
    name: 'gets there although answers are lost',
    check: each((subject, unit) => {
      const trial = begun(subject, { unit, lossShare: 0.4 });
      trial.start('v1', 'v2').run(24 * HOUR);
      return settled(trial, 'v2');
    }),
  },
  {
    name: 'has nothing to say when everything is as it should be',
    check: each((subject, unit) => {
      const trial = begun(subject, { unit });
      trial.start('v1', 'v2').run(12 * HOUR);
      const actions = trial.rollout.step(trial.observe());
      return actions.length === 0 ? [] : [`says ${JSON.stringify(actions)}`];
    }),
  },
  {
    name: 'keeps the wanted count after it is done',
    check: each((subject, unit) => {
      if (unit === 'hosts') return [];
      const trial = begun(subject, { unit });
      trial.start('v1', 'v2').run(12 * HOUR);
      // Who has no replicas of its own leaves their number to others.
      if (trial.serving('v2') === 0) return [];
      const violations: string[] = [];
      for (const desired of [14, 3, 3, 0, 8]) {
        trial.desired = desired;
        trial.run(HOUR);
        if (trial.serving('v2') !== desired) violations.push(`has ${trial.serving('v2')} replicas of ${desired}`);
      }
      return [...trial.violations, ...violations];
    }),
  },
  {
    name: 'survives a change of the wanted count in the middle',
    check: each((subject, unit) => {
      if (unit === 'hosts') return [];
      const violations: string[] = [];
      for (const [afterMs, desired] of [
        [8000, 14],
        [100_000, 4],
        [400_000, 23],
      ]) {
        const trial = begun(subject, { unit });
        trial.start('v1', 'v2').run(afterMs);
        trial.desired = desired;
        trial.run(12 * HOUR);
        violations.push(...settled(trial, 'v2'));
      }
      return violations;
    }),
  },
  {
    name: 'goes over to a newer version in the middle',
    check: each((subject, unit) => {
      const violations: string[] = [];
      for (const afterMs of [1, 9000, 200_000, 900_000]) {
        const trial = begun(subject, { unit });
        trial.start('v1', 'v2').run(afterMs);
        trial.start('v1', 'v3').run(12 * HOUR);
        violations.push(...settled(trial, 'v3').map((violation) => `after ${afterMs} ms, ${violation}`));
      }
      return violations;
    }),
  },
  {
    name: 'goes back to the old version in the middle',
    check: each((subject, unit) => {
      const violations: string[] = [];
      for (const afterMs of [1, 9000, 200_000, 900_000]) {
        const trial = begun(subject, { unit });
        trial.start('v1', 'v2').run(afterMs);
        trial.start('v1', 'v1').run(12 * HOUR);
        violations.push(...settled(trial, 'v1').map((violation) => `after ${afterMs} ms, ${violation}`));
      }
      return violations;
    }),
  },
  {
    name: 'leaves the old version serving when it is aborted, if it can be',
    check: each((subject, unit) => {
      const violations: string[] = [];
      for (const afterMs of [1, 20_000, 400_000, 900_000]) {
        const trial = begun(subject, { unit });
        trial.start('v1', 'v2').run(afterMs);
        trial.rollout.command('abort', trial.nowMs);
        trial.run(12 * HOUR);
        const { phase } = trial.rollout;
        if (phase === 'succeeded') continue;
        const total = trial.desired;
        if (phase !== 'aborted') violations.push(`is ${phase} in the end`);
        if (trial.serving('v1') !== total) violations.push(`has ${trial.serving('v1')} of ${total} with the old version`);
        const share = trial.weights?.v1 ?? 100;
        if (unit === 'replicas' && share < 100 && Object.keys(trial.weights ?? {}).length > 1)
          violations.push(`sends ${share} % to the old version`);
      }
      return violations;
    }),
  },
  {
    name: 'holds still while it is paused, and goes on from there',
    check: each((subject, unit) => {
      const trial = begun(subject, { unit });
      trial.start('v1', 'v2').run(9000);
      trial.rollout.command('pause', trial.nowMs);
      trial.run(60_000);
      const before = trial.log.length;
      trial.run(2 * HOUR);
      const said = trial.log.slice(before).filter((line) => !line.includes('"phase"'));
      trial.rollout.command('resume', trial.nowMs);
      trial.run(12 * HOUR);
      return [...(said.length === 0 ? [] : [`says ${said[0]} while it is paused`]), ...settled(trial, 'v2')];
    }),
  },
  {
    name: 'can be carried on by another object, from what it remembers as text',
    check: each((subject, unit) => {
      const onStepped = (rollout: Rollout): Rollout => {
        const next = subject.make({ unit });
        next.restore(JSON.parse(JSON.stringify(rollout.snapshot())));
        return next;
      };
      const carried = history(subject, { unit, onStepped });
      return differing(withoutRepeats(history(subject, { unit })), withoutRepeats(carried));
    }),
  },
  {
    name: 'gives the same answers to the same history',
    check: each((subject, unit) => differing(history(subject, { unit }), history(subject, { unit }))),
  },
  {
    name: 'changes nothing of what it is shown, and shares nothing with another',
    check: each((subject, unit) => {
      const other = begun(subject, { unit });
      let step = 0;
      const onStepped = (rollout: Rollout): Rollout => {
        if (step > 300 || other.violations.length > 20) return rollout;
        if (step++ % 7 === 0) other.start('v1', `w${step}`);
        other.run(fmix32(step) & 0xfff);
        return rollout;
      };
      return differing(history(subject, { unit }), history(subject, { unit, onStepped }));
    }),
  },
  {
    name: 'does not mind when the clock starts',
    check: each((subject, unit) => differing(history(subject, { unit }), history(subject, { unit, startMs: 720 * HOUR }))),
  },
];

function each(
  check: (subject: RolloutSubject, unit: RolloutDeps['unit']) => readonly string[],
): (subject: RolloutSubject) => readonly string[] {
  return (subject) => subject.units.flatMap((unit) => check(subject, unit).map((violation) => `${unit}: ${violation}`));
}

function begun(subject: RolloutSubject, options: TrialOptions, version: string | undefined = 'v1'): RolloutTrial {
  const trial = new RolloutTrial(subject.make({ unit: options.unit }), options);
  return version === undefined ? trial : trial.populate(version);
}

/** What is wrong with an end in which one version has everything. */
function settled(trial: RolloutTrial, version: string): readonly string[] {
  const violations = [...trial.violations];
  const { phase, reason } = trial.rollout;
  if (phase !== 'succeeded') violations.push(`is ${phase} (${reason}) in the end`);
  const share = trial.weights === undefined ? 100 : trial.weights[version];
  const isRouted = Object.keys(trial.weights ?? {}).length > 0 && trial.log.some((line) => line.includes('"weight"'));
  if (isRouted && share !== 100) violations.push(`sends ${share} % to ${version}`);
  // A strategy that only divides users has no replicas to replace.
  if (isRouted && !trial.log.some((line) => line.includes('"scale"'))) return violations;
  if (trial.serving(version) !== trial.desired)
    violations.push(`has ${trial.serving(version)} of ${trial.desired} with ${version}`);
  const others = trial.versions().filter((other) => other !== version);
  if (others.length > 0) violations.push(`still has ${others.join(', ')}`);
  return violations.slice(0, 3);
}

/** All that it says over a roll-out, an abort, a version that never starts, one that fails, and a good one. */
function history(subject: RolloutSubject, options: TrialOptions): readonly string[] {
  const trial = begun(subject, options);
  trial.start('v1', 'v2').run(15_000);
  trial.rollout.command('abort', trial.nowMs);
  trial.run(400_000);
  trial.startMs = (version) => (version === 'v3' ? Infinity : 7000);
  trial.start('v1', 'v3').run(HOUR);
  trial.errorRate = (version) => (version === 'v4' ? 0.6 : version === 'v5' ? undefined : 0.001);
  trial.start('v1', 'v4').run(HOUR);
  trial.start('v1', 'v5').run(HOUR);
  trial.start('v1', 'v6').run(6 * HOUR);
  return trial.log;
}

/** What another object says again because it does not know that it was said. */
const withoutRepeats = (log: readonly string[]): readonly string[] => {
  const said: string[] = [];
  let phase = '';
  for (const line of log) {
    const isPhase = line.includes('"kind":"phase"');
    const text = line.replace(/^\[[^,]+,/, '');
    if (isPhase && text === phase) continue;
    if (isPhase) phase = text;
    said.push(line);
  }
  return said;
};

function differing(one: readonly string[], other: readonly string[]): readonly string[] {
  const at = one.findIndex((line, index) => line !== other[index]);
  if (at !== -1) return [`answer ${at + 1} is ${other[at] ?? 'missing'} instead of ${one[at]}`];
  return one.length === other.length ? [] : [`says ${other.length} things instead of ${one.length}`];
}
