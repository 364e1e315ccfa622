/** Flagger's canary: one step of weight per interval as long as all checks pass, and back when too many have failed.
 *
 *  Use it where success rate and latency tell enough, and nobody should have to be there. It fails with little traffic: a check without a value is a
 *  failed one, and failures are never forgotten, so a long analysis goes back in the end for reasons that have long passed.
 *
 *  The canary is a group beside the primary and bears the same version that the primary gets when it is promoted: the primary is then updated
 *  in a rolling way while the canary keeps its share, traffic goes back to the primary, and the canary to nothing. The first look
 *  after a change only starts the canary, the next one gives it its first weight without looking at metrics. A check has failed if a metric
 *  is outside of its bounds or cannot be read; from `threshold` failed checks on the canary is taken back. With `iterations` weights
 *  stay until so many checks passed, and then all traffic is switched. */
import { boolean, duration, int, type ParamValues, records, string } from '../../../core/params.ts';
import { InputError } from '../../../core/errors.ts';
import type { Ms } from '../../../core/time.ts';
import { parseCountOrPercent } from '../../shared/count-or-percent.ts';
import { defineRollout, type GroupStatus, type RolloutAction, type RolloutCommand, type RolloutObservation } from './rollout.ts';
import {
  BaseRollout,
  type BaseState,
  groupOf,
  hasWeights,
  idleState,
  mirrorTo,
  othersThan,
  routeBy,
  scaleTo,
} from './parts/base-rollout.ts';
import { fencepostsWithin } from './parts/fenceposts.ts';
import { isReadyEnough, nextCanaryWeight, promotionWeight, shiftedBack, type StepSettings } from './parts/flagger-weights.ts';
import { minReady, progressDeadline } from './parts/progress-watch.ts';
import { rollingStep, surgeParams } from './rolling-update.ts';

const params = {
  interval: duration({ default: 60_000, min: 10_000, about: 'Between looks.', official: 'Flagger analysis.interval' }),
  threshold: int({
    default: 1,
    min: 0,
    about: 'Failed checks from which on the canary is taken back; 0 means 1.',
    official: 'Flagger analysis.threshold',
  }),
  stepWeight: int({
    default: 10,
    min: 0,
    max: 100,
    about: 'Percentage of traffic added per look; 0: see stepWeights.',
    official: 'Flagger analysis.stepWeight',
  }),
  stepWeights: records({
    fields: { weight: int({ default: 10, min: 1, max: 100, about: 'Percentage of traffic of the canary.' }) },
    required: ['weight'],
    about: 'Weights to go through, rising, when stepWeight is 0.',
    official: 'Flagger analysis.stepWeights',
  }),
  maxWeight: int({
    default: 50,
    min: 0,
    max: 100,
    about: 'The weight from which on the canary is promoted; 0: all.',
    official: 'Flagger analysis.maxWeight',
  }),
  stepWeightPromotion: int({
    default: 0,
    min: 0,
    max: 100,
    about: 'Percentage of traffic that goes back to the promoted primary per look; 0: all at once.',
    official: 'Flagger analysis.stepWeightPromotion',
  }),
  iterations: int({
    default: 0,
    min: 0,
    about: 'Looks with checks before all traffic is switched, without weights in between; 0: by weights.',
    official: 'Flagger analysis.iterations',
  }),
  mirror: boolean({
    default: false,
    about: 'Whether requests are copied to the canary for one look before it gets any of its own.',
    official: 'Flagger analysis.mirror',
  }),
  mirrorWeight: int({
    default: 100,
    min: 1,
    max: 100,
    about: 'Percentage of requests that are copied.',
    official: 'Flagger analysis.mirrorWeight',
  }),
  confirmPromotion: boolean({
    default: false,
    about: 'Whether somebody has to say `promote` before the primary is updated.',
    official: 'Flagger confirm-promotion webhook',
  }),
  skipAnalysis: boolean({
    default: false,
    about: 'Whether new versions are promoted without any of this.',
    official: 'Flagger skipAnalysis',
  }),
  primaryReadyThreshold: int({
    default: 100,
    min: 0,
    max: 100,
    about: 'Percentage of the primary’s replicas that must be available for a look.',
    official: 'Flagger primaryReadyThreshold',
  }),
  canaryReadyThreshold: int({
    default: 100,
    min: 0,
    max: 100,
    about: 'Percentage of the canary’s replicas that must be available for a look.',
    official: 'Flagger canaryReadyThreshold',
  }),
  progressDeadlineSeconds: { ...progressDeadline, about: 'A canary that is not ready for longer is taken back; 0: never.' },
  metrics: records({
    fields: {
      metric: string({
        default: 'request-success-rate',
        about: 'What is looked at: request-success-rate (percent), request-duration (p99, ms), or whatever the host has.',
        official: 'Flagger metrics.name',
      }),
      min: string({
        default: '',
        mayBeNumber: true,
        about: 'Smallest value that is good; empty: none.',
        official: 'Flagger thresholdRange.min',
      }),
      max: string({
        default: '',
        mayBeNumber: true,
        about: 'Largest value that is good; empty: none.',
        official: 'Flagger thresholdRange.max',
      }),
      interval: duration({
        default: 60_000,
        min: 1,
        about: 'A value is that of so much time.',
        official: 'Flagger metrics.interval',
      }),
    },
    required: ['metric'],
    default: [
      { metric: 'request-success-rate', min: '99' },
      { metric: 'request-duration', max: '500' },
    ],
    about: 'What is checked.',
    official: 'Flagger analysis.metrics',
  }),
  ...surgeParams,
  minReadySeconds: minReady,
} as const;

