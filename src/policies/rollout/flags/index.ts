/** Percentage flags by hash. */
export * from './flag-hash.ts';
export * from './flag-hashes.ts';
export { flipperPlace } from './flipper.ts';
export { growthBookPlace } from './growth-book.ts';
export { type LaunchDarklyFlag, launchDarklyBucket, launchDarklyVariation } from './launch-darkly.ts';
export { UNLEASH_VARIANT_SEED, unleashPlace } from './unleash.ts';
