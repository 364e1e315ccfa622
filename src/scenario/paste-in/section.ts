/** A map of somebody else's configuration, and what of it has been read: the rest is reported, so that nobody believes that it counts. */
import { show } from '../../core/quantity.ts';
import { toPlain, type MapNode, type Node, type Scalar, type Span } from '../node.ts';
import type { PastedFile } from './pasted-file.ts';

/** A value with its place, ready to be a parameter. */
export interface Found {
  readonly key: string;
  readonly value: Scalar;
  readonly span: Span;
}

export class Section {
  readonly file: PastedFile;
  /** What to underline for all of it. */
  readonly span: Span;
  readonly #entries: ReadonlyMap<string, { readonly written: string; readonly keySpan: Span; readonly value: Node }>;
  readonly #read = new Set<string>();

  /** `span` where the map has a key of its own. */
  constructor(map: MapNode | undefined, file: PastedFile, span: Span) {
    this.file = file;
    this.span = span;
    const entries = [...(map?.entries ?? [])];
    this.#entries = new Map(entries.map(([written, entry]) => [canonical(written), { written, ...entry }]));
  }

  has(key: string): boolean {
    return this.#entries.has(canonical(key));
  }

  /** As they are written. */
  get keys(): readonly string[] {
    return [...this.#entries.values()].map(({ written }) => written);
  }

  /** Where the key stands; where the section stands if it has none. */
  keySpan(key: string): Span {
    return this.#entries.get(canonical(key))?.keySpan ?? this.span;
  }

  /** Whether it is there and nobody has asked for it. */
  isUnread(key: string): boolean {
    return this.has(key) && !this.#read.has(canonical(key));
  }

  node(key: string): Node | undefined {
    this.#read.add(canonical(key));
    return this.#entries.get(canonical(key))?.value;
  }

  /** The map under this key; an empty one where nothing follows it. */
  section(key: string): Section | undefined {
    const node = this.node(key);
    if (node === undefined) return undefined;
    if (node.kind !== 'map' && !(node.kind === 'scalar' && node.value === null)) {
      this.file.error('wrong-type', node.span, `${key}: expected a map, found ${show(toPlain(node))}`);
      return undefined;
    }
    return new Section(node.kind === 'map' ? node : undefined, this.file, this.keySpan(key));
  }

  /** The entries of a list under this key that are maps. */
  sections(key: string): readonly Section[] {
    const node = this.node(key);
    return node?.kind === 'list' ? mapsOf(node.items).map((item) => new Section(item, this.file, item.span)) : [];
  }

  /** A plain value, out of the wrappers that Envoy's runtime settings and percentages have. */
  scalar(key: string): Found | undefined {
    const outer = this.node(key);
    if (outer === undefined) return undefined;
    let node = outer;
    if (outer.kind === 'map') {
      const inner = new Section(outer, this.file, this.keySpan(key));
      node = inner.node('value') ?? inner.node('default_value') ?? outer;
      if (node !== outer) inner.reportRest({ runtime_key: 'the default value counts' });
    }
    if (node.kind === 'scalar') return { key: this.#written(key), value: node.value, span: node.span };
    this.file.error('wrong-type', node.span, `${key}: expected a plain value, found ${show(toPlain(node))}`);
    return undefined;
  }

  text(key: string): string | undefined {
    const found = this.scalar(key);
    return found === undefined || found.value === null ? undefined : String(found.value);
  }

  /** Warns of every key that nobody has asked for. `reasons` say what to do about the well-known ones. */
  reportRest(reasons: Readonly<Record<string, string>> = {}, silent: readonly string[] = []): void {
    for (const [key, { written, keySpan }] of this.#entries) {
      if (!this.#read.has(key) && !silent.includes(key))
        this.file.warn('not-read', keySpan, `${written} is not read here`, reasons[key]);
    }
  }

  /** The same for one key that has been looked at and does not count. */
  reportUnused(key: string, why: string): void {
    if (this.has(key)) this.file.warn('not-read', this.keySpan(key), `${this.#written(key)} is not read here: ${why}`);
    this.#read.add(canonical(key));
  }

  #written(key: string): string {
    return this.#entries.get(canonical(key))?.written ?? key;
  }
}

export const mapsOf = (nodes: readonly Node[]): readonly MapNode[] => nodes.filter((node) => node.kind === 'map');

/** Protocol buffers are written either way: `lbPolicy` or `lb_policy`. */
const canonical = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
