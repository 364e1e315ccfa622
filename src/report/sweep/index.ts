/** Every file a sweep is turned into; all of it from `sweep.json`, and the same bytes each time. */
import type { SweepFile } from '../../lab/sweep/types.ts';
import type { OutputFile } from '../index.ts';
import { serializePlain } from '../json.ts';
import { sweepCsv } from './csv.ts';

export async function* sweepFiles(sweep: SweepFile): AsyncGenerator<OutputFile> {
  yield { name: 'sweep.json', content: serializePlain(sweep) };
  yield { name: 'sweep.csv', content: sweepCsv(sweep) };
  const [{ sweepCharts }, { serializeSpec }, { renderSvg }, { sweepHtml }] = await Promise.all([
    import('./charts.ts'),
    import('../charts/spec.ts'),
    import('../svg.ts'),
    import('./html.ts'),
  ]);
  const pictures: { title: string; svg: string }[] = [];
  for (const [name, { when, spec }] of Object.entries(sweepCharts)) {
    if (sweep.seeds.length === 0 || !when(sweep)) continue;
    const made = spec(sweep);
    yield { name: `charts/${name}.vl.json`, content: serializeSpec(made) };
    const svg = await renderSvg(made);
    yield { name: `charts/${name}.svg`, content: svg };
    pictures.push({ title: String(made.description), svg });
  }
  yield { name: 'report.html', content: sweepHtml(sweep, pictures) };
}
