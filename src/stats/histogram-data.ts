/** A latency histogram as plain data: what runs produce, workers exchange, and `run.json` holds. See `histogram.ts`. */
export interface HistogramData {
  /** Sub-buckets per octave = 2^bits. */
  readonly bits: number;
  /** Index of the first bucket of `counts`. */
  readonly first: number;
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
  /** 0 when empty. */
  readonly min: number;
  readonly max: number;
}
