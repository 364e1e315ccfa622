/** Recovery: restarts in place, replicas, nodes that are given up, and failover between sites. */
export * from './eviction/index.ts';
export * from './failover/index.ts';
export * from './replicas/index.ts';
export * from './restarts/index.ts';
