/** Names of percentiles: `p50`, `p99.9`, and `p999` for it, as many tools write. */
export function parsePercentile(key: string): { value: number } | { problem: string; hint?: string } {
  const canonical = canonicalPercentile(key);
  const [, digits] = /^p(\d{1,3}(?:\.\d+)?)$/.exec(canonical) ?? [];
  if (digits !== undefined && Number(digits) <= 100) return { value: Number(`${digits}e-2`) };
  const bare = Number(key.replace(/^p/, ''));
  const percent =
    key.trim() === '' || !(bare >= 0) ? undefined : bare > 0 && bare < 1 ? Number(`${bare}e2`) : bare <= 100 ? bare : undefined;
  return {
    problem: `${JSON.stringify(key)} is not a percentile`,
    hint: percent === undefined ? 'percentiles look like p50 or p99.9, from p0 to p100' : `write p${percent}`,
  };
}

/** `p999` is `p99.9`, `p9999` is `p99.99`; everything else stays as it is. */
export const canonicalPercentile = (name: string): string => name.replace(/^p99(9+)$/, 'p99.$1');
