/** The shape of a run file, as readers that check a value and turn nulls back into NaN. Keys that no reader knows are kept as they are:
 *  a file written by a newer minor version stays readable. */
import { formatPath, type Issue, type Path } from '../core/issue.ts';
import { runSchema, verdicts, type RunFile } from '../lab/types.ts';
import { failureBuckets, rolloutKinds, seriesColumns } from '../stats/result.ts';

export const readRun = (data: unknown, issues: Issue[]): RunFile => runFile(data, [], issues) as RunFile;

type Reader = (value: unknown, path: Path, issues: Issue[]) => unknown;

const text: Reader = (value, path, issues) => (typeof value === 'string' ? value : complain(value, 'a text', path, issues));
const flag: Reader = (value, path, issues) =>
  typeof value === 'boolean' ? value : complain(value, 'true or false', path, issues);
const count: Reader = (value, path, issues) =>
  typeof value === 'number' && value >= 0 ? value : complain(value, 'a number that is not negative', path, issues);
/** A number that may not exist: null in the file, NaN in memory. */
const number: Reader = (value, path, issues) =>
  value === null ? NaN : typeof value === 'number' ? value : complain(value, 'a number or null', path, issues);
/** A time that may never come: null in the file, Infinity in memory. */
const openTime: Reader = (value, path, issues) => (value === null ? Infinity : number(value, path, issues));
const anything: Reader = (value) => value;

const oneOf =
  (choices: readonly string[]): Reader =>
  (value, path, issues) =>
    choices.includes(value as string) ? value : complain(value, `one of ${choices.join(', ')}`, path, issues);
const orNull =
  (reader: Reader): Reader =>
  (value, path, issues) =>
    value === null ? null : reader(value, path, issues);
const list =
  (reader: Reader): Reader =>
  (value, path, issues) =>
    Array.isArray(value)
      ? value.map((each, index) => reader(each, [...path, index], issues))
      : complain(value, 'a list', path, issues);
const record =
  (reader: Reader): Reader =>
  (value, path, issues) =>
    isObject(value)
      ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, reader(each, [...path, key], issues)]))
      : complain(value, 'a map', path, issues);
const object =
  (fields: Readonly<Record<string, Reader>>): Reader =>
  (value, path, issues) => {
    if (!isObject(value)) return complain(value, 'a map', path, issues);
    const read = Object.entries(fields).map(([key, reader]) => {
      if (Object.hasOwn(value, key)) return [key, reader(value[key], [...path, key], issues)] as const;
      return [key, complain(undefined, 'a value', [...path, key], issues)] as const;
    });
    return Object.fromEntries([...Object.entries(value), ...read]);
  };
/** Of files that were written before there were such keys. */
const withDefaults =
  (defaults: Readonly<Record<string, unknown>>, reader: Reader): Reader =>
  (found, path, issues) =>
    reader(isObject(found) ? { ...defaults, ...found } : found, path, issues);
