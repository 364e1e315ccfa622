/** Change management: strategies, analysis, flags, versions, stores, elections, and how configuration gets to hosts. */
export * from './analysis/index.ts';
export * from './elections/index.ts';
export * from './flags/index.ts';
export * from './propagation/index.ts';
export * from './rollout-controller.ts';
export * from './store/index.ts';
export * from './strategies/index.ts';
export * from './versions/index.ts';
