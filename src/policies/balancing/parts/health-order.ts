/** Positive if the first health is better, negative if the second is. Views are of one health as a rule; in panic they are not. */
import { type Health, healthStates } from '../balancer.ts';

export const healthier = (first: number, second: number): number => (first === second ? 0 : rank(first) - rank(second));

/** Excluded endpoints are not up yet. */
const rank = (health: number): number => ((health as Health) === healthStates.excluded ? 0 : health);
