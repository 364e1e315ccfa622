/** Deciding on a version by what is measured. */
export { Analysis, type AnalysisPhase, type AnalysisState, type ReadMetric } from './analysis-run.ts';
export { type Condition, type Measured, parseCondition } from './condition.ts';
export { metricFields, type MetricSettings } from './metric-params.ts';
export { assessMetric, type FinishedPhase, type MetricLimits, type MetricPhase, type MetricResult } from './metric-phase.ts';
export { type Outcomes, ratioEvidence, type RatioTestSettings, type RatioVerdict, ratioVerdict } from './ratio-test.ts';
