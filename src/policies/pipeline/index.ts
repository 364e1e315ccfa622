/** The request pipeline: for proxies and libraries that drive it themselves. */
export { AttemptTable } from './attempt-table.ts';
export type { PipelineDriver } from './driver.ts';
export type { PipelineSettings } from './generation.ts';
export { needsFullTable, Pipeline, type PipelineParts } from './pipeline.ts';
export { nameOfResult, type RequestResult, type ResultName, results } from './results.ts';
