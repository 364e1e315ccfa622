/** The simulated world. */
export type { PolicyMakers } from './client.ts';
export { simulate } from './world.ts';
