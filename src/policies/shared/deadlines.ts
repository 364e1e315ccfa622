/** A deadline per number, and when the next one is. Deadlines mostly move later (a lease is renewed), so the earliest is kept as a lower
 *  bound and found anew only when its time has come: O(1) per renewal, O(n) once per earliest deadline. */
import type { Ms } from '../../core/time.ts';

export class Deadlines {
  readonly #atMs = new Map<number, Ms>();
  #nextMs: Ms = Infinity;

  set(key: number, atMs: Ms): void {
    this.#atMs.set(key, atMs);
    this.#nextMs = Math.min(this.#nextMs, atMs);
  }

  delete(key: number): void {
    this.#atMs.delete(key);
  }

  get(key: number): Ms | undefined {
    return this.#atMs.get(key);
  }

  /** No deadline is before this. */
  nextMs(): Ms {
    return this.#nextMs;
  }

  /** Takes out what is due, earliest first, at most `limit`. */
  takeDue(nowMs: Ms, limit = Infinity): readonly number[] {
    if (nowMs < this.#nextMs) return [];
    const due = [...this.#atMs].filter(([, atMs]) => atMs <= nowMs).sort((a, b) => a[1] - b[1] || a[0] - b[0]);
    const taken = due.slice(0, limit).map(([key]) => key);
    for (const key of taken) this.#atMs.delete(key);
    this.#nextMs = Infinity;
    for (const atMs of this.#atMs.values()) this.#nextMs = Math.min(this.#nextMs, atMs);
    return taken;
  }
}
