/** The simulated world. */
export type { PolicyMakers } from './client.ts';
export { simulate, type WorldInput } from './world.ts';
