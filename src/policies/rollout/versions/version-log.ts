/** The versions of a configuration, kept in a store: contents under their addresses, entries that say who changed what and when and which
 *  entry came before, and one head that says which is current.
 *
 *  Use it so that every change can be named, compared and taken back. It fails where contents are secret: an address gives away that two are
 *  equal.
 *
 *  A commit names the version it is based on; if somebody else was quicker it is refused (`conflict`), and has to be made anew on what is
 *  current. Before a version is accepted it is checked, and what is wrong with it is said. Going back is going forward: the old content
 *  becomes a new version, so that numbers only grow and hosts can tell what is newer. What is pointed at is written before what
 *  points, so whoever breaks off in the middle leaves nothing behind but an entry that nobody knows. */
import { InputError } from '../../../core/errors.ts';
import type { Ms } from '../../../core/time.ts';
import type { ConfigUpdate } from '../propagation/config-agent.ts';
import type { ConfigStore } from '../store/config-store.ts';
import { sha256 } from '../../shared/sha256.ts';
import { addressOf, canonical, type Content } from './canonical.ts';
import { type Change, diff } from './diff.ts';

export interface VersionEntry {
  /** From 1. */
  readonly version: number;
  /** Address of the entry before; null for the first. */
  readonly parent: string | null;
  readonly digest: string;
  readonly author: string;
  readonly message: string;
  readonly atMs: Ms;
}

export type CommitResult =
  | { readonly kind: 'committed'; readonly entry: VersionEntry }
  /** Nothing would change. */
  | { readonly kind: 'unchanged'; readonly entry: VersionEntry }
  /** Somebody else was quicker. */
  | { readonly kind: 'conflict'; readonly current: number }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

export interface Commit {
  /** The version that was changed; 0 for the first one. */
  readonly base: number;
  readonly content: Content;
  readonly author: string;
  readonly message: string;
}

export interface VersionLogOptions {
  readonly store: ConfigStore;
  /** Keys begin so: `config/web/`. */
  readonly prefix: string;
  /** What is wrong with a content; nothing if it may become a version. */
  readonly check?: (content: Content, before: Content | undefined) => readonly string[];
}

export class VersionLog {
  readonly #store: ConfigStore;
  readonly #prefix: string;
  readonly #check: NonNullable<VersionLogOptions['check']>;

  constructor({ store, prefix, check = () => [] }: VersionLogOptions) {
    this.#store = store;
    this.#prefix = prefix;
    this.#check = check;
  }

  /** The current version; undefined before the first. */
  get head(): VersionEntry | undefined {
    const head = this.#store.get(this.#headKey);
    return head === undefined ? undefined : this.#entryAt(head.value);
  }

  entry(version: number): VersionEntry | undefined {
    for (let entry = this.head; entry !== undefined; entry = this.#parentOf(entry)) if (entry.version === version) return entry;
    return undefined;
  }

  /** All, oldest first. */
  history(): readonly VersionEntry[] {
    const entries: VersionEntry[] = [];
    for (let entry = this.head; entry !== undefined; entry = this.#parentOf(entry)) entries.unshift(entry);
    return entries;
  }

  content(version: number): Content | undefined {
    const entry = this.entry(version);
    const found = entry === undefined ? undefined : this.#store.get(this.#contentKey(entry.digest));
    return found === undefined ? undefined : (JSON.parse(found.value) as Content);
  }

  /** What hosts are given. */
  update(version: number): ConfigUpdate | undefined {
    const entry = this.entry(version);
    if (entry === undefined) return undefined;
    return { version, digest: entry.digest, content: this.#store.get(this.#contentKey(entry.digest))!.value };
  }

  diff(from: number, to: number): readonly Change[] {
    return diff(this.#known(from), this.#known(to));
  }

  commit({ base, content, author, message }: Commit, nowMs: Ms): CommitResult {
    const stored = this.#store.get(this.#headKey);
    const head = stored === undefined ? undefined : this.#entryAt(stored.value);
    const current = head?.version ?? 0;
    if (current !== base) return { kind: 'conflict', current };
    const problems = this.#check(content, this.content(current));
    if (problems.length > 0) return { kind: 'refused', problems };
    const digest = addressOf(content);
    if (head?.digest === digest) return { kind: 'unchanged', entry: head };
    const entry: VersionEntry = { version: current + 1, parent: stored?.value ?? null, digest, author, message, atMs: nowMs };
    const text = JSON.stringify(entry);
    const address = sha256(text);
    this.#store.compareAndSwap(this.#contentKey(digest), 0, canonical(content), nowMs);
    this.#store.compareAndSwap(this.#entryKey(address), 0, text, nowMs);
    const { succeeded } = this.#store.compareAndSwap(this.#headKey, stored?.modRevision ?? 0, address, nowMs);
    return succeeded ? { kind: 'committed', entry } : { kind: 'conflict', current: this.head?.version ?? 0 };
  }

  /** Makes the content of an old version current again, as a new one. */
  revert(to: number, author: string, nowMs: Ms): CommitResult {
    const content = this.#known(to);
    return this.commit({ base: this.head?.version ?? 0, content, author, message: `Back to version ${to}` }, nowMs);
  }

  #known(version: number): Content {
    const content = this.content(version);
    if (content === undefined) throw InputError.of('bad-value', `there is no version ${version} of ${this.#prefix}`);
    return content;
  }

  #entryAt(address: string): VersionEntry {
    return JSON.parse(this.#store.get(this.#entryKey(address))!.value) as VersionEntry;
  }

  #parentOf({ parent }: VersionEntry): VersionEntry | undefined {
    return parent === null ? undefined : this.#entryAt(parent);
  }

  get #headKey(): string {
    return `${this.#prefix}head`;
  }
  #entryKey(address: string): string {
    return `${this.#prefix}entries/${address}`;
  }
  #contentKey(digest: string): string {
    return `${this.#prefix}contents/${digest}`;
  }
}
