/** Class, outcome, status and the meaning of the time in one number, so that a row of a sorted log is six numbers. */
import type { Outcome } from './access-record.ts';

export const packMark = (kind: number, outcome: Outcome, isEnd: boolean, status: number): number =>
  ((kind * 4 + outcome) * 2 + (isEnd ? 1 : 0)) * 1000 + status;

export const statusOf = (mark: number): number => mark % 1000;
export const isEndMark = (mark: number): boolean => Math.floor(mark / 1000) % 2 === 1;
export const outcomeOf = (mark: number): Outcome => (Math.floor(mark / 2000) % 4) as Outcome;
export const kindOf = (mark: number): number => Math.floor(mark / 8000);
