/** Argo Rollouts' blue-green: the new version is brought up in full beside the old one, and traffic is switched over in one go.
 *
 *  Use it where versions must not answer side by side, and going back must be instant. It fails to spare anybody: what the new version does wrong,
 *  it does to everybody at once; and it needs everything twice.
 *
 *  The preview is scaled up and, if there are metrics for it, analysed; then it waits for a time or for somebody; then it gets all the traffic.
 *  If the analysis after the switch fails, traffic goes back. Whoever has lost the traffic is kept for a delay, and then scaled down. */
import { boolean, duration, int, type ParamValues, records, string } from '../../../core/params.ts';
import { InputError } from '../../../core/errors.ts';
import type { Ms } from '../../../core/time.ts';
import { Analysis, type AnalysisState } from '../analysis/analysis-run.ts';
import { metricFields } from '../analysis/metric-params.ts';
import { defineRollout, type GroupStatus, type RolloutAction, type RolloutCommand, type RolloutObservation } from './rollout.ts';
import {
  BaseRollout,
  type BaseState,
  groupOf,
  hasWeights,
  idleState,
  justAfter,
  othersThan,
  routeBy,
  scaleTo,
} from './parts/base-rollout.ts';
import { readFrom } from './parts/group-metrics.ts';
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

const params = {
  autoPromotionEnabled: boolean({
    default: true,
    about: 'Whether traffic is switched without somebody saying so.',
    official: 'Argo autoPromotionEnabled',
  }),
  autoPromotionSeconds: duration({
    default: 0,
    min: 0,
    about: 'How long the preview waits before that happens; above 0 also without autoPromotionEnabled.',
    official: 'Argo autoPromotionSeconds',
  }),
  previewReplicaCount: int({
    default: 0,
    min: 0,
    about: 'Size of the preview until the switch is decided; 0: full.',
    official: 'Argo previewReplicaCount',
  }),
  scaleDownDelaySeconds: duration({
    default: 30_000,
    min: 0,
    about: 'How long the old version is kept after the switch.',
    official: 'Argo scaleDownDelaySeconds',
  }),
  abortScaleDownDelaySeconds: duration({
    default: 30_000,
    min: 0,
    about: 'How long an aborted version is kept; 0: for good.',
    official: 'Argo abortScaleDownDelaySeconds',
  }),
  minReadySeconds: minReady,
  progressDeadlineSeconds: progressDeadline,
  progressDeadlineAbort: boolean({
    default: false,
    about: 'Whether a preview that does not get on is aborted.',
    official: 'Argo progressDeadlineAbort',
  }),
  metrics: records({
    fields: metricFields,
    required: ['metric'],
    about: 'What analyses measure.',
    official: 'Argo AnalysisTemplate',
  }),
  prePromotionTemplate: string({
    default: '',
    about: 'Metrics that are measured before the switch; empty: none.',
    official: 'Argo prePromotionAnalysis',
  }),
  postPromotionTemplate: string({
    default: '',
    about: 'Metrics that are measured after the switch; empty: none.',
    official: 'Argo postPromotionAnalysis',
  }),
} as const;

export const argoBlueGreen = defineRollout({
  name: 'argo-blue-green',
  summary: 'Brings the new version up beside the old one and switches all traffic at once (Argo Rollouts blueGreen).',
  useWhen: 'Versions must not answer side by side, and going back must be instant.',
  failsWhen: 'Nothing shows before the switch that a version is bad, or there is no room for everything twice.',
  cost: 'O(groups + metrics) per change',
  sources: ['argoproj/argo-rollouts: rollout/bluegreen.go, docs/features/bluegreen.md'],
  aliases: [
    { system: 'Argo Rollouts', name: 'blueGreen' },
    { system: 'AWS', name: 'BlueGreen' },
  ],
  params,
  create: (values, { unit }) => {
    if (unit === 'hosts')
      throw InputError.of('bad-value', 'argo-blue-green needs everything twice; hosts of a configuration are there once');
    return new ArgoBlueGreen(values);
  },
});

/** Where it is between the first replica of the preview and the last one of what it replaces. */
type Stage = 'preview' | 'pre-analysis' | 'waiting' | 'growing' | 'switched';

interface State extends BaseState {
  readonly stage: Stage;
  readonly waitingSinceMs: Ms | null;
  readonly analysis: AnalysisState | null;
  readonly isInconclusive: boolean;
  readonly isAborted: boolean;
  readonly abortReason: string;
  /** Since when the side that is to go has had no traffic. */
  readonly idleSinceMs: Ms | null;
  readonly progress: ProgressState;
}

