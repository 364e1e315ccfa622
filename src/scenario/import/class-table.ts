/** Kinds of requests seen in a log, and how often: method and path template, or what the log itself calls a class. The table is bounded;
 *  what comes after it is full counts as `other`, as does, in the end, what is rare. */
import { className } from './printable.ts';
import { pathOf, pathTemplate } from './path-template.ts';
import { NumberTable } from './number-table.ts';
import { hashText } from './text-hash.ts';

export const otherClass = 'other';
/** Whose first line was no request, as port scans and broken clients send it. */
export const malformedClass = 'malformed';

const maxClasses = 50_000;
const maxPaths = 100_000;
/** A class is worth its own name from this share of the requests on. */
const minShare = 0.001;

export class ClassTable {
  declare private readonly names: string[];
  declare private readonly counts: number[];
  declare private readonly indices: Map<string, number>;
  /** Index by the number of class, method and path: most paths come again, and numbers take less memory than their texts. */
  declare private readonly known: NumberTable;
  /** Number of the path of the request added last, as a key; NaN when it had none. */
  declare key: number;

  constructor() {
    this.names = [otherClass];
    this.counts = [0];
    this.indices = new Map([[otherClass, 0]]);
    this.known = new NumberTable();
    this.key = NaN;
  }

  /** Counts one request and returns the index of its class. */
  add(named: string, method: string, target: string): number {
    const path = target === '' ? '' : pathOf(target);
    this.key = path === '' ? NaN : hashText(path);
    const pathNumber = path === '' ? 0 : this.key;
    const id = named === '' ? hashText(method, pathNumber) : hashText(named, pathNumber + 1);
    let index = this.known.get(id);
    if (index === -1) {
      index = this.indexOf(classOf(named, method, path));
      // Emptied when full: simpler than forgetting the oldest, and as good for paths that come often.
      if (this.known.size >= maxPaths) this.known.clear();
      this.known.set(id, index);
    }
    this.counts[index]++;
    return index;
  }

  /** The most frequent ones, at most `limit` with `other` among them, and the place of each former index. */
  summary(limit: number): { readonly names: readonly string[]; readonly placeOf: Uint16Array } {
    const total = this.counts.reduce((sum, count) => sum + count, 0);
    const ranked = this.names
      .map((name, index) => ({ name, index, count: this.counts[index] }))
      .filter(({ index, count }) => index !== 0 && count >= Math.max(1, total * minShare))
      .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
    const isRest = this.names.length - 1 > ranked.length || this.counts[0] > 0 || ranked.length > limit;
    const kept = ranked.slice(0, isRest ? limit - 1 : limit);
    const placeOf = new Uint16Array(this.names.length).fill(kept.length);
    for (const [place, { index }] of kept.entries()) placeOf[index] = place;
    return { names: [...kept.map(({ name }) => name), ...(isRest ? [otherClass] : [])], placeOf };
  }

  private indexOf(name: string): number {
    const known = this.indices.get(name);
    if (known !== undefined) return known;
    if (this.names.length >= maxClasses) return 0;
    const index = this.names.length;
    this.names.push(name);
    this.counts.push(0);
    this.indices.set(name, index);
    return index;
  }
}

function classOf(named: string, method: string, path: string): string {
  if (named !== '') return className(named);
  if (method === '' && path === '') return malformedClass;
  const verb = method === '' ? '' : /^[A-Za-z]{1,16}$/.test(method) ? method.toUpperCase() : 'OTHER';
  // The target of CONNECT is a host.
  if (path === '' || verb === 'CONNECT') return verb;
  return className(`${verb} ${pathTemplate(path)}`.trim());
}
