/** Argo Rollouts' canary: the new version gets its share step by step, with pauses and analyses in between.
 *
 *  Use it where a version should prove itself on a little traffic before it gets all. It fails with steps that are too quick for what is
 *  measured, with too few requests to tell anything from, and with damage that is done by the first percent: a schema that was changed is
 *  changed for all.
 *
 *  Without a traffic router the share is a share of replicas, as near as whole numbers come. With one, weights move only after the replicas
 *  are there, the stable side keeps its full size unless `dynamicStableScale`, and going back takes one change of weights. An analysis
 *  that fails, or cannot be made, aborts; one that says nothing pauses for a human. An abort goes back to step 0 with nothing for the
 *  canary. A new version in the middle starts over, going back to the stable one skips all steps. */
import { boolean, choice, duration, int, type ParamValues, records, string } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { Analysis, type AnalysisState } from '../analysis/analysis-run.ts';
import { metricFields, type MetricSettings } from '../analysis/metric-params.ts';
import { parseCountOrPercent } from '../../shared/count-or-percent.ts';
import { defineRollout, type RolloutAction, type RolloutCommand, type RolloutObservation } from './rollout.ts';
import {
  BaseRollout,
  type BaseState,
  groupOf,
  hasWeights,
  idleState,
  justAfter,
  mirrorTo,
  othersThan,
  routeBy,
  scaleTo,
} from './parts/base-rollout.ts';
import { type CanaryPlan, type CanarySettings, planCanary } from './parts/canary-plan.ts';
import { type CanaryStep, canaryStepKinds } from './parts/canary-steps.ts';
import { readFrom } from './parts/group-metrics.ts';
import { onHosts } from './parts/host-fleet.ts';
import {
  isStuck,
  minReady,
  noProgressYet,
  progressDeadline,
  progressed,
  type ProgressState,
  statusOf,
  stuckAtMs,
} from './parts/progress-watch.ts';
import { fencepostsWithin } from './parts/fenceposts.ts';
import { rollingStep, surgeParams } from './rolling-update.ts';

const params = {
  steps: records({
    fields: {
      step: choice({ choices: canaryStepKinds, default: 'setWeight', about: 'What the step does.' }),
      weight: int({
        default: -1,
        min: -1,
        about: 'Share of traffic, of the canary’s scale, or of mirrored requests; -1: not given.',
        official: 'Argo setWeight, setCanaryScale.weight, setMirrorRoute.percentage',
      }),
      duration: duration({
        default: 0,
        min: 0,
        about: 'Length of a pause; 0: until somebody promotes.',
        official: 'Argo pause.duration',
      }),
      replicas: int({
        default: -1,
        min: -1,
        about: 'The canary’s scale; -1: not given.',
        official: 'Argo setCanaryScale.replicas',
      }),
      matchTrafficWeight: boolean({
        default: false,
        about: 'Whether the canary’s scale follows the weight again.',
        official: 'Argo setCanaryScale.matchTrafficWeight',
      }),
      template: string({ default: 'default', about: 'Metrics that an analysis measures.', official: 'Argo analysis.templates' }),
    },
    required: ['step'],
    default: [{ step: 'setWeight', weight: 20 }, { step: 'pause' }],
    about: 'What to go through, in order; after the last one the canary gets everything.',
    official: 'Argo strategy.canary.steps',
  }),
  ...surgeParams,
  minReadySeconds: minReady,
  progressDeadlineSeconds: progressDeadline,
  progressDeadlineAbort: boolean({
    default: false,
    about: 'Whether a canary that does not get on is aborted.',
    official: 'Argo progressDeadlineAbort',
  }),
  trafficRouting: boolean({
    default: false,
    about: 'Whether a router divides traffic by weight; else replica counts do.',
    official: 'Argo trafficRouting',
  }),
  dynamicStableScale: boolean({
    default: false,
    about: 'With a router: whether the stable side gives up the replicas that the canary takes over for.',
    official: 'Argo dynamicStableScale',
  }),
  minPodsPerReplicaSet: int({
    default: 1,
    min: 1,
    about: 'With a router: fewest replicas of a side that has any.',
    official: 'Argo minPodsPerReplicaSet',
  }),
  maxTrafficWeight: int({ default: 100, min: 1, about: 'What all weights add up to.', official: 'Argo maxTrafficWeight' }),
  replicaProgressThresholdType: choice({
    choices: ['Percentage', 'Pods'],
    default: 'Percentage',
    about: 'How replicaProgressThreshold is meant.',
    official: 'Argo replicaProgressThreshold.type',
  }),
  replicaProgressThreshold: int({
    default: 100,
    min: 0,
    about: 'How many of the canary’s replicas must be available to go on with a step; 0: all.',
    official: 'Argo replicaProgressThreshold.value',
  }),
  scaleDownDelaySeconds: duration({
    default: 30_000,
    min: 0,
    about: 'With a router: how long the old version’s replicas stay after the last of the traffic has left them.',
    official: 'Argo scaleDownDelaySeconds',
  }),
  abortScaleDownDelaySeconds: duration({
    default: 30_000,
    min: 0,
    about: 'With a router: how long an aborted canary’s replicas stay; 0: they do.',
    official: 'Argo abortScaleDownDelaySeconds',
  }),
  metrics: records({
    fields: metricFields,
    required: ['metric'],
    about: 'What analyses measure.',
    official: 'Argo AnalysisTemplate',
  }),
  backgroundTemplate: string({
    default: '',
    about: 'Metrics that are measured all along, from startingStep; empty: none.',
    official: 'Argo strategy.canary.analysis',
  }),
  startingStep: int({
    default: 0,
    min: 0,
    about: 'The step from which on that is done.',
    official: 'Argo analysis.startingStep',
  }),
} as const;

