/** Every outlier detector by name. */
import { envoyOutliers } from './envoy.ts';
import { grpcOutliers } from './grpc.ts';
import type { OutlierDetectorDefinition } from './outlier-detector.ts';

export { checkOutlierDetector } from './contract.ts';
export * from './outlier-detector.ts';
export { envoyOutliers, grpcOutliers };

export const outlierDetectors: Readonly<Record<string, OutlierDetectorDefinition>> = {
  envoy: envoyOutliers,
  grpc: grpcOutliers,
};
