/** Every failure detector by name. */
import type { DetectorDefinition } from './detector.ts';
import { heartbeat } from './heartbeat.ts';

export { checkDetector } from './contract.ts';
export * from './detector.ts';
export { heartbeat };

export const detectors: Readonly<Record<string, DetectorDefinition>> = { heartbeat };
