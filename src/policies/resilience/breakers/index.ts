/** Every circuit breaker by name. */
import type { BreakerDefinition } from './breaker.ts';
import { envoy } from './envoy.ts';
import { finagle } from './finagle.ts';
import { gobreaker } from './gobreaker.ts';
import { hystrix } from './hystrix.ts';
import { linkerd } from './linkerd.ts';
import { opossum } from './opossum.ts';
import { polly } from './polly.ts';
import { resilience4jCount } from './resilience4j-count.ts';
import { resilience4jTime } from './resilience4j-time.ts';

export * from './breaker.ts';
export { checkBreaker } from './contract.ts';
export { envoy, finagle, gobreaker, hystrix, linkerd, opossum, polly, resilience4jCount, resilience4jTime };

export const breakers: Readonly<Record<string, BreakerDefinition>> = {
  envoy,
  finagle,
  gobreaker,
  hystrix,
  linkerd,
  opossum,
  polly,
  'resilience4j-count': resilience4jCount,
  'resilience4j-time': resilience4jTime,
};
