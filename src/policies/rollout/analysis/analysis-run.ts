/** One analysis of a version: metrics measured again and again until each is decided, or the analysis is ended.
 *
 *  Use it wherever something goes on, goes back, or asks a human, by what is measured. It fails with metrics that cannot tell: too few requests,
 *  windows that reach back before the change, values that are old. Its state is plain data, so that another controller can go on with it.
 *
 *  A metric that is decided against the version ends the analysis; the others are then taken as they stand. The analysis is as bad as its
 *  worst metric. A measurement that could not be made is repeated after 10 s and does not count.
 *
 *  After argoproj/argo-rollouts: analysis/analysis.go; utils/evaluate/evaluate.go. */
import type { Ms } from '../../../core/time.ts';
import { type Condition, parseCondition } from './condition.ts';
import {
  assessMetric,
  effectiveCount,
  type FinishedPhase,
  finishedPhases,
  type MetricLimits,
  type MetricPhase,
  type MetricResult,
} from './metric-phase.ts';
import type { MetricSettings } from './metric-params.ts';
import { ratioEvidence, type RatioVerdict, ratioVerdict } from './ratio-test.ts';

/** Reads a metric of the version that is looked at, or of the one that serves now. Undefined: it cannot be read. */
export type ReadMetric = (name: string, of: 'canary' | 'control', windowMs: Ms) => number | undefined;

export type AnalysisPhase = 'Running' | FinishedPhase;

/** Plain data. */
export interface AnalysisState {
  readonly startedMs: Ms;
  readonly phase: AnalysisPhase;
  /** The metric that decided, and its value; empty while running. */
  readonly reason: string;
  readonly metrics: readonly MetricState[];
}

interface MetricState extends MetricResult {
  readonly phase: MetricPhase;
  readonly measuredMs: Ms | null;
  readonly lastValue: number | null;
  /** Log likelihood ratio so far, of the test `ratio`. */
  readonly evidence: number;
  readonly looks: number;
}

interface Compiled {
  readonly settings: MetricSettings;
  readonly limits: MetricLimits;
  readonly success: Condition | undefined;
  readonly failure: Condition | undefined;
}

const ERROR_RETRY_MS: Ms = 10_000;

export class Analysis {
  readonly #metrics: readonly Compiled[];

