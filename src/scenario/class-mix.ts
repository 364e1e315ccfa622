/** `classes:` to kinds of requests, and the shares a stream has of them. */
import type { Path } from '../core/issue.ts';
import { show } from '../core/quantity.ts';
import type { Env } from './distributions.ts';
import { normalised } from './distributions.ts';
import { knownHint } from './hints.ts';
import { nodeAt, toPlain } from './node.ts';
import { requestClass } from './shape-edges.ts';
import { limits } from './shape-parts.ts';
import type { ClassSpec, TrafficSpec } from './spec.ts';

export interface KnownClasses {
  readonly specs: readonly ClassSpec[];
  /** Whether the file names them; otherwise they are those of its recordings, or one called `default`. */
  readonly areDeclared: boolean;
}

export const defaultClass = 'default';

/** Undefined after complaints. `recorded` are the classes of recordings, `hasOthers` whether some stream is none. */
export function compileClasses(recorded: readonly string[], hasOthers: boolean, env: Env): KnownClasses | undefined {
  const { complaints } = env;
  const node = nodeAt(complaints.root, ['classes']);
  if (node === undefined) {
    const names = [...new Set([...(hasOthers || recorded.length === 0 ? [defaultClass] : []), ...recorded])];
    return { specs: names.map((name) => ({ name, priority: 0, tenant: '' })), areDeclared: false };
  }
  if (node.kind !== 'map' || node.entries.size === 0) {
    const found = node.kind === 'map' ? 'an empty map' : show(toPlain(node));
    complaints.error(
      'wrong-type',
      ['classes'],
      `expected a map of classes by name, found ${found}`,
      'write classes: { read: {}, write: {} }',
    );
    return undefined;
  }
  if (node.entries.size > limits.classes) {
    complaints.error('too-many', ['classes'], `${node.entries.size} classes; ${limits.classes} is the most`);
    return undefined;
  }
  const specs: ClassSpec[] = [];
  for (const name of node.entries.keys()) {
    const problem = whyNoClassName(name);
    if (problem !== undefined) complaints.add({ code: 'bad-name', path: ['classes'], key: name, message: problem });
    const shape = complaints.check(requestClass, ['classes', name]);
    specs.push({ name, priority: shape?.priority ?? 0, tenant: shape?.tenant ?? '' });
  }
  return { specs, areDeclared: true };
}

/** Names may come from logs: any line of text that can stand in quotes. */
export function whyNoClassName(name: string): string | undefined {
  if (name.trim() === '') return 'the name of a class must not be empty';
  if (name.length > 200) return `the name ${show(name)} is longer than 200 characters`;
  return /["{}\p{Cc}\u2028\u2029]/u.test(name)
    ? `${show(name)} is not a name of a class: one line without quotes and braces`
    : undefined;
}

/** The index of a class by its name; -1 after a complaint. */
export function findClass(name: string, path: Path, classes: KnownClasses, { complaints }: Env, isKey = false): number {
  const index = classes.specs.findIndex((each) => each.name === name);
  if (index !== -1) return index;
  const hint = classes.areDeclared
    ? knownHint(
        name,
        classes.specs.map((each) => each.name),
      )
    : 'name the classes of requests at the top: classes: { read: {}, write: {} }';
  const message = `there is no class ${show(name)}`;
  if (isKey) complaints.add({ code: 'unknown-class', path, key: name, message, hint });
  else complaints.error('unknown-class', path, message, hint);
  return -1;
}

/** `{ read: 80%, write: 20% }`. Undefined after complaints. */
export function compileMix(
  shape: Readonly<Record<string, number>> | undefined,
  path: Path,
  classes: KnownClasses,
  env: Env,
): TrafficSpec['mix'] | undefined {
  if (shape === undefined) return [{ class: 0, share: 1 }];
  const entries = Object.entries(shape).map(([name, share]) => ({ class: findClass(name, path, classes, env, true), share }));
  const shares = normalised(entries, path, env);
  if (shares === undefined || entries.some((entry) => entry.class === -1)) return undefined;
  return entries.map((entry, index) => ({ class: entry.class, share: shares[index] })).filter(({ share }) => share > 0);
}
