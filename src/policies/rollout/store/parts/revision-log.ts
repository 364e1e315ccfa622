/** Entries with the history of their changes, as etcd keeps them: one revision per change, from which watches can begin until the history
 *  before it is dropped. Deletions of one operation share a revision.
 *
 *  After etcd-io/etcd: server/storage/mvcc. */
import type { StoreEntry, WatchEvent } from '../config-store.ts';

export class RevisionLog {
  readonly #entries = new Map<string, StoreEntry>();
  #events: WatchEvent[] = [];
  /** A new store has revision 1 and nothing in it. */
  #revision = 1;
  #compacted = 0;

  get revision(): number {
    return this.#revision;
  }

  /** Watches cannot begin before this revision. */
  get compactedRevision(): number {
    return this.#compacted;
  }

  get(key: string): StoreEntry | undefined {
    return this.#entries.get(key);
  }

  list(prefix: string): readonly StoreEntry[] {
    const found = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix));
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  put(key: string, value: string, lease: number | undefined): WatchEvent {
    const revision = ++this.#revision;
    const former = this.#entries.get(key);
    const { createRevision, version } = former ?? { createRevision: revision, version: 0 };
    this.#entries.set(key, { key, value, createRevision, modRevision: revision, version: version + 1, lease });
    return this.#record({ kind: 'put', revision, key, value });
  }

  /** Those that are there, in one revision; none if none is. */
  delete(keys: Iterable<string>): readonly WatchEvent[] {
    const present = [...keys].filter((key) => this.#entries.has(key));
    if (present.length === 0) return [];
    const revision = ++this.#revision;
    return present.map((key) => {
      this.#entries.delete(key);
      return this.#record({ kind: 'delete', revision, key, value: undefined });
    });
  }

  since(revision: number, prefix: string): readonly WatchEvent[] {
    return this.#events.filter((event) => event.revision >= revision && event.key.startsWith(prefix));
  }

  /** Drops history before `revision`. */
  compact(revision: number): void {
    if (revision <= this.#compacted) return;
    this.#compacted = Math.min(revision, this.#revision);
    this.#events = this.#events.filter((event) => event.revision >= this.#compacted);
  }

  #record(event: WatchEvent): WatchEvent {
    this.#events.push(event);
    return event;
  }
}