  constructor(metrics: readonly MetricSettings[]) {
    this.#metrics = metrics.map((settings) => {
      const { failureLimit, inconclusiveLimit, consecutiveErrorLimit, consecutiveSuccessLimit } = settings;
      const count = effectiveCount(settings.count === 0 ? undefined : settings.count, settings.interval > 0);
      return {
        settings,
        limits: { failureLimit, inconclusiveLimit, consecutiveErrorLimit, consecutiveSuccessLimit, count },
        success: parseCondition(settings.successCondition, `successCondition of ${settings.metric}`),
        failure: parseCondition(settings.failureCondition, `failureCondition of ${settings.metric}`),
      };
    });
  }

  /** Without metrics it has succeeded before it begins. */
  start(nowMs: Ms): AnalysisState {
    const phase = this.#metrics.length === 0 ? 'Successful' : 'Running';
    return { startedMs: nowMs, phase, reason: '', metrics: this.#metrics.map(() => fresh) };
  }

  /** Measures what is due. `isTerminating`: the time for it is over; what is not decided against the version is then for it. */
  step(state: AnalysisState, read: ReadMetric, nowMs: Ms, isTerminating = false): AnalysisState {
    if (state.phase !== 'Running') return state;
    const measured = state.metrics.map((metric, at) =>
      isTerminating || nowMs < this.#dueMs(state, at) ? metric : this.#measure(this.#metrics[at], metric, read, nowMs),
    );
    const isDecided = measured.some(({ phase }) => isFinished(phase) && phase !== 'Successful');
    const ended = isTerminating || isDecided;
    const metrics = measured.map((metric, at) => ({ ...metric, phase: this.#assess(this.#metrics[at], metric, ended) }));
    const phase = worst(metrics.map((metric) => metric.phase));
    return { ...state, metrics, phase, reason: phase === 'Running' ? '' : this.#reason(metrics, phase) };
  }

  nextTimerMs(state: AnalysisState): Ms {
    if (state.phase !== 'Running') return Infinity;
    return Math.min(...this.#metrics.map((_, at) => this.#dueMs(state, at)));
  }

  #dueMs(state: AnalysisState, at: number): Ms {
    const { interval, initialDelay } = this.#metrics[at].settings;
    const { measuredMs, phase, lastMeasurement } = state.metrics[at];
    if (isFinished(phase)) return Infinity;
    if (measuredMs === null) return state.startedMs + initialDelay;
    if (lastMeasurement === 'Error') return measuredMs + ERROR_RETRY_MS;
    return measuredMs + (interval === 0 ? ERROR_RETRY_MS : interval);
  }

  #measure(compiled: Compiled, metric: MetricState, read: ReadMetric, nowMs: Ms): MetricState {
    const { settings } = compiled;
    const looked = { ...metric, measuredMs: nowMs, looks: metric.looks + 1 };
    if (settings.test === 'ratio')
      return this.#look(compiled, looked, read, nowMs - (metric.measuredMs ?? nowMs - settings.window));
    const result = read(settings.metric, 'canary', settings.window);
    const needsControl = compiled.success?.needsControl === true || compiled.failure?.needsControl === true;
    const control = needsControl ? read(settings.metric, 'control', settings.window) : undefined;
    if (result === undefined || Number.isNaN(result) || (needsControl && control === undefined)) return counted(looked, 'Error');
    const isBad = compiled.failure?.holds({ result, control }) === true;
    const isGood = compiled.success?.holds({ result, control });
    return counted({ ...looked, lastValue: result }, verdictOf(compiled, isGood, isBad));
  }

  /** Adds what happened since the last look; nothing is counted before the test has decided, or has looked often enough. */
  #look({ settings, limits }: Compiled, metric: MetricState, read: ReadMetric, windowMs: Ms): MetricState {
    const outcomes = (of: 'canary' | 'control') => ({
      requests: read('requests', of, windowMs),
      failures: read('errors', of, windowMs),
    });
    const [canary, control] = [outcomes('canary'), outcomes('control')];
    if (!isComplete(canary) || !isComplete(control)) return counted(metric, 'Error');
    const evidence = metric.evidence + ratioEvidence(settings.ratio, canary, control);
    const looked: MetricState = { ...metric, evidence, lastValue: evidence, consecutiveError: 0 };
    const verdict: RatioVerdict = ratioVerdict(settings, evidence);
    if (verdict === 'bad') return counted(looked, 'Failed');
    if (verdict === 'good') return counted(looked, 'Successful');
    if (looked.looks >= limits.count) return counted(looked, 'Inconclusive');
    return { ...looked, lastMeasurement: 'Running' };
  }

  #assess({ settings, limits }: Compiled, metric: MetricState, isEnded: boolean): MetricPhase {
    if (isFinished(metric.phase)) return metric.phase;
    if (settings.test === 'ratio' && metric.lastMeasurement !== undefined && metric.lastMeasurement !== 'Error') {
      // A sequential test is decided once and for all; limits are for values one by one.
      if (metric.lastMeasurement !== 'Running') return metric.lastMeasurement;
      return isEnded ? 'Successful' : 'Running';
    }
    return assessMetric(limits, metric, isEnded);
  }

  #reason(metrics: readonly MetricState[], phase: FinishedPhase): string {
    const at = metrics.findIndex((metric) => metric.phase === phase);
    if (at === -1) return '';
    const { lastValue } = metrics[at];
    return `${this.#metrics[at].settings.metric} ${phase}${lastValue === null ? '' : ` at ${lastValue}`}`;
  }
}

const fresh: MetricState = {
  phase: 'Pending',
  measuredMs: null,
  lastValue: null,
  evidence: 0,
  looks: 0,
  successful: 0,
  failed: 0,
  inconclusive: 0,
  consecutiveError: 0,
  consecutiveSuccess: 0,
  count: 0,
  lastMeasurement: undefined,
};

const isFinished = (phase: MetricPhase): phase is FinishedPhase => phase !== 'Pending' && phase !== 'Running';

function counted(metric: MetricState, verdict: FinishedPhase): MetricState {
  const isError = verdict === 'Error';
  return {
    ...metric,
    lastMeasurement: verdict,
    successful: metric.successful + (verdict === 'Successful' ? 1 : 0),
    failed: metric.failed + (verdict === 'Failed' ? 1 : 0),
    inconclusive: metric.inconclusive + (verdict === 'Inconclusive' ? 1 : 0),
    consecutiveError: isError ? metric.consecutiveError + 1 : 0,
    consecutiveSuccess: verdict === 'Successful' ? metric.consecutiveSuccess + 1 : 0,
    count: metric.count + (isError ? 0 : 1),
  };
}

function verdictOf({ success, failure }: Compiled, isGood: boolean | undefined, isBad: boolean): FinishedPhase {
  if (isBad) return 'Failed';
  if (success === undefined) return 'Successful';
  if (isGood === true) return 'Successful';
  return failure === undefined ? 'Failed' : 'Inconclusive';
}

/** Running while any metric is; else the worst. */
function worst(phases: readonly MetricPhase[]): AnalysisPhase {
  if (phases.some((phase) => !isFinished(phase))) return 'Running';
  return finishedPhases.findLast((phase) => phases.includes(phase)) ?? 'Successful';
}

const isComplete = (outcomes: {
  readonly requests: number | undefined;
  readonly failures: number | undefined;
}): outcomes is { readonly requests: number; readonly failures: number } =>
  outcomes.requests !== undefined && outcomes.failures !== undefined;