export const argoCanary = defineRollout({
  name: 'argo-canary',
  summary: 'Gives the new version its share step by step, with pauses and analyses (Argo Rollouts canary).',
  useWhen: 'A version should prove itself on a little traffic, by what is measured or looked at.',
  failsWhen: 'Steps are quicker than the metrics, or the first percent does all the damage.',
  cost: 'O(groups + steps) per change',
  sources: [
    'argoproj/argo-rollouts: rollout/canary.go, rollout/trafficrouting.go, utils/replicaset/canary.go',
    'argoproj/argo-rollouts: docs/features/canary.md',
  ],
  aliases: [
    { system: 'Argo Rollouts', name: 'canary' },
    { system: 'AWS', name: 'Canary10Percent5Minutes' },
  ],
  params,
  create: (values, deps) => onHosts(new ArgoCanary(values, deps.unit === 'hosts'), deps),
});

interface State extends BaseState {
  readonly index: number;
  readonly stepSinceMs: Ms | null;
  readonly isAborted: boolean;
  readonly abortReason: string;
  readonly isPromoted: boolean;
  readonly progress: ProgressState;
  readonly stepAnalysis: AnalysisState | null;
  readonly background: AnalysisState | null;
  /** Somebody must look: the last analysis said nothing. */
  readonly isInconclusive: boolean;
  /** Since when the side that is to go has had no traffic. */
  readonly idleSinceMs: Ms | null;
}

const START: Omit<State, keyof BaseState> = {
  index: 0,
  stepSinceMs: null,
  isAborted: false,
  abortReason: '',
  isPromoted: false,
  progress: noProgressYet(0),
  stepAnalysis: null,
  background: null,
  isInconclusive: false,
  idleSinceMs: null,
};

class ArgoCanary extends BaseRollout<State> {
  readonly routes: boolean;
  readonly #settings: CanarySettings;
  readonly #params: ParamValues<typeof params>;
  readonly #templates = new Map<string, Analysis>();

