/** Every failure detector by name. */
import { bertier } from './bertier.ts';
import { chen } from './chen.ts';
import { deadline } from './deadline.ts';
import type { DetectorDefinition } from './detector.ts';
import { heartbeat } from './heartbeat.ts';
import { nodeLease } from './node-lease.ts';
import { phiAccrual } from './phi-accrual.ts';
import { phiCassandra } from './phi-cassandra.ts';

export { checkDetector } from './contract.ts';
export * from './detector.ts';
export { bertier, chen, deadline, heartbeat, nodeLease, phiAccrual, phiCassandra };

export const detectors: Readonly<Record<string, DetectorDefinition>> = {
  heartbeat,
  deadline,
  'phi-accrual': phiAccrual,
  'phi-cassandra': phiCassandra,
  chen,
  bertier,
  'node-lease': nodeLease,
};
