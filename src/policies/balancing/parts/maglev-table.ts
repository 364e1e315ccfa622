/** Lookup tables after Google's Maglev: every endpoint prefers the places of the table in an order of its own, and endpoints take turns
 *  placing themselves in the next free place they prefer. */

/** Preference j of an endpoint is place (offset + j · skip) modulo the table's size, which is prime. */
export interface Preference {
  readonly offset: number;
  readonly skip: number;
}

/** Envoy's filling: endpoint i takes a turn in a round only when its share has earned one. The result holds indices by place. */
export function fillByShares(preferences: readonly Preference[], shares: readonly number[], size: number): Int32Array {
  const table = new Int32Array(size).fill(FREE);
  const next = Float64Array.from(preferences, ({ offset }) => offset);
  const targets = new Float64Array(preferences.length);
  const largest = shares.reduce((largest, share) => Math.max(largest, share), 0);
  let filled = 0;
  for (let round = 1; filled < size && preferences.length > 0; round++) {
    for (let i = 0; i < preferences.length && filled < size; i++) {
      if (round * shares[i] < targets[i]) continue;
      targets[i] += largest;
      place(table, next, i, preferences[i].skip);
      filled++;
    }
  }
  return table;
}

/** Katran's first filling: a weight counts in the first round only. */
export function fillByFirstRound(preferences: readonly Preference[], weights: readonly number[], size: number): Int32Array {
  const table = new Int32Array(size).fill(FREE);
  const next = Float64Array.from(preferences, ({ offset }) => offset);
  let filled = 0;
  for (let round = 1; filled < size && preferences.length > 0; round++) {
    for (let i = 0; i < preferences.length; i++) {
      const turns = round === 1 ? weights[i] : 1;
      for (let turn = 0; turn < turns && filled < size; turn++, filled++) place(table, next, i, preferences[i].skip);
    }
  }
  return table;
}

/** Katran's second filling: an endpoint takes a turn whenever its weights add up to the largest. */
export function fillByCumulatedWeights(preferences: readonly Preference[], weights: readonly number[], size: number): Int32Array {
  const table = new Int32Array(size).fill(FREE);
  const next = Float64Array.from(preferences, ({ offset }) => offset);
  const largest = weights.reduce((largest, weight) => Math.max(largest, weight), 0);
  const sums = weights.map(() => 0);
  let filled = 0;
  while (filled < size && preferences.length > 0) {
    for (let i = 0; i < preferences.length && filled < size; i++) {
      sums[i] += weights[i];
      if (sums[i] < largest) continue;
      sums[i] -= largest;
      place(table, next, i, preferences[i].skip);
      filled++;
    }
  }
  return table;
}

/** The places an endpoint prefers, first choice first. */
export const preferredPlaces = ({ offset, skip }: Preference, size: number): number[] =>
  Array.from({ length: size }, (_, turn) => (offset + turn * skip) % size);

export function isPrime(n: number): boolean {
  if (n < 2) return false;
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}

/** `next` holds the place each endpoint tries next. */
function place(table: Int32Array, next: Float64Array, i: number, skip: number): void {
  let at = next[i];
  while (table[at] !== FREE) at = step(at, skip, table.length);
  table[at] = i;
  next[i] = step(at, skip, table.length);
}

const step = (at: number, skip: number, size: number): number => (at + skip >= size ? at + skip - size : at + skip);

const FREE = -1;
