/** Every admission policy by name. */
import type { AdmissionDefinition } from './admission.ts';
import { aimd } from './aimd.ts';
import { dagor } from './dagor.ts';
import { envoyAdmissionControl } from './envoy-admission-control.ts';
import { envoyGradient } from './envoy-gradient.ts';
import { gradient } from './gradient.ts';
import { gradient2 } from './gradient2.ts';
import { leakyBucket } from './leaky-bucket.ts';
import { partitioned } from './partitioned.ts';
import { priorityAdmission } from './priority.ts';
import { resilience4jRateLimiter } from './resilience4j-rate-limiter.ts';
import { semaphore } from './semaphore.ts';
import { sreThrottle } from './sre-throttle.ts';
import { tokenBucket } from './token-bucket.ts';
import { vegas } from './vegas.ts';

export * from './admission.ts';
export { checkAdmission } from './contract.ts';
export {
  aimd,
  dagor,
  envoyAdmissionControl,
  envoyGradient,
  gradient,
  gradient2,
  leakyBucket,
  partitioned,
  priorityAdmission,
  resilience4jRateLimiter,
  semaphore,
  sreThrottle,
  tokenBucket,
  vegas,
};

export const admissions: Readonly<Record<string, AdmissionDefinition>> = {
  semaphore,
  aimd,
  vegas,
  gradient,
  gradient2,
  'envoy-gradient': envoyGradient,
  partitioned,
  priority: priorityAdmission,
  dagor,
  'sre-throttle': sreThrottle,
  'envoy-admission-control': envoyAdmissionControl,
  'token-bucket': tokenBucket,
  'leaky-bucket': leakyBucket,
  'resilience4j-rate-limiter': resilience4jRateLimiter,
};
