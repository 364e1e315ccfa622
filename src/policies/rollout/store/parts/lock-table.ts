/** Consul's keys, with locks in them: a key belongs to the session that locked it, and counts how often it was locked anew. That count,
 *  with key and session, is the lock's token. Every operation brings the index of the log entry it is applied from.
 *
 *  After hashicorp/consul: agent/consul/state/kvs.go. */
export interface LockEntry {
  readonly key: string;
  readonly value: string;
  readonly createIndex: number;
  readonly modifyIndex: number;
  readonly lockIndex: number;
  readonly session: string | undefined;
  readonly version: number;
}

export class LockTable {
  readonly #entries = new Map<string, LockEntry>();
  /** The index of each deletion: what says to watchers of a prefix that something went. */
  readonly #deletedAt = new Map<string, number>();

  get(key: string): LockEntry | undefined {
    return this.#entries.get(key);
  }

  list(prefix: string): readonly LockEntry[] {
    const found = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** The last change below a prefix. */
  indexOf(prefix: string): number {
    let index = 0;
    for (const { modifyIndex } of this.list(prefix)) index = Math.max(index, modifyIndex);
    for (const [key, deletedAt] of this.#deletedAt) if (key.startsWith(prefix)) index = Math.max(index, deletedAt);
    return index;
  }

  /** Writing does not ask who holds the lock: it is advice. */
  set(key: string, value: string, index: number): void {
    this.#write(key, { value }, index);
  }

  /** 0: only if there is nothing yet. */
  setIfAt(key: string, modifyIndex: number, value: string, index: number): boolean {
    if ((this.get(key)?.modifyIndex ?? 0) !== modifyIndex) return false;
    this.set(key, value, index);
    return true;
  }

  /** False only if it is there and was changed since. */
  deleteIfAt(key: string, modifyIndex: number | undefined, index: number): boolean {
    const entry = this.get(key);
    if (entry === undefined) return true;
    if (modifyIndex !== undefined && entry.modifyIndex !== modifyIndex) return false;
    this.#entries.delete(key);
    this.#deletedAt.set(key, index);
    return true;
  }

  lock(key: string, session: string, value: string | undefined, index: number): boolean {
    const entry = this.get(key);
    if (entry?.session !== undefined && entry.session !== session) return false;
    const isFresh = entry?.session === undefined;
    // What changes nothing is not written, so that nobody is woken by it.
    if (!isFresh && (value === undefined || value === entry.value)) return true;
    this.#write(
      key,
      { session, lockIndex: (entry?.lockIndex ?? 0) + (isFresh ? 1 : 0), value: value ?? entry?.value ?? '' },
      index,
    );
    return true;
  }

  unlock(key: string, session: string, index: number): boolean {
    if (this.get(key)?.session !== session) return false;
    this.#write(key, { session: undefined }, index);
    return true;
  }

  heldBy(session: string): readonly string[] {
    return [...this.#entries.values()].filter((entry) => entry.session === session).map(({ key }) => key);
  }

  #write(key: string, change: Partial<LockEntry>, index: number): void {
    const former = this.get(key);
    const created = { value: '', createIndex: index, lockIndex: 0, session: undefined, version: 0 };
    const base = former ?? created;
    this.#entries.set(key, { ...base, ...change, key, modifyIndex: index, version: base.version + 1 });
    this.#deletedAt.delete(key);
  }
}
