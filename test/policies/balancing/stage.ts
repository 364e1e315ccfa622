/** What balancer tests share: a balancer on its endpoints, and picks as names or counts. */
export { Script, Stage, distribution } from '../../vectors/adapters/stage.ts';

/** How often each slot was picked. */
export function counts(picks: readonly number[], size: number): number[] {
  const result = Array.from({ length: size }, () => 0);
  for (const pick of picks) result[pick]++;
  return result;
}

export const letters = (picks: readonly number[]): string => picks.map((pick) => 'abcdefghij'[pick] ?? '-').join(' ');
