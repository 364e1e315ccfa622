/** A thread that simulates cells on the built code. Plain JavaScript, so that nothing stands between Node and `dist`. */
import { parentPort, workerData } from 'node:worker_threads';

const { CellRunner } = await import(workerData.cellModule);
let known = { id: -1, runner: undefined };

parentPort.on('message', async ({ job, id, scenario, cell }) => {
  if (known.id !== id) known = { id, runner: new CellRunner(scenario) };
  try {
    parentPort.postMessage({ job, result: await known.runner.run(cell) });
  } catch (error) {
    parentPort.postMessage({ job, error: `${error.stack}${error.evidence ? `\n${error.evidence.join('\n')}` : ''}` });
  }
});
