/** A named baseline: what a scenario measured once, per variant and seed, so that a later run on the same seeds can be compared pair by
 *  pair. Small and sorted, because it belongs into version control: a change reads well in a diff. A checksum tells a file that was cut
 *  short or edited from one that was saved. */
import { createHash } from 'node:crypto';
import { NotComparable } from '../core/errors.ts';
import { version } from '../core/version.ts';

export const baselineSchema = 'clusterlab-baseline/1';

export interface BaselineVariant {
  /** Per seed: equal bytes, equal digest. */
  readonly digests: readonly string[];
  /** Metric as in results (`latency.p99{class=read}`) → one value per seed. */
  readonly metrics: Readonly<Record<string, readonly number[]>>;
  /** Section of the scenario → hash, policies left out. */
  readonly world: Readonly<Record<string, string>>;
}

export interface BaselineScenario {
  readonly file: string;
  readonly seeds: readonly string[];
  /** By label. */
  readonly variants: Readonly<Record<string, BaselineVariant>>;
}

export interface Baseline {
  readonly schema: typeof baselineSchema;
  readonly name: string;
  /** Version of clusterlab that measured it. */
  readonly version: string;
  /** By the scenario's name. */
  readonly scenarios: Readonly<Record<string, BaselineScenario>>;
}

export const makeBaseline = (name: string, scenarios: Baseline['scenarios']): Baseline => ({
  schema: baselineSchema,
  name,
  version,
  scenarios,
});

export function serializeBaseline(baseline: Baseline): string {
  const body = write(baseline, '');
  return `${write({ ...baseline, checksum: checksumOf(body) }, '')}\n`;
}

const checksumOf = (body: string): string => createHash('sha256').update(body).digest('hex');

/** Throws NotComparable for anything but what `serializeBaseline` wrote. */
export function parseBaseline(text: string, file: string): Baseline {
  const again = 'save it again with clusterlab baseline save';
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new NotComparable(`${file} is not JSON (${error instanceof Error ? error.message : String(error)})`, again);
  }
  if (!isMap(data) || typeof data.schema !== 'string' || !data.schema.startsWith('clusterlab-baseline/'))
    throw new NotComparable(`${file} is not a baseline of clusterlab`, again);
  if (data.schema !== baselineSchema)
    throw new NotComparable(`${file} has schema ${JSON.stringify(data.schema)}; this version reads ${baselineSchema}`, again);
  const { checksum, ...rest } = data;
  if (checksum !== checksumOf(write(rest, '')))
    throw new NotComparable(`${file} was changed since it was saved: its checksum does not fit`, again);
  if (!isBaseline(rest)) throw new NotComparable(`${file} lacks a part that a baseline has`, again);
  return withNaN(rest);
}

function isBaseline(data: Readonly<Record<string, unknown>>): data is Record<string, unknown> & Baseline {
  return (
    typeof data.name === 'string' &&
    typeof data.version === 'string' &&
    isMap(data.scenarios) &&
    Object.values(data.scenarios).every(
      (each) =>
        isMap(each) &&
        typeof each.file === 'string' &&
        isListOf(each.seeds, 'string') &&
        isMap(each.variants) &&
        Object.values(each.variants).every((variant) => isVariant(variant, (each.seeds as readonly string[]).length)),
    )
  );
}

const isVariant = (variant: unknown, seeds: number): boolean =>
  isMap(variant) &&
  isListOf(variant.digests, 'string') &&
  variant.digests.length === seeds &&
  isMap(variant.world) &&
  isMap(variant.metrics) &&
  Object.values(variant.metrics).every(
    (values) =>
      Array.isArray(values) && values.length === seeds && values.every((each) => each === null || typeof each === 'number'),
  );

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isListOf = (value: unknown, type: string): value is readonly unknown[] =>
  Array.isArray(value) && value.every((each) => typeof each === type);

/** Values that do not exist are null in the file. */
function withNaN(baseline: Baseline): Baseline {
  const mapped = <Value, Other>(map: Readonly<Record<string, Value>>, change: (value: Value) => Other): Record<string, Other> =>
    Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
  return {
    ...baseline,
    scenarios: mapped(baseline.scenarios, (scenario) => ({
      ...scenario,
      variants: mapped(scenario.variants, (variant) => ({
        ...variant,
        metrics: mapped(variant.metrics, (values) => values.map((value: number | null) => value ?? NaN)),
      })),
    })),
  };
}

/** Sorted keys, lists of plain values on one line. */
function write(value: unknown, indent: string): string {
  if (value === null || value === undefined || (typeof value === 'number' && !Number.isFinite(value))) return 'null';
  if (typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((each) => write(each, '')).join(', ')}]`;
  const inner = `${indent} `;
  const keys = Object.keys(value).sort();
  const lines = keys.map((key) => `${inner}${JSON.stringify(key)}: ${write((value as Record<string, unknown>)[key], inner)}`);
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`;
}
