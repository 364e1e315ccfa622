import type { ElasticSpec, PipelineSpec } from '../../src/scenario/spec.ts';

/** Of a service that says nothing about how its instances come and go. */
export const plainElastic: ElasticSpec = {
  imagePull: { type: 'constant', value: 0 },
  readinessMs: 0,
  endpointDelay: { type: 'constant', value: 0 },
  ...{ cpu: 1000, cpuLimit: 1000, memory: 0, memoryBase: NaN, memoryPerRequest: 0 },
  shutdown: { drains: true, preStopMs: 0, graceMs: 30_000 },
  ...{ priority: 0, spread: [], nodeLabels: {}, tolerates: [], price: 0, targetUtilization: 0.8 },
};

export const plainPipeline: PipelineSpec = {
  scrapeMs: 15_000,
  windowMs: 15_000,
  delayMs: 0,
  missing: 0,
  watch: 'error-rate',
  evaluateMs: 15_000,
};
