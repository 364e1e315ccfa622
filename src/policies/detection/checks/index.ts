/** Every health checker by name. */
import { consul } from './consul.ts';
import { envoyHealthCheck } from './envoy.ts';
import { eureka } from './eureka.ts';
import { haproxyHealthCheck } from './haproxy.ts';
import type { HealthCheckerDefinition } from './health-checker.ts';
import { kubelet } from './kubelet.ts';

export { checkHealthChecker } from './contract.ts';
export * from './health-checker.ts';
export { consul, envoyHealthCheck, eureka, haproxyHealthCheck, kubelet };

export const healthCheckers: Readonly<Record<string, HealthCheckerDefinition>> = {
  consul,
  envoy: envoyHealthCheck,
  eureka,
  haproxy: haproxyHealthCheck,
  kubelet,
};