/** Long lists of numbers, checked without building a path per element. */
const numbers: Reader = (value, path, issues) => {
  if (!Array.isArray(value)) return complain(value, 'a list of numbers', path, issues);
  const wrong = value.findIndex((each) => each !== null && typeof each !== 'number');
  if (wrong >= 0) return complain(value[wrong], 'a number or null', [...path, wrong], issues);
  return value.map((each: number | null) => each ?? NaN);
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function complain(value: unknown, expected: string, path: Path, issues: Issue[]): undefined {
  const where = path.length === 0 ? 'the file' : `"${formatPath(path)}"`;
  const found = value === undefined ? 'is missing' : `should be ${expected}, found ${describe(value)}`;
  issues.push({ severity: 'error', code: 'run-shape', path, message: `${where} ${found}` });
  return undefined;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'a map';
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 40 ? `${shown.slice(0, 40)}…` : shown;
}

const estimate = object({ mean: number, low: number, high: number, sd: number, n: count });
const histogram = object({ bits: count, first: number, counts: list(count), count, sum: number, min: number, max: number });
const band = object({ median: numbers, min: numbers, max: numbers });
const instance = object({
  id: text,
  service: text,
  zone: text,
  speed: number,
  served: number,
  utilization: number,
  busy: numbers,
  queued: numbers,
});
const ledger = object({
  offered: count,
  ok: count,
  degraded: count,
  cancelled: count,
  failed: object(Object.fromEntries(failureBuckets.map((bucket) => [bucket, count]))),
  inFlight: count,
});
const view = object({
  label: text,
  edges: list(text),
  service: text,
  class: text,
  fromMs: count,
  toMs: openTime,
  ledger,
  metrics: record(numbers),
  estimates: record(estimate),
  latency: histogram,
});
const queue = object({
  name: text,
  depth: numbers,
  oldestMs: numbers,
  published: count,
  done: count,
  redelivered: count,
  dead: count,
});
/** −1 for the request itself; a parent stands before its children, so that no reader can be sent in circles. */
const spans: Reader = (value, path, issues) => {
  const read = list(object({ parent: number, kind: text, what: text, fromMs: number, toMs: number, outcome: text }))(
    value,
    path,
    issues,
  );
  if (!Array.isArray(read)) return read;
  const wrong = read.findIndex(
    (each: { parent?: unknown } | undefined, index) =>
      each !== undefined && !(Number.isInteger(each.parent) && Number(each.parent) >= -1 && Number(each.parent) < index),
  );
  if (wrong >= 0) complain(read[wrong].parent, 'the index of an earlier span or -1', [...path, wrong, 'parent'], issues);
  return read;
};
const waterfall = object({
  edge: text,
  request: count,
  class: text,
  arrivalMs: number,
  latencyMs: number,
  result: text,
  spans,
});
const escape = object({
  low: number,
  high: number,
  atMs: count,
  trials: list(object({ load: number, recovered: count, stayed: count, seeds: count })),
  unavailable: text,
  interrupted: flag,
  sentence: text,
});
const recovery = object({
  perSeed: list(
    object({
      state: oneOf(['metastable', 'recovered', 'never-failed', 'too-short']),
      recoveredAtMs: number,
      baseline: number,
      lastShare: number,
      reason: orNull(text),
    }),
  ),
  metastableSeeds: count,
  recoveredSeeds: count,
  medianRecoveryMs: number,
  sentence: text,
  escape: orNull(escape),
});
const milestone = object({ medianMs: openTime, reached: count, seeds: count });
const availability = object({
  objective: count,
  minutes: count,
  errorMinutes: number,
  budgetSpent: number,
  burn: band,
  faults: list(
    object({
      label: text,
      fromMs: count,
      toMs: openTime,
      failedInExcess: number,
      errorMinutes: number,
      detected: milestone,
      mitigated: milestone,
      recovered: milestone,
    }),
  ),
});
const nothingKnown = {
  ...{ objective: 0.999, minutes: 0, errorMinutes: null, budgetSpent: null },
  burn: { median: [], min: [], max: [] },
  faults: [],
};
const alarm = object({ atMs: number, service: text, fires: flag, value: number });
const elastic = object({
  services: list(
    object({
      name: text,
      needed: numbers,
      desired: numbers,
      ready: numbers,
      present: numbers,
      metrics: record(numbers),
      estimates: record(estimate),
    }),
  ),
  changes: list(object({ atMs: number, service: text, from: count, to: count, reason: text })),
  nodes: list(
    object({ id: text, zone: text, spans: list(object({ fromMs: number, toMs: openTime, end: text })), reserved: numbers }),
  ),
});
const kind = oneOf(rolloutKinds);
const versionTotals = object({ requests: count, failed: count, p50: number, p99: number });
const change = object({
  rollouts: list(
    object({
      ...{ seed: count, order: count, service: text, kind, from: text, to: text, isBad: flag },
      ...{ startedMs: number, exposedMs: number, decidedMs: number, endedMs: number, outcome: text },
      ...{ offered: count, exposed: count, failed: count, slow: count, userMinutes: count },
      slowMs: number,
    }),
  ),
  traffic: list(
    object({
      ...{ service: text, kind, versions: list(text) },
      ...{ requests: list(numbers), failed: list(numbers), hosts: list(numbers) },
      totals: list(versionTotals),
      perSeed: list(list(versionTotals)),
    }),
  ),
  phases: list(object({ atMs: number, service: text, kind, phase: text, reason: text })),
  hosts: list(object({ atMs: number, host: text, kind, version: text })),
  leaders: list(object({ controller: text, fromMs: number, toMs: openTime, token: count })),
});
const variant = withDefaults(
  { availability: nothingKnown, truth: [], elastic: null, change: null, alarms: [], sizes: [] },
  object({
    label: text,
    differs: text,
    isBaseline: flag,
    load: orNull(count),
    group: text,
    metrics: record(numbers),
    estimates: record(estimate),
    ledger,
    latency: histogram,
    wait: histogram,
    views: list(view),
    queues: list(queue),
    waterfalls: list(waterfall),
    metastability: orNull(recovery),
    series: object({ windowMs: count, columns: object(Object.fromEntries(seriesColumns.map((column) => [column, band]))) }),
    instances: list(instance),
    elastic: orNull(elastic),
    change: orNull(change),
    alarms: list(alarm),
    sizes: list(object({ service: text, resource: text, reserved: number, lower: number, target: number, upper: openTime })),
    availability,
    beliefs: list(object({ atMs: number, balancer: count, instance: text, alive: flag })),
    truth: list(object({ instance: text, fromMs: number, toMs: openTime, what: text })),
    decisions: list(
      object({
        atMs: number,
        request: count,
        balancer: count,
        picked: text,
        best: orNull(text),
        regretMs: openTime,
        visible: list(
          object({ instance: text, active: count, healthy: flag, ageMs: openTime, present: count, takesMs: openTime }),
        ),
      }),
    ),
    digests: list(text),
  }),
);
const comparison = object({
  variant: text,
  baseline: text,
  metric: text,
  difference: estimate,
  relative: orNull(object({ mean: number, low: number, high: number })),
  indifference: number,
  adjustedP: number,
  verdict: oneOf(verdicts),
  seedsWon: count,
  seedsTied: count,
  seeds: count,
  seedsNeeded: orNull(count),
});
const expectation = object({
  text,
  file: text,
  line: count,
  column: count,
  length: count,
  variant: text,
  metric: text,
  view: text,
  measured: estimate,
  limit: number,
  comparator: text,
  passed: flag,
  uncertain: flag,
});
const crossing = object({
  group: text,
  baseline: text,
  metric: text,
  fromLoad: count,
  toLoad: count,
  before: oneOf(verdicts),
  after: oneOf(verdicts),
  sentence: text,
});
const runFile = object({
  schema: oneOf([runSchema]),
  kind: oneOf(['run', 'compare']),
  version: text,
  complete: flag,
  scenario: object({
    name: text,
    about: text,
    demonstrates: text,
    file: text,
    text,
    sha256: text,
    durationMs: count,
    warmupMs: count,
  }),
  overrides: list(text),
  seeds: list(text),
  openLoop: flag,
  loops: text,
  services: list(object({ name: text, instances: count, slots: count })),
  edges: list(object({ name: text, caller: text, service: text, queue: text })),
  classes: list(object({ name: text, priority: number, tenant: text })),
  metastability: orNull(object({ triggerBeginsMs: count, triggerEndsMs: count, recoveredShare: number })),
  faults: list(object({ label: text, fromMs: number, toMs: openTime })),
  variants: list(variant),
  comparisons: list(comparison),
  crossings: list(crossing),
  expectations: list(expectation),
  warnings: list(object({ severity: oneOf(['error', 'warning']), code: text, path: list(anything), message: text })),
  verdict: list(text),
  checks: object({ requests: count, events: count, littleResidual: number }),
  replay: text,
});
