/** How far an experiment is. Only grows, except where more work turns out to be needed. */
import type { Scenario } from '../scenario/spec.ts';
import type { CellResult } from '../stats/result.ts';
import type { Cell } from './cell.ts';

export interface Progress {
  /** Cells finished and known to be needed. */
  readonly done: number;
  readonly total: number;
  /** Simulated time over all cells, finished or under way. */
  readonly simulatedMs: number;
  /** Share of the whole work that is done, 0 to 1. */
  readonly share: number;
}

export class ProgressCount {
  private readonly durationMs: number;
  private readonly tell: (progress: Progress) => void;
  private readonly under: Map<string, number>;
  private done: number;
  private total: number;

  constructor({ run }: Pick<Scenario, 'run'>, tell: (progress: Progress) => void) {
    this.durationMs = run.durationMs;
    this.tell = tell;
    this.under = new Map();
    this.done = 0;
    this.total = 0;
  }

  /** So many cells more. */
  expect(cells: number): void {
    this.total += cells;
  }

  advance(cell: Cell, simulatedMs: number): void {
    this.under.set(keyOf(cell), simulatedMs);
    this.report();
  }

  finish(result: CellResult): void {
    this.under.delete(keyOf(result));
    this.done++;
    this.report();
  }

  private report(): void {
    const { done, total, durationMs } = this;
    let simulatedMs = done * durationMs;
    for (const ms of this.under.values()) simulatedMs += ms;
    this.tell({ done, total, simulatedMs, share: simulatedMs / (total * durationMs) });
  }
}

const keyOf = ({ variant, seed }: Pick<Cell, 'variant' | 'seed'>): string => `${variant} ${seed}`;
