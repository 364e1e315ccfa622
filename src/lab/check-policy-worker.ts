/** Entry of the thread on which a policy is checked: says which check begins, then what it found. */
import { parentPort, workerData } from 'node:worker_threads';
import { type CheckRequest, type PolicyCheck, policyChecks } from './policy-checks.ts';

export type FromCheckWorker =
  | { readonly type: 'begin'; readonly name: string }
  | { readonly type: 'end'; readonly check: PolicyCheck }
  | { readonly type: 'done' };

const port = parentPort;
if (port === null) throw new Error('check-policy-worker.ts runs in a worker thread');
const send = (message: FromCheckWorker): void => port.postMessage(message);

for await (const check of policyChecks(workerData as CheckRequest, (name) => send({ type: 'begin', name })))
  send({ type: 'end', check });
send({ type: 'done' });
