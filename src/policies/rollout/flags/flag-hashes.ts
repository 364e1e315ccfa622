/** Every division of users by name. */
import type { FlagHash } from './flag-hash.ts';
import { flipper } from './flipper.ts';
import { growthBook } from './growth-book.ts';
import { launchDarkly } from './launch-darkly.ts';
import { unleash } from './unleash.ts';

export const flagHashNames = ['launch-darkly', 'unleash', 'growth-book', 'flipper'] as const;
export type FlagHashName = (typeof flagHashNames)[number];

export const flagHashes: Readonly<Record<FlagHashName, FlagHash>> = {
  'launch-darkly': launchDarkly,
  unleash,
  'growth-book': growthBook,
  flipper,
};
