/** Randomness as policies and samplers see it. Injected, never global; one stream per user and purpose. */
export interface Rng {
  /** Uniform in [0, 1), with 53 random bits. */
  next(): number;
  /** Uniform 32-bit unsigned integer. */
  uint32(): number;
  /** Uniform integer in [0, n), without bias; n from 1 to 2^32 − 1. */
  below(n: number): number;
}
