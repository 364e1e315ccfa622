/** What to say of a word that nobody knows. */
import { suggest } from '../core/suggest.ts';

const maxListed = 20;
/** A single letter resembles all others, and nobody mistypes a name of eighty. */
const [shortestWord, longestWord] = [2, 80];

/** The nearest of the candidates, if it may have been meant. */
export const nearest = (word: string, candidates: Iterable<string>): string | undefined =>
  word.length < shortestWord || word.length > longestWord ? undefined : suggest(word, candidates);

/** `did you mean "p2c"? Known: p2c, random`, the nearest first; or only what is known. */
export function knownHint(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  const ordered = near === undefined ? known : [near, ...known.filter((candidate) => candidate !== near)];
  const listed = `${ordered.slice(0, maxListed).join(', ')}${ordered.length > maxListed ? ', ...' : ''}`;
  return near === undefined ? `known: ${listed}` : `did you mean ${JSON.stringify(near)}? Known: ${listed}`;
}

/** Only the suggestion, where there is one; the list otherwise. For keys, which stand next to each other. */
export function keyHint(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? `known: ${known.join(', ')}` : `did you mean ${JSON.stringify(near)}?`;
}
