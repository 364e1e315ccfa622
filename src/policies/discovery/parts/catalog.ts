/** What a registry knows of whom: the status of every instance, and an index that grows with every change of it. */
import type { HealthStatus } from '../registries/registry.ts';

export class Catalog {
  readonly #statuses = new Map<number, HealthStatus>();
  readonly #isServed: (status: HealthStatus) => boolean;
  readonly #onChange: (nowMs: number) => void;
  /** Consul never shows an index below 1. */
  index = 1;
  #members: readonly number[] | undefined;

  /** `isServed` says which statuses a query gets to see. */
  constructor(isServed: (status: HealthStatus) => boolean, onChange: (nowMs: number) => void) {
    this.#isServed = isServed;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#statuses.size;
  }

  status(instance: number): HealthStatus | undefined {
    return this.#statuses.get(instance);
  }

  set(instance: number, status: HealthStatus, nowMs: number): void {
    if (this.#statuses.get(instance) === status) return;
    this.#statuses.set(instance, status);
    this.#changed(nowMs);
  }

  delete(instance: number, nowMs: number): void {
    if (this.#statuses.delete(instance)) this.#changed(nowMs);
  }

  /** Those that a query gets to see, in ascending order. The list is never changed afterwards. */
  members(): readonly number[] {
    this.#members ??= [...this.#statuses]
      .filter(([, status]) => this.#isServed(status))
      .map(([instance]) => instance)
      .sort((a, b) => a - b);
    return this.#members;
  }

  #changed(nowMs: number): void {
    this.index++;
    this.#members = undefined;
    this.#onChange(nowMs);
  }
}
