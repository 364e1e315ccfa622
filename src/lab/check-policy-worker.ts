/** Entry of the thread on which a policy is checked: says which check begins, then what it found. */
import { parentPort, workerData } from 'node:worker_threads';
import { PolicyFault } from '../core/errors.ts';
import { makePolicies } from '../scenario/make-policies.ts';
import type { Scenario } from '../scenario/spec.ts';
import { type CheckedRole, type PolicyCheck, policyChecks } from './policy-checks.ts';

export interface CheckRequest {
  readonly role: CheckedRole;
  readonly name: string;
  readonly scenario: Scenario;
}

export type FromCheckWorker =
  | { readonly type: 'begin'; readonly name: string }
  | { readonly type: 'end'; readonly check: PolicyCheck }
  /** It could not be loaded. */
  | { readonly type: 'fault'; readonly message: string }
  | { readonly type: 'done' };

const port = parentPort;
if (port === null) throw new Error('check-policy-worker.ts runs in a worker thread');
const send = (message: FromCheckWorker): void => port.postMessage(message);

const { role, name, scenario } = workerData as CheckRequest;
try {
  const makers = await makePolicies(scenario.policies);
  for (const check of policyChecks({ role, name, makers, scenario }, (begun) => send({ type: 'begin', name: begun })))
    send({ type: 'end', check });
  send({ type: 'done' });
} catch (error) {
  if (!(error instanceof PolicyFault)) throw error;
  send({ type: 'fault', message: error.message });
}