const START: Omit<State, keyof BaseState> = {
  stage: 'preview',
  waitingSinceMs: null,
  analysis: null,
  isInconclusive: false,
  isAborted: false,
  abortReason: '',
  idleSinceMs: null,
  progress: noProgressYet(0),
};

class ArgoBlueGreen extends BaseRollout<State> {
  readonly routes = true;
  readonly #params: ParamValues<typeof params>;
  readonly #pre: Analysis;
  readonly #post: Analysis;

  constructor(values: ParamValues<typeof params>) {
    super({ ...idleState, ...START }, values.minReadySeconds);
    this.#params = values;
    const of = (name: string): Analysis =>
      new Analysis(values.metrics.filter(({ template }) => name !== '' && template === name));
    this.#pre = of(values.prePromotionTemplate);
    this.#post = of(values.postPromotionTemplate);
  }

  protected begin(serving: string | null, to: string, nowMs: Ms): void {
    const from = this.stableOf(serving);
    this.set({ ...START, from, to, progress: noProgressYet(nowMs), phase: 'progressing', reason: 'RolloutProgressing' });
  }

  protected override timers(): readonly Ms[] {
    const { stage, progress, analysis, idleSinceMs, isAborted, waitingSinceMs } = this.state;
    const { autoPromotionSeconds, scaleDownDelaySeconds, abortScaleDownDelaySeconds, progressDeadlineSeconds } = this.#params;
    const isWaiting = stage === 'waiting' && waitingSinceMs !== null && autoPromotionSeconds > 0;
    return [
      this.phase === 'progressing' ? stuckAtMs(progress, progressDeadlineSeconds) : Infinity,
      isWaiting ? justAfter(waitingSinceMs + autoPromotionSeconds) : Infinity,
      idleSinceMs === null ? Infinity : idleSinceMs + (isAborted ? abortScaleDownDelaySeconds : scaleDownDelaySeconds),
      analysis === null ? Infinity : (stage === 'switched' ? this.#post : this.#pre).nextTimerMs(analysis),
    ];
  }

  protected override onCommand(command: RolloutCommand, nowMs: Ms): void {
    const { stage, isAborted, isInconclusive } = this.state;
    if (this.phase === 'succeeded' || this.phase === 'idle') return;
    if (command === 'abort') this.#abort('user');
    if (command === 'retry' && isAborted) {
      const { from, to, isHeld } = this.state;
      this.set({ ...START, from, to, isHeld, progress: noProgressYet(nowMs), phase: 'progressing', reason: 'RolloutRetry' });
    }
    if (isAborted || (command !== 'promote' && command !== 'promote-full')) return;
    if (isInconclusive) this.set({ isInconclusive: false, analysis: null });
    if (stage === 'switched') {
      if (isInconclusive || command === 'promote-full') this.#succeed(nowMs);
    } else if (stage === 'waiting' || isInconclusive || command === 'promote-full') this.#enter('growing', nowMs);
  }

  protected advance(observation: RolloutObservation, to: string): readonly RolloutAction[] {
    const { from } = this.state;
    const own = groupOf(observation, to);
    if (this.phase === 'succeeded') return this.#settle(observation, own);
    if (this.state.isHeld) return [];
    const isFirst = from === null || from === to;
    this.#watch(observation, to);
    if (!this.state.isAborted) this.#proceed(observation, own, isFirst);
    const stable = isFirst ? own : groupOf(observation, from);
    const hasSwitched = this.state.stage === 'switched' && !this.state.isAborted;
    const active = isFirst ? (own.available >= observation.desired ? own : undefined) : hasSwitched ? own : stable;
    this.#tell(observation, stable);
    return [
      ...(isFirst ? [] : scaleTo(stable, observation.desired)),
      ...scaleTo(own, this.#size(observation, own, isFirst)),
      ...(active === undefined ? [] : routeBy(observation, { [active.group]: 100 })),
      ...othersThan(observation, to, stable.group).flatMap((group) => scaleTo(group, 0)),
    ];
  }

  #enter(stage: Stage, nowMs: Ms): void {
    this.set({ stage, analysis: null, waitingSinceMs: stage === 'waiting' ? nowMs : null, progress: noProgressYet(nowMs) });
  }

  #proceed(observation: RolloutObservation, own: GroupStatus, isFirst: boolean): void {
    const { nowMs, desired } = observation;
    const { autoPromotionEnabled, autoPromotionSeconds } = this.#params;
    if (isFirst) {
      if (own.available >= desired && hasWeights(observation.weights, { [own.group]: 100 })) this.#succeed(nowMs);
      return;
    }
    if (this.state.stage === 'preview' && own.available >= this.#previewSize(desired)) this.#enter('pre-analysis', nowMs);
    if (this.state.stage === 'pre-analysis' && this.#isPassed(this.#pre, observation)) this.#enter('waiting', nowMs);
    if (this.state.stage === 'waiting') {
      const isOver = autoPromotionSeconds > 0 ? nowMs > this.state.waitingSinceMs! + autoPromotionSeconds : autoPromotionEnabled;
      if (isOver) this.#enter('growing', nowMs);
    }
    if (this.state.stage === 'growing' && own.available >= desired) this.#enter('switched', nowMs);
    if (this.state.stage !== 'switched' || !hasWeights(observation.weights, { [own.group]: 100 })) return;
    if (this.#isPassed(this.#post, observation)) this.#succeed(nowMs);
  }

  #isPassed(analysis: Analysis, observation: RolloutObservation): boolean {
    if (this.state.isInconclusive) return false;
    const { from, to } = this.state;
    const run = this.state.analysis ?? analysis.start(observation.nowMs);
    const next = analysis.step(run, readFrom(observation, to!, from), observation.nowMs);
    this.set({ analysis: next });
    if (next.phase === 'Failed' || next.phase === 'Error') this.#abort(next.reason);
    if (next.phase === 'Inconclusive') this.set({ isInconclusive: true });
    return next.phase === 'Successful';
  }

  #abort(abortReason: string): void {
    if (this.state.isAborted || this.state.from === null) return;
    const { from, to, isHeld, phase, reason } = this.state;
    this.set({ ...START, from, to, isHeld, phase, reason, isAborted: true, abortReason });
  }

  #succeed(nowMs: Ms): void {
    this.set({ analysis: null, idleSinceMs: nowMs });
    this.become('succeeded', 'RolloutHealthy');
  }