  constructor(values: ParamValues<typeof params>, isOnHosts: boolean) {
    super({ ...idleState, ...START }, values.minReadySeconds);
    this.#params = values;
    this.routes = values.trafficRouting && !isOnHosts;
    const { replicaProgressThreshold: threshold, replicaProgressThresholdType: type } = values;
    this.#settings = {
      steps: values.steps,
      // Hosts cannot be had twice, and nothing but their number divides traffic.
      maxSurge: isOnHosts ? { count: 0 } : parseCountOrPercent(values.maxSurge, 'maxSurge'),
      maxUnavailable: parseCountOrPercent(values.maxUnavailable, 'maxUnavailable'),
      trafficRouting: this.routes,
      dynamicStableScale: values.dynamicStableScale,
      minPodsPerReplicaSet: values.minPodsPerReplicaSet,
      maxTrafficWeight: values.maxTrafficWeight,
      threshold: type === 'Percentage' && threshold === 100 ? undefined : { type, value: threshold },
      keepsAborted: values.abortScaleDownDelaySeconds === 0,
    };
    for (const name of new Set(values.metrics.map(({ template }) => template)))
      this.#templates.set(name, analysisOf(values.metrics, name));
  }

  protected begin(serving: string | null, to: string, nowMs: Ms): void {
    const from = this.stableOf(serving);
    // Without another version, or on the way back to it, there is nothing to prove.
    const index = from === null || from === to ? this.#settings.steps.length : 0;
    const progress = noProgressYet(nowMs);
    this.set({ ...START, from, to, index, progress, phase: 'progressing', reason: 'RolloutProgressing' });
  }

  protected override timers(): readonly Ms[] {
    const { phase, progress, stepAnalysis, background, idleSinceMs } = this.state;
    const analysisMs = (name: string, run: AnalysisState | null): Ms =>
      run === null ? Infinity : (this.#templates.get(name)?.nextTimerMs(run) ?? Infinity);
    return [
      phase === 'progressing' || phase === 'promoting' ? stuckAtMs(progress, this.#params.progressDeadlineSeconds) : Infinity,
      this.#pauseEndMs(),
      idleSinceMs === null ? Infinity : idleSinceMs + this.#removalDelayMs(),
      analysisMs(this.#step?.template ?? '', stepAnalysis),
      analysisMs(this.#params.backgroundTemplate, background),
    ];
  }

  protected override onCommand(command: RolloutCommand, nowMs: Ms): void {
    const { phase, isAborted, isInconclusive, index } = this.state;
    if (phase === 'succeeded' || phase === 'idle') return;
    if (command === 'abort') this.#abort('user');
    if (command === 'retry' && isAborted)
      this.set({ ...START, progress: noProgressYet(nowMs), phase: 'progressing', reason: 'RolloutRetry' });
    if (isAborted) return;
    if (command === 'promote-full') this.set({ isPromoted: true, stepAnalysis: null, background: null, isInconclusive: false });
    if (command !== 'promote') return;
    if (isInconclusive) this.set({ isInconclusive: false, stepAnalysis: null, background: null });
    if (isInconclusive || this.#step?.step === 'pause') this.#enter(index + 1, nowMs);
  }

  protected advance(observation: RolloutObservation, to: string): readonly RolloutAction[] {
    const { from } = this.state;
    if (this.phase === 'succeeded' || from === null || from === to) return this.#settle(observation, to);
    if (this.state.isHeld) return [];
    this.#watch(observation, to);
    this.#analyse(observation, from, to);
    const position = () => ({
      from,
      to,
      index: this.state.isPromoted ? this.#settings.steps.length : this.state.index,
      isAborted: this.state.isAborted,
    });
    let plan = planCanary(this.#settings, observation, position());
    // Steps that are over give way to the next at once; each of them is looked at with the plan of its own.
    while (!this.state.isAborted && this.#isStepDone(observation, plan)) {
      this.#enter(this.state.index + 1, observation.nowMs);
      plan = planCanary(this.#settings, observation, position());
    }
    const isAtEnd = position().index >= this.#settings.steps.length;
    this.#tell(observation, plan, isAtEnd);
    if (isAtEnd && plan.isReached && !this.state.isAborted) this.#succeed(observation.nowMs);
    return [...this.#scale(observation, plan), ...this.#route(observation, plan), ...this.#mirror(observation)];
  }

  get #step(): (CanaryStep & { readonly template: string }) | undefined {
    return this.#params.steps[this.state.index];
  }

  #enter(index: number, nowMs: Ms): void {
    this.set({ index, stepSinceMs: nowMs, stepAnalysis: null, progress: noProgressYet(nowMs) });
  }

  #isStepDone({ nowMs }: RolloutObservation, plan: CanaryPlan): boolean {
    const step = this.#step;
    if (step === undefined || this.state.isPromoted || this.state.isInconclusive) return false;
    if (this.state.stepSinceMs === null) this.set({ stepSinceMs: nowMs });
    if (step.step === 'pause') return step.duration > 0 && nowMs > this.state.stepSinceMs! + step.duration;
    if (step.step === 'analysis') return this.state.stepAnalysis?.phase === 'Successful';
    return step.step === 'setMirrorRoute' || plan.isReached;
  }

  #pauseEndMs(): Ms {
    const { stepSinceMs, isAborted, isPromoted } = this.state;
    const step = this.#step;
    if (isAborted || isPromoted || stepSinceMs === null || step?.step !== 'pause' || step.duration === 0) return Infinity;
    return justAfter(stepSinceMs + step.duration);
  }

  /** Deadlines do not run while somebody, or a time, is waited for. */
  #watch(observation: RolloutObservation, to: string): void {
    const { nowMs } = observation;
    const before = this.state.progress;
    const kind = this.#step?.step;
    const isWaiting = kind === 'pause' || kind === 'analysis' || this.state.isInconclusive || this.state.isAborted;
    const status = statusOf(observation, to);
    this.set({ progress: isWaiting ? { status, progressMs: nowMs } : progressed(before, status, nowMs) });
    if (this.#params.progressDeadlineAbort && this.#isStuck(nowMs)) this.#abort('ProgressDeadlineExceeded');
  }

  #isStuck(nowMs: Ms): boolean {
    return isStuck(this.state.progress, this.#params.progressDeadlineSeconds, nowMs);
  }

  #analyse(observation: RolloutObservation, from: string, to: string): void {
    const { isAborted, isPromoted, isInconclusive } = this.state;
    if (isAborted || isPromoted || isInconclusive) return;
    const { backgroundTemplate, startingStep } = this.#params;
    const read = readFrom(observation, to, from);
    const background = this.#templates.get(backgroundTemplate);
    if (background !== undefined && this.state.index >= startingStep && this.state.index < this.#settings.steps.length)
      this.set({
        background: background.step(this.state.background ?? background.start(observation.nowMs), read, observation.nowMs),
      });
    const step = this.#step;
    if (step?.step === 'analysis') {
      const analysis = this.#templates.get(step.template) ?? noAnalysis;
      const run = this.state.stepAnalysis ?? analysis.start(observation.nowMs);
      this.set({ stepAnalysis: analysis.step(run, read, observation.nowMs) });
    }
    for (const run of [this.state.background, this.state.stepAnalysis]) {
      if (run?.phase === 'Failed' || run?.phase === 'Error') this.#abort(run.reason);
      else if (run?.phase === 'Inconclusive') this.set({ isInconclusive: true });
    }
  }

  #abort(abortReason: string): void {
    if (this.state.isAborted) return;
    const { from, to, isHeld, phase, reason } = this.state;
    this.set({ ...START, from, to, isHeld, phase, reason, isAborted: true, abortReason });
  }

  #tell({ nowMs }: RolloutObservation, plan: CanaryPlan, isAtEnd: boolean): void {
    const { isAborted, abortReason, isInconclusive } = this.state;
    if (isAborted) {
      const isBack = plan.stable.available >= plan.counts.stable && (plan.weights?.[plan.canary.group] ?? 0) === 0;
      const isGone = plan.weights === undefined ? plan.canary.created === 0 : plan.isRouted;
      this.become(isBack && isGone ? 'aborted' : 'rolling-back', `RolloutAborted: ${abortReason}`);
    } else if (isInconclusive) this.become('paused', 'InconclusiveAnalysisRun');
    else if (this.#step?.step === 'pause' && !isAtEnd) this.become('paused', 'CanaryPauseStep');
    else if (this.#isStuck(nowMs)) this.become('stalled', 'ProgressDeadlineExceeded');
    else if (isAtEnd) this.become('promoting', 'RolloutPromoting');
    else this.become('progressing', 'RolloutProgressing');
  }

  #succeed(nowMs: Ms): void {
    this.set({ background: null, stepAnalysis: null, idleSinceMs: nowMs });
    this.become('succeeded', 'RolloutHealthy');
  }

  #scale(observation: RolloutObservation, plan: CanaryPlan): readonly RolloutAction[] {
    const { canary, stable, older, counts, olderSizes } = plan;
    return [
      ...older.flatMap((group, at) => scaleTo(group, olderSizes[at])),
      ...scaleTo(stable, counts.stable),
      ...scaleTo(canary, this.#isKept(observation, plan) ? canary.spec : counts.canary),
    ];
  }

  /** With a router the replicas of an aborted canary stay a while, in case the abort was a mistake. */
  #isKept({ nowMs }: RolloutObservation, { canary, counts, weights }: CanaryPlan): boolean {
    if (!this.state.isAborted || weights === undefined || counts.canary >= canary.spec) return false;
    if (this.#settings.keepsAborted) return true;
    if ((weights[canary.group] ?? 0) > 0) return false;
    if (this.state.idleSinceMs === null) this.set({ idleSinceMs: nowMs });
    return nowMs < this.state.idleSinceMs! + this.#params.abortScaleDownDelaySeconds;
  }

  #removalDelayMs(): Ms {
    return this.state.isAborted ? this.#params.abortScaleDownDelaySeconds : this.#params.scaleDownDelaySeconds;
  }

  #route(observation: RolloutObservation, { weights }: CanaryPlan): readonly RolloutAction[] {
    return weights === undefined ? [] : routeBy(observation, weights);
  }

  /** Mirrors what the nearest mirror step says. */
  #mirror(observation: RolloutObservation): readonly RolloutAction[] {
    const { index, isAborted, isPromoted, to } = this.state;
    const isOver = isAborted || isPromoted || this.phase === 'succeeded' || index >= this.#settings.steps.length;
    const last = this.#params.steps.slice(0, index + 1).findLast(({ step }) => step === 'setMirrorRoute');
    return mirrorTo(observation, to ?? undefined, isOver ? 0 : Math.max(0, last?.weight ?? 0));
  }

  /** One version is left: it has all, the others go when nothing reaches them any more. */
  #settle(observation: RolloutObservation, to: string): readonly RolloutAction[] {
    const { nowMs, desired } = observation;
    const own = groupOf(observation, to);
    const others = othersThan(observation, to);
    const isAlone = others.every(({ spec }) => spec === 0);
    const isRouted = this.#settings.trafficRouting;
    const isServing = own.available >= desired && (isRouted ? hasWeights(observation.weights, { [to]: 100 }) : isAlone);
    if (this.phase !== 'succeeded' && isServing) this.#succeed(nowMs);
    if (this.state.isHeld) return [];
    const mirror = mirrorTo(observation, undefined, 0);
    const { maxSurge, maxUnavailable } = this.#settings;
    if (!isRouted) return [...mirror, ...rollingStep(observation, to, fencepostsWithin(maxSurge, maxUnavailable, desired))];
    const { idleSinceMs } = this.state;
    const isOver = idleSinceMs !== null && nowMs >= idleSinceMs + this.#params.scaleDownDelaySeconds;
    return [
      ...mirror,
      ...scaleTo(own, desired),
      ...(isOver ? others.flatMap((group) => scaleTo(group, 0)) : []),
      ...(own.available >= desired ? routeBy(observation, { [to]: 100 }) : []),
    ];
  }
}

const analysisOf = (metrics: readonly MetricSettings[], template: string): Analysis =>
  new Analysis(metrics.filter((metric) => metric.template === template));

const noAnalysis = new Analysis([]);
