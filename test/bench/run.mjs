/** `npm run bench`: speed and memory of the built code, one process per measurement, interleaved, medians.
 *  --json          an array of { job, instances, requests, requestsPerSecond, nsPerEvent, peakMiB, digest }
 *  --policies      only the table of balancers; with --json an array of { policy, endpoints, nsPerPick }
 *  --limit         also compiles and runs the hand-written C program limit.c beside it (gcc) and prints the ratio
 *  --requests N    requests per measurement (default 5000000)
 *  --repeat N      processes per row (default 5)
 *  --job NAME      only j1, j2 or j3
 *  --quick         one short round: does it run at all? */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultInstances } from './jobs.mjs';
import { formatPolicies, measurePolicies } from './policies.mjs';

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    limit: { type: 'boolean', default: false },
    policies: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    requests: { type: 'string', default: '5000000' },
    repeat: { type: 'string', default: '5' },
    job: { type: 'string' },
  },
});
const repeat = flags.quick ? 1 : whole('repeat', flags.repeat);
const requests = flags.quick ? 100_000 : whole('requests', flags.requests);
const here = fileURLToPath(new URL('.', import.meta.url));

if (flags.policies) {
  const policies = await measuredPolicies();
  console.log(flags.json ? JSON.stringify(policies, null, 1) : await formatPolicies(policies));
  process.exit();
}

const wanted = rows().filter((row) => flags.job === undefined || row.job === flags.job);
if (wanted.length === 0) fail(`--job ${flags.job}: expected j1, j2 or j3`);
const limit = flags.limit ? compileLimit() : undefined;
const measured = wanted.map(() => []);
const floors = wanted.map(() => []);
for (let round = 0; round < repeat; round++) {
  wanted.forEach((row, i) => {
    process.stderr.write(`\r${round + 1}/${repeat} ${row.job} ${row.instances} instances, ${row.requests} requests   `);
    measured[i].push(JSON.parse(run(process.execPath, [join(here, 'measure.mjs'), row.job, row.instances, row.requests])));
    // C finishes a job in a fraction of the time: its runs are the same size all the same, so that caches fill alike.
    if (limit !== undefined && row.isJob) floors[i].push(JSON.parse(run(limit.program, [row.job, row.requests, row.instances])));
  });
}
process.stderr.write('\n');
limit?.remove();
const results = measured.map((runs, i) => summary(runs, floors[i]));
if (flags.json) console.log(JSON.stringify(results, null, 1));
else {
  print(results);
  if (flags.job === undefined) console.log(`\n${await formatPolicies(await measuredPolicies())}`);
}

async function measuredPolicies() {
  const onProgress = (name, i, count) => process.stderr.write(`\r${i}/${count} ${name.padEnd(50)}`);
  const policies = await measurePolicies({ isQuick: flags.quick, onProgress });
  process.stderr.write(`\r${''.padEnd(60)}\r`);
  return policies;
}

/** The three jobs, J2 at other sizes (is an event as cheap?), and J2 shorter and longer (is memory as small?). */
function rows() {
  const jobs = Object.entries(defaultInstances).map(([job, instances]) => ({ job, instances, requests, isJob: true }));
  const sizes = [10, 1000].map((instances) => ({ job: 'j2', instances, requests, isJob: true }));
  const lengths = flags.quick
    ? []
    : [100_000, 10_000_000].map((count) => ({ job: 'j2', instances: 100, requests: count, isJob: false }));
  return [...jobs, ...sizes, ...lengths];
}

function summary(runs, floor) {
  const digests = new Set(runs.map((one) => one.digest));
  if (digests.size > 1) fail(`${runs[0].job}: the same job gave different results: ${[...digests].join(', ')}`);
  const typical = {
    ...runs[0],
    requestsPerSecond: median(runs.map((one) => one.requestsPerSecond)),
    eventsPerSecond: median(runs.map((one) => one.eventsPerSecond)),
    nsPerEvent: median(runs.map((one) => one.nsPerEvent)),
    peakMiB: median(runs.map((one) => one.peakMiB)),
  };
  if (floor.length === 0) return typical;
  const limitPerSecond = median(floor.map((one) => one.requestsPerSecond));
  return { ...typical, limitPerSecond, timesLimit: Math.round((limitPerSecond / typical.requestsPerSecond) * 100) / 100 };
}

function print(results) {
  const header = [
    'job',
    'instances',
    'requests',
    'requests/s',
    'events/s',
    'ns/event',
    'peak MiB',
    ...(flags.limit ? ['limit.c/s', 'times its time'] : []),
  ];
  const lines = results.map((row) => [
    row.job,
    row.instances,
    row.requests,
    row.requestsPerSecond,
    row.eventsPerSecond,
    row.nsPerEvent,
    row.peakMiB,
    ...(flags.limit ? [row.limitPerSecond ?? '', row.timesLimit ?? ''] : []),
  ]);
  const widths = header.map((name, i) => Math.max(name.length, ...lines.map((line) => String(line[i]).length)));
  for (const line of [header, ...lines])
    console.log(
      line
        .map((cell, i) => String(cell).padStart(widths[i]))
        .join('  ')
        .trimEnd(),
    );
  console.log(`\nmedians of ${repeat} processes each, interleaved; Node ${process.version}`);
}

function compileLimit() {
  const source = process.env['CLUSTERLAB_LIMIT'] ?? join(here, '../../../shared/perf/limit.c');
  if (!existsSync(source)) fail(`--limit: there is no ${source}; name the file in CLUSTERLAB_LIMIT`);
  const folder = mkdtempSync(join(tmpdir(), 'clusterlab-limit-'));
  const program = join(folder, 'limit');
  run('gcc', ['-O3', '-march=native', '-fno-math-errno', '-o', program, source, '-lm']);
  return { program, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function run(program, args) {
  return execFileSync(program, args.map(String), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function median(values) {
  const sorted = values.toSorted((x, y) => x - y);
  return sorted[sorted.length >>> 1];
}

function whole(name, text) {
  if (!/^[1-9]\d*$/.test(text)) fail(`--${name} ${text}: expected a whole number above 0`);
  return Number(text);
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
