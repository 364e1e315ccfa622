/** Everything a result folder holds, derived from the run alone; rendered one after the other, so that memory holds one at a time. */
import type { RunFile } from '../lab/types.ts';
import { serializeRun } from '../report/json.ts';
import { summaryCsv } from '../report/summary-csv.ts';
import { timeseriesCsv } from '../report/timeseries-csv.ts';
import type { OutputFile } from './write.ts';

export async function* resultFiles(run: RunFile): AsyncGenerator<OutputFile> {
  yield { name: 'run.json', content: serializeRun(run) };
  yield* csvFiles(run);
  yield* chartFiles(run);
  yield await htmlFile(run);
}

export function* csvFiles(run: RunFile): Generator<OutputFile> {
  yield { name: 'summary.csv', content: summaryCsv(run) };
  yield { name: 'timeseries.csv', content: timeseriesCsv(run) };
}

/** Each chart as SVG, and as the Vega-Lite specification with its data, to be changed and drawn elsewhere. */
export async function* chartFiles(run: RunFile): AsyncGenerator<OutputFile> {
  const { charts } = await import('../report/charts/index.ts');
  const { renderSvg } = await import('../report/svg.ts');
  for (const [name, chart] of Object.entries(charts)) {
    if (!chart.when(run)) continue;
    const spec = chart.spec(run);
    yield { name: `charts/${name}.vl.json`, content: `${JSON.stringify(spec, null, 1)}\n` };
    yield { name: `charts/${name}.svg`, content: await renderSvg(spec) };
  }
}

export async function htmlFile(run: RunFile): Promise<OutputFile> {
  const { renderHtml } = await import('../report/html.ts');
  return { name: 'report.html', content: await renderHtml(run) };
}
