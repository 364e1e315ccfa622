/** The simulated world. */
export { simulate } from './world.ts';
