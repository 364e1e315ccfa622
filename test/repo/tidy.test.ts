/** The repository's habits, checked. Each complaint says what to do instead. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { codeOnly, filesUnder, publishedFiles, read, root, withoutComments } from './sources.ts';

const published = publishedFiles();
const isText = (file: string): boolean => !/\.(png|ttf|gz|ico|woff2?)$/.test(file);
const texts = new Map(published.filter(isText).map((file) => [file, read(file)]));
const select = (pattern: RegExp): [string, string][] => [...texts].filter(([file]) => pattern.test(file));

/** Lines of the files that match, as `file:line: text`. */
function linesMatching(files: readonly [string, string][], pattern: RegExp): string[] {
  return files.flatMap(([file, text]) =>
    text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
}

describe('nothing is left over', () => {
  // Written in pieces, so that this file does not find itself.
  const marks = new RegExp(`\\b(${['FIX' + 'ME', 'TO' + 'DO', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`);
  test('no note to self in sources, scenarios or documents', () => {
    expect(linesMatching(select(/^(src|test|scenarios|\.ci)\/|\.md$/), marks)).toEqual([]);
  });

  test('no test runs alone, and none is skipped without its reason', () => {
    const tests = select(/^test\/.*\.ts$/).map(([file, text]): [string, string] => [file, withoutComments(text)]);
    expect(linesMatching(tests, /\b(test|it|describe|suite|bench)\.only\b/)).toEqual([]);
    // `.skipIf(condition)` names its reason; a bare `.skip` has it in a comment on the line before.
    const bare = select(/^test\/.*\.ts$/).flatMap(([file, text]) => {
      const lines = text.split('\n');
      return lines.flatMap((line, index) =>
        /^\s*(test|it|describe)\.(skip|todo)\(/.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(lines[index - 1] ?? '')
          ? [`${file}:${index + 1}`]
          : [],
      );
    });
    expect(bare).toEqual([]);
  });

  test('no debugger statement and no console in library code', () => {
    const code = select(/^src\/.*\.ts$/).map(([file, text]): [string, string] => [file, codeOnly(text)]);
    expect(linesMatching(code, /^\s*debugger\b/)).toEqual([]);
    expect(
      linesMatching(
        code.filter(([file]) => !file.startsWith('src/cli/')),
        /\bconsole\s*\.|\bprocess\.(stdout|stderr|exit|exitCode)\b/,
      ),
    ).toEqual([]);
  });
});

/** What the pure layers must not call, because the result would depend on the machine, the moment or the version of Node. */
const bannedCalls: readonly { readonly pattern: RegExp; readonly instead: string; readonly except?: string }[] = [
  {
    pattern:
      /\bMath\.(log|log2|log10|log1p|exp|expm1|pow|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|cbrt|hypot)\b/,
    instead: 'the functions of src/core/math.ts, whose bits do not depend on Node or the processor',
  },
  { pattern: /\*\*/, instead: 'pow of src/core/math.ts, or a product' },
  { pattern: /\bMath\.random\b/, instead: 'the injected Rng' },
  { pattern: /\bDate\b|\bperformance\s*\./, instead: 'the injected clock, or the time that is passed in' },
  { pattern: /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/, instead: 'nextTimer/onTimer, or the engine' },
  { pattern: /\b(crypto|process|console)\s*\./, instead: 'nothing: a pure layer has no surroundings' },
  {
    pattern: /\.(localeCompare|toLocale\w*)\b|\bIntl\b/,
    instead: 'comparison with < and >, and plain formatting',
    // Rules of time zones are nowhere else to be had; only who asks for a zone by its name depends on them.
    except: 'src/policies/shared/time-zone.ts',
  },
];
const pureFiles = /^src\/(core|policies|engine|stats|cluster)\/.*\.ts$/;

describe('pure layers', () => {
  const code = select(pureFiles).map(([file, text]): [string, string] => [file, codeOnly(text)]);
  test.each(bannedCalls)('never use $pattern', ({ pattern, instead, except }) => {
    const files = code.filter(([file]) => file !== except);
    expect(linesMatching(files, pattern), `use ${instead}`).toEqual([]);
    if (except !== undefined) expect(files).toHaveLength(code.length - 1);
  });

  test('are all looked at', () => {
    expect(code.length).toBeGreaterThan(30);
    expect(
      linesMatching([['x.ts', codeOnly("const x = Math.pow(2, 3); // Math.exp\nconst y = 'Date';")]], /Math\.(pow|exp)|Date/),
    ).toEqual(['x.ts:1: const x = Math.pow(2, 3);']);
  });
});

describe('policies', () => {
  const families = ['balancing', 'detection'];
  /** Interfaces and shared pieces: files that declare no policy. */
  const declares = (text: string): boolean => /\bdefine(Balancer|Detector)\(/.test(codeOnly(text));
  const policyFiles = families
    .flatMap((family) => select(new RegExp(`^src/policies/${family}/.*\\.ts$`)))
    .filter(([file, text]) => declares(text) && !/\/(balancer|detector|index)\.ts$/.test(file));

  test('there are some', () => expect(policyFiles.length).toBeGreaterThan(5));

  test('each file opens by saying what it is', () => {
    expect(policyFiles.filter(([, text]) => !/^\/\*\*[\s\S]{40,}?\*\//.test(text)).map(([file]) => file)).toEqual([]);
  });

  test.each(families)('each stands in the table of %s under the name of its file', async (family) => {
    const module: Record<string, unknown> = await import(join(root, 'src/policies', family, 'index.ts'));
    const table = module[family === 'balancing' ? 'balancers' : 'detectors'] as Record<string, { name: string; family: string }>;
    const names = policyFiles.filter(([file]) => file.includes(`/${family}/`)).map(([file]) => posix.basename(file, '.ts'));
    expect(names.filter((name) => !(name in table))).toEqual([]);
    expect(Object.entries(table).filter(([key, policy]) => key !== policy.name || policy.family !== family)).toEqual([]);
  });
});

describe('scenario files', () => {
  const scenarios = select(/^scenarios\/[^/]+\.yaml$/);
  test('there are some', () => expect(scenarios.length).toBeGreaterThan(0));
  test.each(scenarios)('%s opens with the schema line and says what it shows', (_, text) => {
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./scenario.schema.json');
    expect(text).toMatch(/^about: \S/m);
    expect(text).toMatch(/^demonstrates: \S/m);
  });
});

describe('what is published', () => {
  test('has no file over 200 KB', () => {
    // The schema is generated, and grows with every parameter of every policy.
    const limit = (file: string): number => (file === 'scenarios/scenario.schema.json' ? 500_000 : 200_000);
    const large = published.filter(
      (file) =>
        file !== 'package-lock.json' && !file.startsWith('reports/examples/') && statSync(join(root, file)).size > limit(file),
    );
    expect(large).toEqual([]);
  });

  test('has a lock file that names no registry', () => {
    expect(linesMatching([['package-lock.json', read('package-lock.json')]], /"resolved":/)).toEqual([]);
  });

  test('has a lock file that knows every dependency, also those of other platforms, or npm ci would refuse it', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> };
    const missing = Object.entries(packages).flatMap(([place, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !placesSeenFrom(place).some((folder) => `${folder}node_modules/${name}` in packages))
        .map((name) => `${place} needs ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test('speaks of the project alone', () => {
    // Paths of one machine from its root on, and words that belong to how a text came about instead of what it says. In pieces, as above.
    const foreign = [
      '(?<![\\w}])/wo' + 'rk/',
      '(?<![\\w}])/ro' + 'ot/',
      '/tmp/br' + 'ief',
      'clau' + 'de',
      'chat' + 'gpt',
      'anthro' + 'pic',
      'as an ' + 'ai\\b',
    ];
    expect(linesMatching([...texts], new RegExp(foreign.join('|'), 'i'))).toEqual([]);
  });

  test('ends every text file with one line end, and has no tabs or trailing spaces in sources', () => {
    const files = select(/\.(ts|md|yaml|json)$/).filter(
      ([file]) => !file.startsWith('reports/examples/') && file !== 'package-lock.json',
    );
    expect(files.filter(([, text]) => !/[^\n]\n$/.test(text)).map(([file]) => file)).toEqual([]);
    expect(linesMatching(files, /[ \t]+$|\t/)).toEqual([]);
  });
});

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** `node_modules/a/node_modules/b` looks into itself, into a, and into the root. */
function placesSeenFrom(place: string): string[] {
  if (place === '') return [''];
  const outer = place.slice(0, place.lastIndexOf('node_modules/'));
  return [`${place}/`, ...placesSeenFrom(outer.replace(/\/$/, ''))];
}

describe('documents', () => {
  const documents = select(/\.md$/);
  test.each(documents)('%s has no dead link within the repository', (file, text) => {
    expect(deadLinks(file, text)).toEqual([]);
  });

  test('a dead link is found', () => {
    expect(deadLinks('README.md', '[a](no-such-file.md) [b](package.json) [c](https://example.org) [d](#no-such-part)')).toEqual([
      'no-such-file.md',
      '#no-such-part',
    ]);
  });
});

/** Relative links to files that do not exist, and links to headings that no heading makes. */
function deadLinks(file: string, text: string): string[] {
  const prose = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g), ...prose.matchAll(/\b(?:src|href)="([^"]+)"/g)].map(
    (match) => match[1]!,
  );
  return targets.filter((target) => {
    if (/^[a-z][a-z+.-]*:/i.test(target)) return false;
    const [path = '', heading] = target.split('#');
    const absolute = path === '' ? join(root, file) : join(root, dirname(file), decodeURI(path));
    if (!existsSync(absolute)) return true;
    return (
      heading !== undefined &&
      absolute.endsWith('.md') &&
      !headings(path === '' ? text : read(posix.join(dirname(file), path))).has(heading)
    );
  });
}

/** Anchors as GitHub makes them. */
const headings = (text: string): Set<string> =>
  new Set(
    [...text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map((match) =>
      match[1]!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  );

/** Everything under test/ that is not a test must be used by one; a forgotten helper is dead code. */
test('every test file is found by the runner', () => {
  const strange = filesUnder('test', '.ts').filter((file) => /test/i.test(posix.basename(file)) && !file.endsWith('.test.ts'));
  expect(strange).toEqual([]);
});
