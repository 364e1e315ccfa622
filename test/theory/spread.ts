/** Whether all the z-scores of a run look like a standard normal sample. Too wide a spread means wrong numbers or error bars that are
 *  too short; too narrow a spread means error bars that are too long, which would hide wrong numbers. */
import { normalQuantile } from '../../src/stats/special.ts';
import type { Row } from './cases.ts';

export interface Spread {
  readonly scores: number;
  readonly sd: number;
  readonly largest: number;
  /** Empty when all is well. */
  readonly complaints: readonly string[];
}

const ENOUGH = 300;
const ALARM = 1e-4;

export function spreadOf(rows: readonly Row[]): Spread {
  const scored = rows.filter((row): row is Row & { readonly z: number } => row.z !== null);
  const scores = scored.map(({ z }) => z);
  const sd = Math.sqrt(scores.reduce((sum, z) => sum + z * z, 0) / scores.length);
  const largest = Math.max(0, ...scores.map(Math.abs));
  const complaints: string[] = [];
  if (largest > 4.5) complaints.push(`a z-score of ${largest.toFixed(2)} is beyond 4.5`);
  if (scores.length >= ENOUGH) {
    if (sd < 0.85 || sd > 1.15) complaints.push(`the z-scores spread by ${sd.toFixed(3)}, outside 0.85 to 1.15`);
  } else complaints.push(...fewScores(scored));
  return { scores: scores.length, sd, largest, complaints };
}

/** Metrics of one case rise and fall together, so only its first one counts: those of different cases are independent. */
function fewScores(scored: readonly (Row & { readonly z: number })[]): string[] {
  const first = [...new Map(scored.toReversed().map((row) => [row.id, row.z])).values()];
  if (first.length < 5) return [];
  const sum = first.reduce((total, z) => total + z * z, 0);
  const [low, high] = [ALARM / 2, 1 - ALARM / 2].map((p) => chiSquareQuantile(p, first.length));
  if (sum >= low && sum <= high) return [];
  return [
    `the squared z-scores of ${first.length} cases sum to ${sum.toFixed(1)}, outside ${low.toFixed(1)} to ${high.toFixed(1)}`,
  ];
}

/** Wilson and Hilferty's cube root: within a few percent from five degrees of freedom on, which is enough for an alarm. */
function chiSquareQuantile(p: number, df: number): number {
  const spread = 2 / (9 * df);
  const root = 1 - spread + normalQuantile(p) * Math.sqrt(spread);
  return root <= 0 ? 0 : df * root * root * root;
}
