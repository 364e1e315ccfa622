/** Quantities as Kubernetes counts them: in whole thousandths, rounded up. */
export function toMilli(value: number): number {
  const milli = value * 1000;
  // 0.1 · 3 · 1000 is a hair above 300, and would become 301.
  const nearest = Math.round(milli);
  return Math.abs(milli - nearest) <= 1e-9 * Math.abs(milli) ? nearest : Math.ceil(milli);
}

/** Counts of replicas are 32-bit integers. */
export const toReplicas = (count: number): number => Math.min(count, 0x7fff_ffff);
