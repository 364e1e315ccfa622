/** From changes of belief to stretches of time in which so many clients did not use an instance. */
import type { BeliefChange } from '../../stats/result.ts';

export interface Disuse {
  readonly instance: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Clients that did not use it. */
  readonly clients: number;
}

/** Everybody uses everything at first. */
export function disuses(beliefs: readonly BeliefChange[], endMs: number): Disuse[] {
  const found: Disuse[] = [];
  const byInstance = new Map<string, { readonly away: Set<number>; sinceMs: number }>();
  const close = (instance: string, untilMs: number): void => {
    const state = byInstance.get(instance);
    if (state === undefined || state.away.size === 0 || untilMs <= state.sinceMs) return;
    found.push({ instance, fromMs: state.sinceMs, toMs: untilMs, clients: state.away.size });
  };
  for (const { atMs, balancer, instance, alive } of beliefs) {
    close(instance, atMs);
    const state = byInstance.get(instance) ?? { away: new Set<number>(), sinceMs: atMs };
    if (alive) state.away.delete(balancer);
    else state.away.add(balancer);
    state.sinceMs = atMs;
    byInstance.set(instance, state);
  }
  for (const instance of byInstance.keys()) close(instance, endMs);
  return found;
}
