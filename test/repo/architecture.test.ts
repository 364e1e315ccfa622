/** Who may import whom. The table is the architecture; `src/README.md` shows it with its reasons. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { familyFolders } from '../../src/policies/index.ts';
import { filesUnder, importsOf, read, resolveImport, root } from './sources.ts';

interface Layer {
  /** Folders of ours that it may import, besides itself. */
  readonly mayImport: readonly string[];
  /** Folders of which it may import types only. */
  readonly typesOf?: readonly string[];
  readonly packages?: readonly string[];
  /** Node's built-in modules. */
  readonly node?: boolean;
  readonly why: string;
}

const anything = [
  'core',
  'policies',
  'engine',
  'stats',
  'scenario',
  'cluster',
  'lab',
  'gate',
  'report',
  'live',
  'cli',
  'testing',
];

const layers: Readonly<Record<string, Layer>> = {
  core: { mayImport: [], packages: ['seedrandom'], why: 'core is the vocabulary everything else is built on' },
  policies: {
    mayImport: ['core'],
    why: 'a policy runs in production as it is: it must not know the simulator, Node or any package',
  },
  engine: { mayImport: ['core'], why: 'the kernel knows events and time, not clusters' },
  stats: { mayImport: ['core'], packages: ['simple-statistics'], why: 'numbers do not depend on where they come from' },
  scenario: {
    mayImport: ['core', 'policies'],
    packages: ['yaml', 'zod', 'jiti'],
    node: true,
    why: 'a scenario is data; reading it must not need the simulator',
  },
  cluster: {
    mayImport: ['core', 'engine', 'policies', 'stats'],
    typesOf: ['scenario'],
    why: 'the simulated world is pure: same inputs, same bytes, in any JavaScript engine',
  },
  lab: {
    mayImport: ['core', 'scenario', 'cluster', 'stats', 'engine', 'gate', 'policies'],
    packages: ['bullmq', 'ioredis'],
    node: true,
    why: 'experiments do not print and do not render',
  },
  gate: {
    mayImport: ['core', 'stats'],
    typesOf: ['lab', 'scenario'],
    node: true,
    why: 'a verdict is derived from the run file alone',
  },
  report: {
    mayImport: ['core', 'stats'],
    typesOf: ['lab', 'gate'],
    packages: ['csv-stringify', 'picocolors', 'string-width', 'vega', 'vega-lite', 'vega-interpreter', '@resvg/resvg-js'],
    node: true,
    why: 'a report is derived from the run file alone, so that it can be rendered again later',
  },
  live: {
    mayImport: ['core', 'policies', 'stats'],
    typesOf: ['scenario'],
    node: true,
    why: 'the live side must not know the simulator',
  },
  cli: {
    mayImport: anything,
    packages: ['commander', 'picocolors', 'string-width', 'yaml'],
    node: true,
    why: 'the command line may know everything of ours',
  },
  testing: {
    mayImport: anything,
    packages: ['vitest'],
    why: 'tests may use everything of ours, and no framework but vitest',
  },
  'index.ts': { mayImport: anything, why: 'the public library is made of our own modules' },
};

/** Constants of `lab/types.ts` (schema name, list of verdicts) are part of the format of a run file. */
const valueExceptions: readonly string[] = ['src/lab/types.ts', 'src/scenario/spec.ts'];

const sources = new Map(filesUnder('src', '.ts').map((file) => [file, read(file)]));

