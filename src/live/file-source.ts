/** Endpoints listed in a file that somebody else writes: one URL a line (`#` begins a comment), or JSON: a list of URLs, or the form of
 *  Prometheus's file_sd_configs, `[{ "targets": ["10.0.0.1:8080"] }]`.
 *
 *  Changes are noticed by watching the folder, because whoever writes such files best moves a new one into its place. Folders that cannot be
 *  watched (some network file systems) are served by the client's refresh interval. A file that is not there or cannot be read leaves the
 *  client with its last list. */
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { DiscoverySource } from './discovery-source.ts';
import { originIn } from './origin.ts';

/** `scheme` is that of targets written without one. */
export const fileSource = (path: string, scheme: 'http' | 'https' = 'http'): DiscoverySource => ({
  async ask(_question, signal) {
    const members = endpointsIn(await readFile(path, { encoding: 'utf8', signal }), scheme);
    return members === undefined ? 'unreachable' : { members };
  },
  watch(onChange) {
    const name = basename(path);
    try {
      const watcher = watch(dirname(path), { persistent: false }, (_event, changed) => {
        if (changed === null || changed === name) onChange();
      });
      watcher.on('error', () => undefined);
      return () => watcher.close();
    } catch {
      return () => undefined;
    }
  },
});

/** Undefined for what is no list of endpoints: half a file is worse than the one before. */
export function endpointsIn(text: string, scheme: 'http' | 'https' = 'http'): readonly string[] | undefined {
  const targets = /^\s*\[/.test(text) ? targetsOfJson(text) : targetsOfLines(text);
  const origins = targets?.map((target) => originIn(target.includes('://') ? target : `${scheme}://${target}`));
  return origins?.every((origin) => origin !== undefined) === true ? origins : undefined;
}

const targetsOfLines = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*/, '').trim())
    .filter((line) => line !== '');

function targetsOfJson(text: string): readonly string[] | undefined {
  const list = parsed(text);
  if (!Array.isArray(list)) return undefined;
  const targets = list.flatMap((item: unknown) => (isGroup(item) ? item.targets : [item]));
  return targets.every((target) => typeof target === 'string') ? targets : undefined;
}

const isGroup = (item: unknown): item is { readonly targets: readonly unknown[] } =>
  typeof item === 'object' && item !== null && 'targets' in item && Array.isArray(item.targets);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