export const flagger = defineRollout({
  name: 'flagger',
  summary: 'Adds a step of weight per interval while checks pass, goes back after so many failed ones (Flagger).',
  useWhen: 'Success rate and latency tell enough, and nobody should have to watch.',
  failsWhen: 'There is little traffic, or an analysis is so long that unrelated failures add up.',
  cost: 'O(metrics) per interval',
  sources: [
    'fluxcd/flagger: pkg/controller/scheduler.go, pkg/controller/scheduler_metrics.go, pkg/canary/deployment_ready.go',
    'fluxcd/flagger: docs/gitbook/usage/how-it-works.md',
  ],
  aliases: [{ system: 'Flagger', name: 'Canary' }],
  params,
  create: (values, { unit }) => {
    if (unit === 'hosts')
      throw InputError.of('bad-value', 'flagger divides traffic by a router; hosts of a configuration have none');
    return new Flagger(values);
  },
});

export const flaggerPhases = [
  'Initializing',
  'Initialized',
  'Waiting',
  'Progressing',
  'WaitingPromotion',
  'Promoting',
  'Finalising',
  'Succeeded',
  'Failed',
] as const;
export type FlaggerPhase = (typeof flaggerPhases)[number];

const phaseOf = {
  Initializing: 'progressing',
  Initialized: 'succeeded',
  Waiting: 'paused',
  Progressing: 'progressing',
  WaitingPromotion: 'paused',
  Promoting: 'promoting',
  Finalising: 'promoting',
  Succeeded: 'succeeded',
  Failed: 'aborted',
} as const satisfies Readonly<Record<FlaggerPhase, string>>;

interface State extends BaseState {
  readonly stage: FlaggerPhase;
  /** Whether a version waits for the next look. */
  readonly hasNews: boolean;
  readonly nextLookMs: Ms;
  /** The canary's. */
  readonly weight: number;
  readonly failedChecks: number;
  readonly iterations: number;
  readonly isMirrored: boolean;
  readonly isConfirmed: boolean;
  /** Since when the canary has not been ready. */
  readonly unreadySinceMs: Ms | null;
}

const START = {
  weight: 0,
  failedChecks: 0,
  iterations: 0,
  isMirrored: false,
  isConfirmed: false,
  unreadySinceMs: null,
} as const;

const TOTAL_WEIGHT = 100;

/** Name of the canary's group, beside the primary's, which is the version. */
export const canaryGroupOf = (version: string): string => `${version}-canary`;

class Flagger extends BaseRollout<State> {
  readonly routes = true;
  readonly #params: ParamValues<typeof params>;
  readonly #steps: StepSettings;
  readonly #bounds: readonly { readonly metric: string; readonly windowMs: Ms; readonly min: number; readonly max: number }[];

