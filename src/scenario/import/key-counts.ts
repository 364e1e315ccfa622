/** Which keys are asked for how often, in bounded memory.
 *
 *  Counts: up to 65,536 keys; when a new one finds no place, the rarer half goes. A key that comes back starts again, so that counts are
 *  too low by at most what was dropped, which for keys at the top is nothing (lossy counting: G. S. Manku and R. Motwani, VLDB 2002).
 *
 *  Distinct keys: those whose number falls below a limit are kept, and the limit is halved when they become too many; the rest is
 *  multiplication. Exact up to 16,384, then within about 1 % (M. Wegman's adaptive sampling: P. Flajolet, Computing 43, 1990). */
import { fmix32 } from '../../core/hash.ts';
import { NumberTable } from './number-table.ts';

const maxKeys = 65_536;
const maxSample = 16_384;

export class KeyCounts {
  declare total: number;
  declare private counts: NumberTable;
  declare private sample: Set<number>;
  /** Keys whose mixed number ends in so many zeros are in the sample. */
  declare private level: number;

  constructor() {
    this.total = 0;
    this.counts = new NumberTable();
    this.sample = new Set();
    this.level = 0;
  }

  add(key: number): void {
    this.total++;
    const count = this.counts.get(key);
    if (count !== -1) {
      this.counts.set(key, count + 1);
      return;
    }
    if (this.counts.size >= maxKeys) this.dropRare();
    this.counts.set(key, 1);
    if (!this.isSampled(key)) return;
    this.sample.add(key);
    while (this.sample.size > maxSample) {
      this.level++;
      this.sample = new Set([...this.sample].filter((each) => this.isSampled(each)));
    }
  }

  distinct(): number {
    return this.sample.size * (1 << this.level);
  }

  /** Counts of the most frequent keys, falling. */
  top(limit: number): number[] {
    return Array.from(this.counts.entries(), ([, count]) => count)
      .sort((a, b) => b - a)
      .slice(0, limit);
  }

  private isSampled(key: number): boolean {
    const mixed = fmix32((key % 4294967296) ^ Math.floor(key / 4294967296));
    return this.level === 0 || mixed << (32 - this.level) === 0;
  }

  private dropRare(): void {
    const entries = [...this.counts.entries()];
    const median = entries.map(([, count]) => count).sort((a, b) => a - b)[maxKeys >> 1];
    this.counts = new NumberTable();
    for (const [key, count] of entries) if (count > median) this.counts.set(key, count);
  }
}
