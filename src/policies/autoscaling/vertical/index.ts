/** Every vertical recommender by name. */
import type { VerticalDefinition } from './vertical-recommender.ts';
import { vpa } from './vpa.ts';

export { checkVertical } from './contract.ts';
export * from './vertical-recommender.ts';
export { vpa };

export const verticalRecommenders: Readonly<Record<string, VerticalDefinition>> = { vpa };