  constructor(values: ParamValues<typeof params>) {
    super({ ...idleState, ...START, stage: 'Initializing', hasNews: false, nextLookMs: 0 }, values.minReadySeconds);
    this.#params = values;
    const { stepWeight, maxWeight } = values;
    this.#steps = {
      stepWeight,
      stepWeights: values.stepWeights.map(({ weight }) => weight),
      maxWeight,
      totalWeight: TOTAL_WEIGHT,
    };
    this.#bounds = values.metrics.map(({ metric, min, max, interval }) => ({
      metric,
      windowMs: interval,
      min: boundOf(min, -Infinity, metric),
      max: boundOf(max, Infinity, metric),
    }));
  }

  /** How many checks have failed, for those who show it. */
  get failedChecks(): number {
    return this.state.failedChecks;
  }

  protected begin(serving: string | null, to: string, nowMs: Ms): void {
    const from = serving === to ? serving : this.#primaryVersion(serving);
    const isFirst = from === null || from === to;
    this.set({ ...START, from, to, hasNews: !isFirst, nextLookMs: nowMs });
    this.#enter(isFirst ? 'Initializing' : this.state.stage === 'Initializing' ? 'Initialized' : this.state.stage);
    if (!isFirst) this.become('progressing', 'Initialized');
  }

  protected override timers(): readonly Ms[] {
    return [this.state.nextLookMs];
  }

  protected override onCommand(command: RolloutCommand, nowMs: Ms): void {
    const { stage } = this.state;
    if (stage === 'Initializing' || stage === 'Initialized' || stage === 'Succeeded') return;
    if (command === 'abort' && stage !== 'Promoting' && stage !== 'Finalising') this.#rollBack();
    if (command === 'retry' && stage === 'Failed') this.set({ ...START, hasNews: true, nextLookMs: nowMs });
    if (command === 'promote' || command === 'promote-full') this.set({ isConfirmed: true });
    if (command === 'promote-full' && stage === 'Progressing') this.#promote();
  }

  protected advance(observation: RolloutObservation, to: string): readonly RolloutAction[] {
    if (this.state.isHeld) return [];
    if (observation.nowMs >= this.state.nextLookMs) {
      this.set({ nextLookMs: observation.nowMs + this.#params.interval });
      this.#look(observation, to);
    }
    return this.#answers(observation, to);
  }

  /** In the middle of something the primary is what that has made of it: from the promotion on it has the promoted version. */
  #primaryVersion(serving: string | null): string | null {
    const { stage, hasNews, from, to } = this.state;
    if (from === null || stage === 'Initializing' || stage === 'Initialized' || stage === 'Succeeded') return serving;
    return (stage === 'Promoting' || stage === 'Finalising') && !hasNews ? to : from;
  }

  #enter(stage: FlaggerPhase): void {
    this.set({ stage });
    this.become(phaseOf[stage], stage);
  }

  #look(observation: RolloutObservation, to: string): void {
    const { stage, hasNews, failedChecks } = this.state;
    const canary = groupOf(observation, canaryGroupOf(to), to);
    if (stage === 'Initializing') {
      const own = groupOf(observation, to);
      if (own.spec === observation.desired && own.available >= own.spec) this.#enter('Initialized');
      return;
    }
    // An unhealthy primary stops everything, in both directions.
    if (!this.#isPrimaryReady(observation, to)) return;
    if (hasNews) {
      this.set({ ...START, hasNews: false });
      if (this.#params.skipAnalysis) this.#promote();
      else this.#enter('Progressing');
      return;
    }
    if (stage === 'Promoting') {
      const weight = TOTAL_WEIGHT - shiftedBack(TOTAL_WEIGHT - this.state.weight, this.#params.stepWeightPromotion, TOTAL_WEIGHT);
      this.set({ weight });
      if (weight === 0) this.#enter('Finalising');
      return;
    }
    if (stage === 'Finalising') {
      this.#enter('Succeeded');
      return;
    }
    if (stage !== 'Progressing' && stage !== 'WaitingPromotion') return;
    if (!this.#isCanaryReady(observation, canary)) return;
    if (failedChecks >= Math.max(1, this.#params.threshold)) {
      this.#rollBack();
      return;
    }
    const isFirst = this.state.weight === 0 && this.state.iterations === 0 && !this.state.isMirrored;
    if (!isFirst && !this.#isGood(observation, canary)) this.set({ failedChecks: failedChecks + 1 });
    else if (this.#params.iterations > 0) this.#iterate();
    else this.#advanceWeight();
  }

  #advanceWeight(): void {
    const { weight, isMirrored } = this.state;
    if (weight >= promotionWeight(this.#steps)) {
      this.#askPromotion();
      return;
    }
    if (this.#params.mirror && weight === 0 && !isMirrored) this.set({ isMirrored: true });
    else this.set({ isMirrored: false, weight: nextCanaryWeight(this.#steps, weight) });
  }

  #iterate(): void {
    const { iterations } = this.state;
    const isMirrored = this.#params.mirror && iterations < this.#params.iterations;
    if (iterations < this.#params.iterations) this.set({ iterations: iterations + 1, isMirrored });
    // One look with everything on the canary before the primary is touched.
    else if (iterations === this.#params.iterations) {
      if (this.#isConfirmed()) this.set({ iterations: iterations + 1, weight: TOTAL_WEIGHT, isMirrored });
    } else this.#promote();
  }

  #askPromotion(): void {
    if (this.#isConfirmed()) this.#promote();
  }

  #isConfirmed(): boolean {
    if (!this.#params.confirmPromotion || this.state.isConfirmed) return true;
    this.#enter('WaitingPromotion');
    return false;
  }

  #promote(): void {
    this.set({ isMirrored: false });
    this.#enter('Promoting');
  }

  #rollBack(): void {
    this.set({ weight: 0, isMirrored: false });
    this.#enter('Failed');
  }

  #isPrimaryReady(observation: RolloutObservation, to: string): boolean {
    const groups = this.#primaryGroups(observation, to);
    const available = groups.reduce((sum, group) => sum + group.available, 0);
    if (!isReadyEnough(observation.desired, available, this.#params.primaryReadyThreshold)) return false;
    // While it is promoted, the update of the primary has to be over.
    if (this.state.stage !== 'Promoting') return true;
    const { hasNews, from } = this.state;
    const own = groupOf(observation, hasNews ? from! : to);
    return own.spec === observation.desired && groups.every(({ group, created }) => group === own.group || created === 0);
  }

  /** A canary that does not become ready is waited for until the deadline. */
  #isCanaryReady({ nowMs }: RolloutObservation, { spec, available }: GroupStatus): boolean {
    if (spec > 0 && isReadyEnough(spec, available, this.#params.canaryReadyThreshold)) {
      this.set({ unreadySinceMs: null });
      return true;
    }
    const { progressDeadlineSeconds } = this.#params;
    const sinceMs = this.state.unreadySinceMs ?? nowMs;
    this.set({ unreadySinceMs: sinceMs });
    if (progressDeadlineSeconds > 0 && nowMs > sinceMs + progressDeadlineSeconds) this.#rollBack();
    return false;
  }

  #isGood(observation: RolloutObservation, { group }: GroupStatus): boolean {
    return this.#bounds.every(({ metric, windowMs, min, max }) => {
      const value = read(observation, metric, group, windowMs);
      return value !== undefined && value >= min && value <= max;
    });
  }

  #primaryGroups({ groups }: RolloutObservation, to: string): readonly GroupStatus[] {
    return groups.filter(({ group, version }) => group === version && group !== canaryGroupOf(to));
  }

  #answers(observation: RolloutObservation, to: string): readonly RolloutAction[] {
    const { stage, hasNews, weight, from } = this.state;
    const canary = groupOf(observation, canaryGroupOf(to), to);
    const primary = this.#primaryGroups(observation, to);
    const isUpdated = stage === 'Promoting' || stage === 'Finalising' || stage === 'Succeeded' || stage === 'Initializing';
    const serving = isUpdated && !hasNews ? to : (from ?? to);
    const { maxSurge, maxUnavailable } = this.#params;
    const posts = fencepostsWithin(
      parseCountOrPercent(maxSurge, 'maxSurge'),
      parseCountOrPercent(maxUnavailable, 'maxUnavailable'),
      observation.desired,
    );
    const hasCanary =
      !hasNews && (stage === 'Progressing' || stage === 'WaitingPromotion' || stage === 'Promoting' || stage === 'Finalising');
    const isLeaving = weight === 0 && !hasCanary && (observation.weights?.[canary.group] ?? 0) > 0;
    return [
      ...rollingStep({ desired: observation.desired, groups: primary }, serving, posts),
      // Its replicas stay until nothing is sent to them any more.
      ...scaleTo(canary, hasCanary ? observation.desired : isLeaving ? canary.spec : 0),
      ...othersThan(observation, canary.group, ...primary.map(({ group }) => group)).flatMap((group) => scaleTo(group, 0)),
      ...this.#route(observation, serving, primary, canary, hasNews ? 0 : weight),
      ...mirrorTo(observation, canary.group, this.state.isMirrored ? this.#params.mirrorWeight : 0),
    ];
  }

  /** The primary's share goes to all of its replicas alike, whichever version they are while it is updated. */
  #route(
    observation: RolloutObservation,
    serving: string,
    primary: readonly GroupStatus[],
    canary: GroupStatus,
    weight: number,
  ): readonly RolloutAction[] {
    const available = primary.reduce((sum, group) => sum + group.available, 0);
    const share = TOTAL_WEIGHT - weight;
    const weights: Record<string, number> = weight > 0 ? { [canary.group]: weight } : {};
    for (const group of primary) if (available > 0) weights[group.group] = (share * group.available) / available;
    if (available === 0) weights[serving] = share;
    return hasWeights(observation.weights, weights) ? [] : routeBy(observation, weights);
  }
}

function read(observation: RolloutObservation, metric: string, group: string, windowMs: Ms): number | undefined {
  if (metric === 'request-duration') return observation.metric({ name: 'latency.p99', group, windowMs });
  if (metric !== 'request-success-rate') return observation.metric({ name: metric, group, windowMs });
  const errors = observation.metric({ name: 'error-rate', group, windowMs });
  return errors === undefined ? undefined : 100 * (1 - errors);
}

function boundOf(text: string, absent: number, metric: string): number {
  if (text.trim() === '') return absent;
  const bound = Number(text);
  if (!Number.isFinite(bound))
    throw InputError.of('bad-value', `the bound of ${metric} is ${JSON.stringify(text)}, expected a number`);
  return bound;
}
