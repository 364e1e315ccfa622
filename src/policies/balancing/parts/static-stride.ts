/** gRPC's static stride scheduler: weights as 16-bit strides, and a counter that visits endpoints in order and passes over each as often
 *  as its weight says. No state but the counter, O(1) on average. */

export const strideVariants = {
  /** Weights are cut to 10 times the mean above and 0.01 times below. */
  cpp: { maxRatio: 10, minRatio: 0.01 },
  java: { maxRatio: 10, minRatio: 0.1 },
  /** No clamps: a weight below 1/131,070 of the largest is never picked. */
  go: { maxRatio: Infinity, minRatio: 0 },
} as const;
export type StrideVariant = keyof typeof strideVariants;
export interface StrideClamps {
  /** Largest weight over the mean. */
  readonly maxRatio: number;
  /** Smallest weight over the mean. */
  readonly minRatio: number;
}

const MAX_WEIGHT = 65535;
const PHASE = 32767;

/** Whether there is too little to schedule by: gRPC then goes round robin. */
export function fallsBackToRotation(weights: readonly number[], variant: StrideVariant): boolean {
  const known = weights.filter((weight) => weight > 0);
  return known.length < 2 || (variant === 'go' && known.every((weight) => weight === known[0]));
}

/** Weights scaled so that the largest is 65,535; unknown ones (0) get the mean of the known. */
export function strides(weights: readonly number[], { maxRatio, minRatio }: StrideClamps): number[] {
  const known = weights.filter((weight) => weight > 0);
  const mean = known.reduce((sum, weight) => sum + weight, 0) / known.length;
  const largest = Math.min(Math.max(...known), maxRatio * mean);
  const scale = MAX_WEIGHT / largest;
  const scaledMean = Math.round(mean * scale);
  const lowest = minRatio === 0 ? 0 : Math.max(1, Math.round(scaledMean * minRatio));
  return weights.map((weight) => (weight > 0 ? Math.max(lowest, Math.round(Math.min(weight, largest) * scale)) : scaledMean));
}

export class StaticStride {
  #strides: Float64Array = new Float64Array(0);
  /** One 32-bit whole number, which wraps around. */
  readonly #counter = new Uint32Array(1);

  constructor(firstSequence: number) {
    this.#counter[0] = firstSequence;
  }

  setStrides(values: readonly number[]): void {
    this.#strides = Float64Array.from(values);
  }

  /** What the counter will be next. */
  get sequence(): number {
    return this.#counter[0];
  }

  /** The index of the next endpoint. There must be one with a stride above zero. */
  pick(): number {
    const count = this.#strides.length;
    for (;;) {
      const sequence = this.#counter[0]++;
      const index = sequence % count;
      const generation = (sequence - index) / count;
      const stride = this.#strides[index];
      // The phase keeps equal weights from falling due together.
      if ((stride * generation + index * PHASE) % MAX_WEIGHT >= MAX_WEIGHT - stride) return index;
    }
  }
}
