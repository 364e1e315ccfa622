/** `npm run vectors`: runs the reference's files of exact cases through our modules. They are read from the folder named by
 *  CLUSTERLAB_VECTORS, by default `../shared/reference/vectors`; where it is absent, this says so and skips.
 *  `--json` prints one record per file and kind; `--verbose` says why rows fail. Exit code 1 if a row fails. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { balancingAdapters } from './adapters/balancing.ts';
import { capacityAdapters } from './adapters/control-capacity.ts';
import { rolloutAdapters } from './adapters/control-rollout.ts';
import { controlAdapters } from './adapters/control.ts';
import { detectionAdapters } from './adapters/detection.ts';
import { type Adapters, type Failure, type KindReport, readRows, runRows } from './vector-file.ts';

const files: Readonly<Record<string, Adapters>> = {
  'balancing.json': balancingAdapters,
  'control.json': { ...controlAdapters, ...capacityAdapters, ...rolloutAdapters },
  'detection.json': detectionAdapters,
};

async function main(args: readonly string[]): Promise<number> {
  const folder = resolve(import.meta.dirname, '../..', process.env.CLUSTERLAB_VECTORS ?? '../shared/reference/vectors');
  const present = Object.entries(files).filter(([file]) => existsSync(resolve(folder, file)));
  const reports: KindReport[] = [];
  const failures: Failure[] = [];
  for (const [file, adapters] of present) {
    const result = await runRows(file, readRows(resolve(folder, file)), adapters);
    reports.push(...result.reports);
    failures.push(...result.failures);
  }
  if (args.includes('--json')) console.log(JSON.stringify(reports, null, 2));
  else if (present.length === 0) console.log(`No vectors in ${folder}: skipped. Name their folder in CLUSTERLAB_VECTORS.`);
  else printReports(reports);
  if (args.includes('--verbose'))
    for (const { id, reasons } of failures) console.error(`${id}\n  ${reasons.slice(0, 4).join('\n  ')}`);
  return failures.length === 0 ? 0 : 1;
}

function printReports(reports: readonly KindReport[]): void {
  for (const file of new Set(reports.map((report) => report.file))) {
    const own = reports.filter((report) => report.file === file);
    console.log(`${file}: ${sum(own, 'passed')} passed, ${sum(own, 'failed')} failed, of ${sum(own, 'rows')}`);
    for (const { kind, rows, passed, failed, covered, failures } of own) {
      if (passed + failed === 0) continue;
      const rest = covered ? '' : `, ${rows - passed - failed} not covered`;
      const failing = failed === 0 ? '' : `  ${failures.join(' ')}`;
      console.log(`  ${failed === 0 ? 'ok  ' : 'FAIL'} ${kind}: ${passed} passed, ${failed} failed${rest}${failing}`);
    }
    const missing = own.filter(({ passed, failed }) => passed + failed === 0).map(({ kind, rows }) => `${kind} (${rows})`);
    if (missing.length > 0) console.log(`  not covered yet: ${missing.join(', ')}`);
  }
}

const sum = (reports: readonly KindReport[], key: 'rows' | 'passed' | 'failed'): number =>
  reports.reduce((total, report) => total + report[key], 0);

process.exitCode = await main(process.argv.slice(2));
