/** Measured samples of a random time, from a column of a CSV file. */
import type { DistributionSpec } from '../core/distribution-spec.ts';
import type { Path } from '../core/issue.ts';
import { CsvError, readCsv, type Column } from './csv.ts';
import { reading } from './data-error.ts';
import type { Env } from './distributions.ts';

/** 80 MB in memory, once per worker. */
const maxSamples = 10_000_000;
const msPerUnit = { us: 0.001, ms: 1, s: 1000 } as const;

interface SamplesShape {
  readonly file: string;
  readonly column?: Column;
  readonly unit?: keyof typeof msPerUnit | undefined;
}

export function readSamples(shape: SamplesShape, path: Path, env: Env): Promise<DistributionSpec | undefined> {
  const factor = msPerUnit[shape.unit ?? 'ms'];
  return reading(shape.file, [...path, 'file'], env, async (absolutePath) => {
    const values: number[] = [];
    await readCsv(env.data.open(absolutePath), shape.column, ({ line, value }) => {
      if (value < 0) return `line ${line}: ${value} is negative`;
      if (values.length === maxSamples) throw new CsvError(`it has more than ${maxSamples} samples`);
      values.push(value * factor);
      return true;
    });
    if (values.length === 0) throw new CsvError('it has no samples');
    if (values.every((value) => value === 0)) throw new CsvError('all samples are 0');
    return { type: 'samples', values: Float64Array.from(values) };
  });
}
