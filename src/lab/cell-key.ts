/** A cell by its content: equal keys, equal bytes. Everything that can change a result is in it (the engine's version, the compiled world,
 *  the policies with their own code, the seed), and nothing else, so that a comment in the scenario or another variant beside this one
 *  runs nothing again. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { exactJson } from '../core/exact-json.ts';
import { version } from '../core/version.ts';
import type { Scenario } from '../scenario/spec.ts';
import type { Cell } from './cell.ts';
import { sha256 } from './fingerprint.ts';

export class CellKeys {
  readonly #scenario: Scenario;
  readonly #worlds = new Map<number, Promise<string>>();
  readonly #modules = new Map<string, Promise<string>>();

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  /** 64 hexadecimal digits. */
  async key({ variant, ...cell }: Cell): Promise<string> {
    let world = this.#worlds.get(variant);
    if (world === undefined) this.#worlds.set(variant, (world = this.#world(variant)));
    return sha256(exactJson([version, await world, cell]));
  }

  async #world(index: number): Promise<string> {
    const { policies, scenario = this.#scenario } = this.#scenario.variants[index];
    const { run, services, classes, edges, queues, nodes, pipeline, network, traffic, faults, changes, delivery, views } =
      scenario;
    const { durationMs, epochMs, warmupMs, windowMs } = run;
    const { metastability } = scenario;
    const world = {
      ...{ durationMs, epochMs, warmupMs, windowMs, services, classes, edges, queues, nodes, pipeline, network, traffic, faults },
      ...{ changes, delivery, views },
    };
    const told = services.flatMap(({ versions = [] }) => versions.map(({ clients }) => clients?.policies ?? {}));
    const used = [policies, ...services.map((each) => each.policies), ...edges.map((each) => each.policies), ...told];
    const paths = used.flatMap((choice) => Object.values(choice).flatMap((use) => use?.module?.path ?? []));
    const code = await Promise.all([...new Set(paths)].sort().map((path) => this.#module(path)));
    // Where a module lies does not matter, only what is in it.
    return sha256(exactJson(withoutPlaces({ world, metastability, policies, code })));
  }

  #module(path: string): Promise<string> {
    let found = this.#modules.get(path);
    if (found === undefined) this.#modules.set(path, (found = hashOfModule(path)));
    return found;
  }
}

function withoutPlaces(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, key === 'module' && isModule(each) ? each.exportName : withoutPlaces(each)]),
  );
}

const isModule = (value: unknown): value is { readonly path: string; readonly exportName: string } =>
  typeof value === 'object' && value !== null && 'path' in value && 'exportName' in value;

/** The file and the files that it imports by relative paths. What it takes from packages is not looked at. */
async function hashOfModule(path: string): Promise<string> {
  const hashes: string[] = [];
  const seen = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = await readFirst([
      file,
      `${file}.ts`,
      `${file}.js`,
      `${file}.mjs`,
      resolve(file, 'index.ts'),
      file.replace(/\.js$/, '.ts'),
    ]);
    if (text === undefined) return;
    hashes.push(sha256(text));
    for (const [, specifier] of text.matchAll(/(?:from|import|require)\s*\(?\s*['"](\.{1,2}\/[^'"\n]+)['"]/g))
      await visit(resolve(dirname(file), specifier!));
  };
  await visit(path);
  return sha256(hashes.join('\n'));
}

async function readFirst(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    try {
      return await readFile(file, 'utf8');
    } catch {
      // The next spelling.
    }
  }
  return undefined;
}
