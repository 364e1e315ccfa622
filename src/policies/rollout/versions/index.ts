/** Versions of a configuration: addresses, history, differences, going back. */
export { addressOf, canonical, type Content } from './canonical.ts';
export { type Change, diff } from './diff.ts';
export * from './version-log.ts';
