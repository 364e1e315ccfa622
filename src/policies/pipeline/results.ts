/** How a request ends for its caller: one of the outcomes of its last attempt, or without an attempt. */
import { outcomes } from '../balancing/balancer.ts';
import type { Retriable } from '../resilience/retries/retry.ts';

export const results = { ...outcomes, noEndpoint: 6, circuitOpen: 8 } as const;
export type RequestResult = (typeof results)[keyof typeof results];
/** One more than the largest. */
export const RESULTS = 9;

/** What a failed request's result can be called where policies name results. */
export type ResultName = Retriable | 'circuitOpen';

/** Its name, for people. */
export const nameOfResult = (result: RequestResult): string => names[result];
const names: readonly string[] = Array.from(
  { length: RESULTS },
  (_, number) => Object.entries(results).find(([, result]) => result === number)?.[0] ?? '',
);

/** One bit per result, to ask quickly whether it is among several. */
export const resultMask = (names: readonly string[]): number =>
  names.reduce((mask, name) => mask | (1 << results[name as ResultName]), 0);
