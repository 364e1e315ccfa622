/** Every file a run can be turned into, by the name of the format. A run is rendered as often as wanted from `run.json` alone; nothing
 *  here reads a clock or draws a random number, so the same run gives the same files. Rendered lazily: a text format never loads Vega. */
import type { RunFile } from '../lab/types.ts';

export interface OutputFile {
  /** Path inside the output folder. */
  readonly name: string;
  readonly content: string | Uint8Array;
}

export interface OutputFormat {
  readonly about: string;
  /** Names of the files a run can have, `*` standing for the name of a chart; those it has no data for are left out. */
  readonly files: readonly string[];
  /** One file at a time, so that memory holds one at a time. */
  render(run: RunFile): AsyncIterable<OutputFile>;
}

export const outputFormats: Readonly<Record<string, OutputFormat>> = {
  json: {
    about: 'the run itself, from which everything else is made',
    files: ['run.json'],
    async *render(run) {
      const { serializeRun } = await import('./json.ts');
      yield { name: 'run.json', content: serializeRun(run) };
    },
  },
  csv: {
    about: 'estimates and comparisons, the time series, and what became of every request, for spreadsheets and data frames',
    files: [
      ...['summary.csv', 'timeseries.csv', 'ledger.csv', 'availability.csv'],
      // Where faults are planned, where there is more than one edge, service or class, and where there are queues and requests
      // followed in full.
      ...['faults.csv', 'edges.csv', 'services.csv', 'classes.csv', 'queues.csv', 'waterfalls.csv'],
      // Where instances and nodes come and go, and where something is watched.
      ...['replicas.csv', 'scaling.csv', 'nodes.csv', 'alarms.csv'],
      // Where versions are rolled out.
      ...['rollouts.csv', 'phases.csv', 'traffic-by-version.csv'],
    ],
    async *render(run) {
      const { summaryCsv } = await import('./summary-csv.ts');
      yield { name: 'summary.csv', content: summaryCsv(run) };
      const { timeseriesCsv } = await import('./timeseries-csv.ts');
      yield { name: 'timeseries.csv', content: timeseriesCsv(run) };
      const { ledgerCsv } = await import('./ledger-csv.ts');
      yield { name: 'ledger.csv', content: ledgerCsv(run) };
      const { availabilityCsv } = await import('./availability-csv.ts');
      yield { name: 'availability.csv', content: availabilityCsv(run) };
      const [{ faultsCsv }, { partsCsv }, { queuesCsv }, { waterfallsCsv }] = await Promise.all([
        import('./faults-csv.ts'),
        import('./parts-csv.ts'),
        import('./queues-csv.ts'),
        import('./waterfalls-csv.ts'),
      ]);
      const [{ replicasCsv }, { scalingCsv }, { nodesCsv }, { alarmsCsv }] = await Promise.all([
        import('./replicas-csv.ts'),
        import('./scaling-csv.ts'),
        import('./nodes-csv.ts'),
        import('./alarms-csv.ts'),
      ]);
      const [{ rolloutsCsv }, { phasesCsv }, { trafficByVersionCsv }] = await Promise.all([
        import('./rollouts-csv.ts'),
        import('./phases-csv.ts'),
        import('./traffic-by-version-csv.ts'),
      ]);
      const tables: readonly (readonly [string, (run: RunFile) => string | null])[] = [
        ['faults.csv', faultsCsv],
        ['edges.csv', (each) => partsCsv(each, 'edge')],
        ['services.csv', (each) => partsCsv(each, 'service')],
        ['classes.csv', (each) => partsCsv(each, 'class')],
        ['queues.csv', queuesCsv],
        ['waterfalls.csv', waterfallsCsv],
        ['replicas.csv', replicasCsv],
        ['scaling.csv', scalingCsv],
        ['nodes.csv', nodesCsv],
        ['alarms.csv', alarmsCsv],
        ['rollouts.csv', rolloutsCsv],
        ['phases.csv', phasesCsv],
        ['traffic-by-version.csv', trafficByVersionCsv],
      ];
      for (const [name, make] of tables) {
        const content = make(run);
        if (content !== null) yield { name, content };
      }
    },
  },
  md: {
    about: 'verdict and table for a pull request or a README',
    files: ['report.md'],
    async *render(run) {
      const { renderMarkdown } = await import('./markdown.ts');
      yield { name: 'report.md', content: renderMarkdown(run) };
    },
  },
  html: {
    about: 'the whole report in one file that needs no network',
    files: ['report.html'],
    async *render(run) {
      const { renderHtml } = await import('./html.ts');
      yield { name: 'report.html', content: await renderHtml(run) };
    },
  },
  vega: {
    about: 'every chart as a Vega-Lite specification with its data',
    files: ['charts/*.vl.json'],
    render: (run) =>
      eachChart(run, '.vl.json', async (spec) => {
        const { serializeSpec } = await import('./charts/spec.ts');
        return serializeSpec(spec);
      }),
  },
  svg: {
    about: 'every chart as a picture',
    files: ['charts/*.svg'],
    render: (run) => eachChart(run, '.svg', draw),
  },
  png: {
    about: 'every chart as a picture, where SVG is not accepted; needs @resvg/resvg-js',
    files: ['charts/*.png'],
    render: (run) =>
      eachChart(run, '.png', async (spec) => {
        const { renderPng } = await import('./png.ts');
        return renderPng(await draw(spec));
      }),
  },
};

type Spec = import('./charts/spec.ts').ChartSpec;

async function draw(spec: Spec): Promise<string> {
  const { renderSvg } = await import('./svg.ts');
  return renderSvg(spec);
}

async function* eachChart(
  run: RunFile,
  ending: string,
  render: (spec: Spec) => Promise<string | Uint8Array>,
): AsyncGenerator<OutputFile> {
  const { charts } = await import('./charts/index.ts');
  for (const [name, chart] of Object.entries(charts)) {
    if (chart.when(run)) yield { name: `charts/${name}${ending}`, content: await render(chart.spec(run)) };
  }
}
