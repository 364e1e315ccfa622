/** The repository's own text, as the repository's tests read it. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** Relative to the root, with `/`. */
export function filesUnder(folder: string, suffix = ''): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

/** What git would publish: tracked files and new ones that no rule ignores. Outside a repository, the tree without what is built. */
export function publishedFiles(): string[] {
  const list = (...options: readonly string[]): string[] =>
    execFileSync('git', ['ls-files', '-z', ...options], { cwd: root, encoding: 'utf8', stdio: 'pipe', maxBuffer: 2 ** 26 }).split(
      '\0',
    );
  let files: string[];
  try {
    const deleted = new Set(list('--deleted'));
    files = list('--cached', '--others', '--exclude-standard').filter((file) => !deleted.has(file));
  } catch {
    files = filesUnder('.').filter((file) => !/^(\.git|node_modules|dist|coverage)\/|^reports\/(?!examples\/)/.test(file));
  }
  return [...new Set(files)].filter((file) => file !== '').sort();
}

export const read = (file: string): string => readFileSync(join(root, file), 'utf8');

export interface Import {
  readonly specifier: string;
  /** Gone after compilation. */
  readonly typeOnly: boolean;
}

/** Static, re-exporting, side-effect and dynamic imports, and files named relative to the module (`new URL('./worker.js', …)`). */
export function importsOf(source: string): Import[] {
  // A template over several lines is text for somebody else's file.
  const code = withoutComments(source).replace(/`(?:\\.|[^`\\])*`/g, (text) => (text.includes('\n') ? '``' : text));
  const found: Import[] = [];
  for (const [, type, specifier] of code.matchAll(/\b(?:import|export)\s+(type\s+)?[^'"`;()=]*?\bfrom\s*['"]([^'"]+)['"]/g)) {
    found.push({ specifier: specifier!, typeOnly: type !== undefined });
  }
  // Not the word `import` at the end of a string.
  for (const [, specifier] of code.matchAll(/^\s*import\s*['"]([^'"\n]+)['"]/gm))
    found.push({ specifier: specifier!, typeOnly: false });
  for (const [, type, specifier] of code.matchAll(/(\btypeof\s+)?\bimport\s*\(\s*['"`]([^'"`]+)['"`]/g)) {
    found.push({ specifier: specifier!, typeOnly: type !== undefined });
  }
  for (const [, specifier] of code.matchAll(/new URL\(\s*['"](\.[^'"]+)['"]\s*,\s*import\.meta\.url/g)) {
    found.push({ specifier: specifier!, typeOnly: false });
  }
  return found;
}

/** `./x.ts` seen from `src/a/b.ts` → `src/a/x.ts`; undefined for packages. A `.js` file that is compiled from TypeScript is its source. */
export function resolveImport(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(dirname(from), specifier.replace(/\.js$/, '.ts')) : undefined;
}

/** Comments blanked out, line breaks and strings kept. */
export function withoutComments(source: string): string {
  const token = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|(?<!\\)\/\/[^\n]*/g;
  return source.replace(token, (text, string: string | undefined) => string ?? text.replace(/[^\n]/g, ' '));
}

/** Strings blanked out as well: what is left is code. */
export const codeOnly = (source: string): string =>
  withoutComments(source).replace(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g, (text) =>
    text.replace(/[^\n]/g, ' '),
  );
