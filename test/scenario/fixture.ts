/** Scenarios from texts, with data files that exist only in the test. */
import { gzipSync } from 'node:zlib';
import { formatIssues } from '../../src/cli/issues.ts';
import { InputError } from '../../src/core/errors.ts';
import type { Issue } from '../../src/core/issue.ts';
import type { DataFiles } from '../../src/scenario/data-files.ts';
import { parseScenario, type ParseOptions } from '../../src/scenario/parse.ts';
import type { Scenario } from '../../src/scenario/spec.ts';

export type Files = Readonly<Record<string, string | Uint8Array>>;
export type Options = Omit<ParseOptions, 'data'> & { readonly files?: Files };

/** `files` by their names relative to the scenario; those under `outside/` are not in the project. */
export const dataFiles = (files: Files = {}): DataFiles => ({
  resolve: (path) => path.replace(/^\.\//, ''),
  whyUnreadable: (path) => Promise.resolve(Object.hasOwn(files, path) ? null : 'no such file'),
  async *open(path) {
    const content = files[path];
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    // In pieces of an odd size, so that they end anywhere.
    for (let at = 0; at < bytes.length; at += 7) yield await Promise.resolve(bytes.subarray(at, at + 7));
  },
  isInsideProject: (path) => Promise.resolve(!path.startsWith('outside/')),
  resolvePackage: (specifier) => Promise.resolve(specifier === 'known/balancers' ? '/packages/known/balancers.js' : null),
});

export const load = (text: string, { files, ...options }: Options = {}): ReturnType<typeof parseScenario> =>
  parseScenario(text, 'test.yaml', { ...options, data: dataFiles(files) });

export async function scenarioOf(text: string, options?: Options): Promise<Scenario> {
  return (await load(text, options)).scenario;
}

/** All complaints: errors, or the warnings of a good scenario. */
export async function issuesOf(text: string, options?: Options): Promise<readonly Issue[]> {
  try {
    return (await load(text, options)).warnings;
  } catch (error) {
    if (error instanceof InputError) return error.issues;
    throw error;
  }
}

/** What is printed, with a newline in front so that it reads well in a test. */
export async function printed(text: string, options?: Options): Promise<string> {
  return `\n${formatIssues(await issuesOf(text, options), { 'test.yaml': text }, { color: false })}`;
}

/** One line per complaint. */
export const briefly = async (text: string, options?: Options): Promise<string[]> =>
  (await issuesOf(text, options)).map(({ place, severity, message, hint }) =>
    [`${place?.line ?? '-'}:${place?.column ?? '-'} ${severity}: ${message}`, ...(hint === undefined ? [] : [hint])].join('; '),
  );

/** A good scenario with one part replaced: its pieces are lines, so that places are easy to tell. */
export function scenarioText(parts: Readonly<Partial<Record<'run' | 'services' | 'traffic' | 'rest', string>>> = {}): string {
  const {
    run = 'run: { duration: 1m }',
    services = 'services:\n  api: { instances: 3, work: 10ms }',
    traffic = 'traffic:\n  - { to: api, arrivals: { type: poisson, rate: 100/s } }',
    rest = '',
  } = parts;
  return `scenario: 1\nname: test\n${run}\n${services}\n${traffic}\n${rest}`;
}

/** With this `work:`. */
export const workText = (work: string): string => scenarioText({ services: `services:\n  api: { instances: 3, work: ${work} }` });

/** With these `arrivals:`, and the rest of the stream behind them. */
export const arrivalsText = (arrivals: string, rest = ''): string =>
  scenarioText({ traffic: `traffic:\n  - { to: api, arrivals: ${arrivals}${rest} }` });

export const gzip = (text: string): Uint8Array => new Uint8Array(gzipSync(text));
