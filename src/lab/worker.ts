/** Entry of a worker thread: runs the cells it is sent, one at a time, until it is sent null. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Scenario } from '../scenario/spec.ts';
import { type Cell, CellRunner } from './cell.ts';
import type { FromWorker } from './executors.ts';
import { plainError } from './plain-error.ts';

const port = parentPort;
if (port === null) throw new Error('worker.ts runs in a worker thread');
const runner = new CellRunner(workerData as Scenario);
const send = (message: FromWorker): void => port.postMessage(message);

port.on('message', (cell: Cell | null) => {
  if (cell === null) {
    port.close();
    return;
  }
  runner
    .run(cell, (simulatedMs) => send({ type: 'advance', cell, simulatedMs }))
    .then((result) => send({ type: 'result', result }))
    .catch((error: unknown) => send({ type: 'error', error: plainError(error) }));
});
