/** A change of the wanted count in the middle of a rolling update: every replica set grows or shrinks in proportion to its size, so that
 *  the update goes on from where it is. What rounding leaves over goes to the largest set.
 *
 *  After kubernetes/kubernetes: pkg/controller/deployment/sync.go, scale, and util/deployment_util.go, GetProportion. */

/** Sizes after the change. `sizes` are in order of age, oldest first; `formerMax` is the count and its surge before, `allowed` the same
 *  after. */
export function proportionalSizes(sizes: readonly number[], formerMax: number, allowed: number): readonly number[] {
  const toAdd = allowed - sizes.reduce((sum, size) => sum + size, 0);
  if (toAdd === 0) return sizes;
  // Largest first; of equal ones, the newer gains first and the older loses first.
  const order = sizes.map((_, index) => index).sort((a, b) => sizes[b] - sizes[a] || (toAdd > 0 ? b - a : a - b));
  const result = [...sizes];
  let added = 0;
  for (const index of order) {
    const share = shareOf(sizes[index], formerMax, allowed);
    const rest = toAdd - added;
    const change = toAdd > 0 ? Math.min(share, rest) : Math.max(share, rest);
    result[index] += change;
    added += change;
  }
  result[order[0]] = Math.max(0, result[order[0]] + toAdd - added);
  return result;
}

/** Halves are rounded away from zero, as Go's conversion helper does. */
function shareOf(size: number, formerMax: number, allowed: number): number {
  if (allowed === 0) return -size;
  return (formerMax === 0 ? size : Math.floor((size * allowed) / formerMax + 0.5)) - size;
}
