/** Entry of a thread that is sent scenarios with cells, and answers with results. */
import { parentPort } from 'node:worker_threads';
import type { Scenario } from '../scenario/spec.ts';
import { type Cell, CellRunner } from './cell.ts';
import type { FromWorker } from './executors.ts';
import { plainError } from './plain-error.ts';

const port = parentPort;
if (port === null) throw new Error('cell-thread-worker.ts runs in a worker thread');
const send = (message: FromWorker): void => port.postMessage(message);

port.on('message', ({ scenario, cell }: { readonly scenario: Scenario; readonly cell: Cell }) => {
  new CellRunner(scenario)
    .run(cell)
    .then((result) => send({ type: 'result', result }))
    .catch((error: unknown) => send({ type: 'error', error: plainError(error) }));
});