  #watch(observation: RolloutObservation, to: string): void {
    const { nowMs } = observation;
    const { stage, isAborted, progress } = this.state;
    const isWaiting = isAborted || stage === 'waiting' || stage === 'pre-analysis' || stage === 'switched';
    const status = statusOf(observation, to);
    this.set({ progress: isWaiting ? { status, progressMs: nowMs } : progressed(progress, status, nowMs) });
    if (this.#params.progressDeadlineAbort && this.#isStuck(nowMs)) this.#abort('ProgressDeadlineExceeded');
  }

  #isStuck(nowMs: Ms): boolean {
    return isStuck(this.state.progress, this.#params.progressDeadlineSeconds, nowMs);
  }

  #previewSize(desired: number): number {
    const { previewReplicaCount } = this.#params;
    return previewReplicaCount > 0 ? Math.min(previewReplicaCount, desired) : desired;
  }

  #size({ nowMs, desired, weights }: RolloutObservation, own: GroupStatus, isFirst: boolean): number {
    const { isAborted, stage } = this.state;
    if (!isAborted) return isFirst || stage === 'growing' || stage === 'switched' ? desired : this.#previewSize(desired);
    const { abortScaleDownDelaySeconds } = this.#params;
    if (abortScaleDownDelaySeconds === 0 || (weights?.[own.group] ?? 0) > 0) return own.spec;
    if (this.state.idleSinceMs === null) this.set({ idleSinceMs: nowMs });
    return nowMs < this.state.idleSinceMs! + abortScaleDownDelaySeconds ? own.spec : 0;
  }

  #tell(observation: RolloutObservation, stable: GroupStatus): void {
    const { isAborted, abortReason, isInconclusive, stage } = this.state;
    if (this.phase === 'succeeded') return;
    if (isAborted) {
      const isBack = hasWeights(observation.weights, { [stable.group]: 100 });
      this.become(isBack ? 'aborted' : 'rolling-back', `RolloutAborted: ${abortReason}`);
    } else if (isInconclusive) this.become('paused', 'InconclusiveAnalysisRun');
    else if (stage === 'waiting') this.become('paused', 'BlueGreenPause');
    else if (this.#isStuck(observation.nowMs)) this.become('stalled', 'ProgressDeadlineExceeded');
    else this.become(stage === 'growing' || stage === 'switched' ? 'promoting' : 'progressing', 'RolloutProgressing');
  }

  /** The new version serves; what it replaced goes when its delay is over. */
  #settle(observation: RolloutObservation, own: GroupStatus): readonly RolloutAction[] {
    const { nowMs, desired } = observation;
    if (this.state.isHeld) return [];
    const isOver = nowMs >= (this.state.idleSinceMs ?? nowMs) + this.#params.scaleDownDelaySeconds;
    const others = othersThan(observation, own.group);
    return [
      ...scaleTo(own, desired),
      ...routeBy(observation, { [own.group]: 100 }),
      ...(isOver ? others.flatMap((group) => scaleTo(group, 0)) : []),
    ];
  }
}
