/** The autoscalers that follow AWS, formulas, forecasts and the clock, and the combinations, against the contract of autoscalers. */
import { describe, expect, it } from 'vitest';
import { type AutoscalerSubject, autoscalerRules } from '../../../src/policies/autoscaling/contract.ts';
import { autoscalers } from '../../../src/policies/autoscaling/index.ts';

/** Rules that an autoscaler breaks on purpose, with the reason. */
const doesNotComeDown = { 'comes down within two hours of nothing to do': 'it reads the clock and not the load' };
const deafToLoad = {
  ...doesNotComeDown,
  'goes up within a quarter of an hour of overload': 'it reads the clock and not the load',
};
interface Variant {
  readonly name: string;
  readonly params: object;
  readonly exempt?: Readonly<Record<string, string>>;
}
const nightly = { schedule: [{ cron: '0 0 * * *', replicas: 4 }] };
const variants: readonly Variant[] = [
  { name: 'target-tracking', params: {} },
  { name: 'target-tracking', params: { metric: 'concurrency', grouping: 'per-replica', targetValue: 1 } },
  { name: 'target-tracking', params: { scaleOutCooldown: 300_000, estimatedInstanceWarmup: 0, scaleInShare: 0.5 } },
  { name: 'step-scaling', params: {} },
  { name: 'step-scaling', params: { cooldown: 300_000, estimatedInstanceWarmup: 0, minAdjustmentMagnitude: 2 } },
  {
    name: 'step-scaling',
    params: { adjustmentType: 'ChangeInCapacity', scaleOutSteps: [{ adjustment: 2 }], scaleInSteps: [{ adjustment: -1 }] },
  },
  { name: 'simple-scaling', params: {} },
  { name: 'simple-scaling', params: { adjustmentType: 'ExactCapacity', scaleOutAdjustment: 8, scaleInAdjustment: 1 } },
  { name: 'queueing', params: {} },
  { name: 'queueing', params: { model: 'square-root', smoothing: 0 } },
  { name: 'queueing', params: { model: 'per-instance', slots: 2, min: 0 } },
  { name: 'queueing', params: { model: 'utilization', scaleDownMargin: 0.5 } },
  { name: 'predictive', params: {} },
  { name: 'predictive', params: { forecast: 'linear-regression', history: 5, reactive: [{ use: 'queueing' }] } },
  {
    name: 'predictive',
    params: { forecast: 'autoregressive', differences: true, capacity: 'throughput', throughputPerReplica: 70 },
  },
  { name: 'predictive', params: { forecast: 'ewma', interval: 20_000, leadTime: 0 } },
  {
    name: 'predictive',
    params: { forecast: 'holt-winters', seasonLength: 300_000, reactive: [{ use: 'queueing' }, { use: 'hpa' }] },
  },
  { name: 'scheduled', params: {}, exempt: deafToLoad },
  { name: 'scheduled', params: nightly, exempt: doesNotComeDown },
  {
    name: 'scheduled',
    params: { schedule: [{ cron: '*/7 * * * *', min: 2, max: 7 }], dynamic: [{ use: 'hpa' }], min: 0 },
    exempt: { 'comes down within two hours of nothing to do': 'the entry keeps two' },
  },
  { name: 'max-of', params: {} },
  { name: 'max-of', params: { of: [{ use: 'target-tracking' }, { use: 'hpa' }] } },
  { name: 'min-of', params: {} },
  { name: 'min-of', params: { of: [{ use: 'max-of' }, { use: 'queueing', params: { max: 6 } }] } },
];

describe.each(variants)('$name $params keeps the contract of autoscalers: it', ({ name, params, exempt = {} }) => {
  const definition = autoscalers[name];
  const bounds = { min: 1, max: 12, ...params };
  const subject: AutoscalerSubject = { ...bounds, make: (deps) => definition.make(bounds, deps) };
  it.each(autoscalerRules)('$name', (rule) => {
    const violations = rule.check(subject);
    if (rule.name in exempt) expect(violations, exempt[rule.name]).not.toEqual([]);
    else expect(violations).toEqual([]);
  });
});