describe('the import table', () => {
  test('holds for every file', () => {
    expect(violations(sources)).toEqual([]);
  });

  test('names the file, the import and the reason when it is broken', () => {
    const found = violations(
      new Map([
        ['src/policies/balancing/bad.ts', "import { Engine } from '../../engine/engine.ts';"],
        ['src/policies/balancing/other-family.ts', "import type { Detector } from '../detection/detector.ts';"],
        ['src/policies/balancing/joined.ts', "import { Pipeline } from '../pipeline/pipeline.ts';"],
        ['src/policies/pipeline/algorithm.ts', "import { p2c } from '../balancing/p2c.ts';"],
        ['src/policies/pipeline/interface.ts', "import { NO_PERMIT } from '../resilience/breakers/breaker.ts';"],
        ['src/policies/resilience/hedging/own.ts', "import { finagleBudget } from '../budgets/finagle.ts';"],
        ['src/live/simulated.ts', "import { Engine } from '../engine/engine.ts';"],
        ['src/live/sockets.ts', "import http from 'node:http';"],
        ['src/policies/detection/timer.ts', "import 'node:timers';"],
        ['src/engine/lazy.ts', "const later = () => import('../cluster/cluster.ts');"],
        ['src/engine/package.ts', "export * from 'yaml';"],
        ['src/report/values.ts', "import { compare } from '../lab/compare.ts';"],
        ['src/report/types.ts', "import type { Compare } from '../lab/compare.ts';"],
        ['src/lab/worker-file.ts', "new Worker(new URL('../cli/main.js', import.meta.url));"],
        ['src/core/comment.ts', "// import { Engine } from '../engine/engine.ts';"],
        ['src/elsewhere/new.ts', "import { Engine } from '../engine/engine.ts';"],
      ]),
    );
    expect(found.map((line) => line.split(':')[0])).toEqual([
      'src/policies/balancing/bad.ts imports src/engine/engine.ts',
      'src/policies/balancing/other-family.ts imports src/policies/detection/detector.ts',
      'src/policies/balancing/joined.ts imports src/policies/pipeline/pipeline.ts',
      'src/policies/pipeline/algorithm.ts imports src/policies/balancing/p2c.ts',
      'src/live/simulated.ts imports src/engine/engine.ts',
      'src/policies/detection/timer.ts imports node',
      'src/engine/lazy.ts imports src/cluster/cluster.ts',
      'src/engine/package.ts imports yaml',
      'src/report/values.ts imports src/lab/compare.ts',
      'src/lab/worker-file.ts imports src/cli/main.ts',
      'src/elsewhere/new.ts stands in a folder that the table does not name',
    ]);
    expect(found[0]).toContain('must not know the simulator');
  });

  test('has one door to seedrandom', () => {
    const users = [...sources].filter(([, text]) => importsOf(text).some(({ specifier }) => specifier === 'seedrandom'));
    expect(users.map(([file]) => file)).toHaveLength(1);
  });

  test('has no circle at run time', () => {
    expect(circles(sources)).toEqual([]);
    const circle = new Map([
      ['src/core/a.ts', "import { b } from './b.ts';"],
      ['src/core/b.ts', "export { a } from './a.ts';"],
    ]);
    expect(circles(circle)).toEqual(['src/core/a.ts -> src/core/b.ts -> src/core/a.ts']);
  });
});

