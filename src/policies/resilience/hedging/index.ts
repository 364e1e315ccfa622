/** Every hedging policy by name. */
import { delayHedge } from './delay.ts';
import { grpcHedge } from './grpc.ts';
import type { HedgeDefinition } from './hedge.ts';
import { quantileHedge } from './quantile.ts';

export { checkHedge } from './contract.ts';
export * from './hedge.ts';
export { delayHedge, grpcHedge, quantileHedge };

export const hedges: Readonly<Record<string, HedgeDefinition>> = {
  delay: delayHedge,
  quantile: quantileHedge,
  grpc: grpcHedge,
};
