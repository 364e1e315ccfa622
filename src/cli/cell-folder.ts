/** Finished cells of sweeps on disk: `cells/<key>.json` in the folder of the result. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CellStore } from '../lab/sweep/run.ts';
import { writeWhole } from './write.ts';

/** Without a folder nothing is kept. */
export function cellFolder(folder: string | undefined): CellStore {
  if (folder === undefined) return { load: () => Promise.resolve(undefined), save: () => Promise.resolve() };
  const fileOf = (key: string): string => join(folder, 'cells', `${key}.json`);
  return {
    async load(key) {
      try {
        return await readFile(fileOf(key), 'utf8');
      } catch {
        return undefined;
      }
    },
    save: (key, text) => writeWhole(fileOf(key), text),
  };
}