describe('a policy family is importable on its own', () => {
  test.each(Object.values(familyFolders))('src/policies/%s reaches core and its own kind only', (folder) => {
    const { files, packages } = reach(`src/policies/${folder}/index.ts`);
    const ownKind = `src/policies/${folder.split('/')[0]}/`;
    const allowed = ['src/core/', 'src/policies/shared/', ownKind];
    expect(files.filter((file) => !allowed.some((start) => file.startsWith(start)))).toEqual([]);
    expect(packages).toEqual([]);
    // The walk must have walked: the table, the interface and at least one algorithm.
    expect(files.length).toBeGreaterThan(3);
  });

  test('and so are the pipeline and the proxy, without the simulator and without packages', () => {
    for (const entry of ['src/policies/pipeline/index.ts', 'src/live/index.ts']) {
      const { files, packages } = reach(entry);
      expect(files.filter((file) => !/^src\/(core|policies|live)\//.test(file))).toEqual([]);
      expect(packages.filter((name) => !name.startsWith('node:'))).toEqual([]);
      expect(files.length).toBeGreaterThan(3);
    }
  });
});

describe('the package', () => {
  const manifest = JSON.parse(read('package.json')) as {
    readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  };
  const targets = Object.entries(manifest.exports).map(([subpath, target]): [string, string] => [
    subpath,
    typeof target === 'string' ? target : target.default.replace('./dist/', './src/').replace(/\.js$/, '.ts'),
  ]);

  test('offers only what is there', () => {
    const named = targets.filter(([, file]) => !file.includes('*')).map(([, file]) => file);
    expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    expect(named).toContain('./src/live/index.ts');
  });

  test('offers every family of policies under its folder', () => {
    const [, pattern] = targets.find(([subpath]) => subpath === './policies/*')!;
    const missing = [...Object.values(familyFolders), 'pipeline'].filter(
      (folder) => !existsSync(join(root, pattern.replace('*', folder))),
    );
    expect(missing).toEqual([]);
  });
});

function violations(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([file, text]) => {
    const layer = layers[layerOf(file)];
    if (layer === undefined) return [`${file} stands in a folder that the table does not name: add a row with its reason`];
    return importsOf(text).flatMap(({ specifier, typeOnly }) => {
      const target = resolveImport(file, specifier);
      const allowed = target === undefined ? allowsPackage(layer, specifier) : allowsFile(layer, file, target, typeOnly);
      return allowed ? [] : [`${file} imports ${target ?? specifier}: ${layer.why}`];
    });
  });
}

/** `src/engine/calendar.ts` → `engine`; the library's entry is a layer by itself. */
const layerOf = (file: string): string => file.split('/')[1]!;

function allowsFile(layer: Layer, file: string, target: string, typeOnly: boolean): boolean {
  const to = layerOf(target);
  if (file.startsWith('src/policies/') && to === 'policies') return allowsWithinPolicies(file, target, typeOnly);
  if (to === layerOf(file) || layer.mayImport.includes(to)) return true;
  if (layer.typesOf?.includes(to) === true) return typeOnly || valueExceptions.includes(target);
  // Only package.json lies outside src.
  return target === 'package.json';
}

/** What the pipeline may know of the families it joins: their interfaces, and who the endpoints are. */
const pipelineKnows: readonly string[] = [
  'balancing/balancer.ts',
  'balancing/endpoint-set.ts',
  'resilience/admission/admission.ts',
  'resilience/breakers/breaker.ts',
  'resilience/budgets/retry-budget.ts',
  'resilience/hedging/hedge.ts',
  'resilience/retries/retry.ts',
];

/** Families do not know each other; those under `resilience` are one. The pipeline, which joins them, knows their interfaces, and no family
 *  knows the pipeline. The index stands beside them all. */
function allowsWithinPolicies(file: string, target: string, typeOnly: boolean): boolean {
  const family = familyOf(file);
  if (family === 'pipeline' && familyOf(target) !== 'pipeline')
    return pipelineKnows.includes(target.slice('src/policies/'.length));
  const targetFamily = familyOf(target);
  if (family === undefined || targetFamily === undefined || targetFamily === 'shared')
    return family === undefined || typeOnly || targetFamily === 'shared';
  return family === targetFamily;
}

const familyOf = (file: string): string | undefined => (file.split('/').length > 3 ? file.split('/')[2] : undefined);

function allowsPackage(layer: Layer, specifier: string): boolean {
  if (specifier.startsWith('node:')) return layer.node === true;
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  return layer.packages?.includes(name) === true;
}

function reach(entry: string): { files: string[]; packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const { specifier, typeOnly } of importsOf(read(file))) {
      if (typeOnly) continue;
      const target = resolveImport(file, specifier);
      if (target === undefined) packages.add(specifier);
      else visit(target);
    }
  };
  visit(entry);
  return { files: [...files], packages: [...packages] };
}

function circles(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file].join(' -> '));
    if (start >= 0 || done.has(file)) return;
    for (const { specifier, typeOnly } of importsOf(files.get(file) ?? '')) {
      const target = resolveImport(file, specifier);
      if (!typeOnly && target !== undefined) visit(target, [...path, file]);
    }
    done.add(file);
  };
  for (const file of files.keys()) visit(file, []);
  return found;
}
