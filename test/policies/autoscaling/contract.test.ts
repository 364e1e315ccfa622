/** Every autoscaler of the table keeps the rules, and the rules catch autoscalers that break them. */
import { describe, expect, test } from 'vitest';
import { defaults } from '../../../src/core/params.ts';
import type { Autoscaler, AutoscalerDeps, ScaleObservation } from '../../../src/policies/autoscaling/autoscaler.ts';
import { type AutoscalerSubject, autoscalerRules, checkAutoscaler } from '../../../src/policies/autoscaling/contract.ts';
import { autoscalers } from '../../../src/policies/autoscaling/index.ts';

/** Rules that an autoscaler breaks on purpose, each with the reason. */
const exemptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  scheduled: {
    'goes up within a quarter of an hour of overload': 'it reads the clock and not the load',
    'comes down within two hours of nothing to do': 'it reads the clock and not the load',
  },
};

/** Settings for the service of the rules, where the defaults are for one of another kind. */
const settings: Readonly<Record<string, object>> = {
  // Its replicas serve one request at a time.
  kpa: { containerConcurrency: 1 },
};

const subjectOf = (name: string): AutoscalerSubject => {
  const { make, params } = autoscalers[name];
  const { min } = defaults(params) as { readonly min: number };
  return { min, max: 20, make: (deps) => make({ max: 20, ...settings[name] }, deps) };
};

describe.each(Object.keys(autoscalers))('%s', (name) => {
  test.each(autoscalerRules.map((rule) => [rule.name, rule] as const))('%s', (ruleName, rule) => {
    const violations = rule.check(subjectOf(name));
    const reason = exemptions[name]?.[ruleName];
    if (reason === undefined) expect(violations).toEqual([]);
    // An exemption that is not needed hides what would break later.
    else expect(violations, reason).not.toEqual([]);
  });
});

test('exemptions name autoscalers and rules that are there', () => {
  const rules = autoscalerRules.map((rule) => rule.name);
  expect(Object.keys(autoscalers)).toEqual(expect.arrayContaining(Object.keys(exemptions)));
  expect(rules).toEqual(expect.arrayContaining(Object.values(exemptions).flatMap((each) => Object.keys(each))));
});

/** Follows the rate, one replica for every hundred; each of those below does one thing wrong. */
const follow = ({ metric, specReplicas }: ScaleObservation): number => {
  const rate = metric('requests-per-second');
  return rate === undefined ? Math.min(specReplicas, 20) : Math.min(Math.max(1, Math.ceil(rate.value / 100)), 20);
};
const good = (deps: AutoscalerDeps): Autoscaler => ({
  decideEveryMs: 15_000,
  decide: (observation) => ({ replicas: Math.max(1, follow(observation)), reason: `${deps.specReplicas}` }),
});
const subject = (make: AutoscalerSubject['make']): AutoscalerSubject => ({ min: 1, max: 20, make });
const deciding = (decide: (observation: ScaleObservation) => number | undefined) =>
  subject(() => ({ decideEveryMs: 15_000, decide: (observation) => ({ replicas: decide(observation), reason: '' }) }));
let shared = 0;
let drawn = 0;

test('one that follows the load breaks no rule', () => {
  expect(checkAutoscaler(subject(good))).toEqual([]);
});

test.each<[string, AutoscalerSubject]>([
  ['asks to be asked at a period above 0', subject((deps) => ({ ...good(deps), decideEveryMs: 0 }))],
  ['answers with nothing, or with a whole number within its bounds and a reason', deciding((seen) => follow(seen) + 1)],
  ['goes up within a quarter of an hour of overload', deciding(({ specReplicas }) => Math.min(Math.max(1, specReplicas), 2))],
  ['comes down within two hours of nothing to do', deciding((seen) => Math.min(Math.max(seen.specReplicas, follow(seen)), 20))],
  [
    'does not go down for want of metrics',
    deciding((seen) => (seen.metric('requests-per-second') === undefined ? 1 : Math.max(1, follow(seen)))),
  ],
  ['brings a count above its maximum back', deciding((seen) => (seen.specReplicas > 20 ? undefined : Math.max(1, follow(seen))))],
  ['gives the same answers to the same history', deciding((seen) => Math.max(1, (follow(seen) + drawn++ * 7) % 20))],
  [
    'changes nothing of what it is shown, and is not changed by being looked at',
    subject((deps) => {
      let looks = 0;
      const { decide } = good(deps);
      return {
        get decideEveryMs() {
          looks++;
          return 15_000;
        },
        decide: (seen) => ({ ...decide(seen), reason: `looked at ${looks} times` }),
      };
    }),
  ],
  [
    'shares nothing with another autoscaler',
    subject((deps) => {
      shared = 0;
      const { decide } = good(deps);
      return { decideEveryMs: 15_000, decide: (seen) => ({ ...decide(seen), reason: `${shared++}` }) };
    }),
  ],
  ['does not mind when the clock starts', deciding((seen) => (seen.nowMs > 1e9 ? 1 : Math.max(1, follow(seen))))],
])('the rule that an autoscaler %s notices one that does not', (name, broken) => {
  const rule = autoscalerRules.find((each) => each.name === name)!;
  expect(rule.check(broken)).toHaveLength(1);
});
