/** Complaints about input on standard error, with the source lines they point at. */
import { readFile } from 'node:fs/promises';
import type { Issue } from '../core/issue.ts';
import { formatIssues } from './issues.ts';
import type { Terminal } from './terminal.ts';

export async function noteIssues(issues: readonly Issue[], terminal: Pick<Terminal, 'note' | 'notes'>): Promise<void> {
  if (issues.length === 0) return;
  const text = formatIssues(issues, await textsOf(issues), terminal.notes);
  terminal.note(text.endsWith('\n') ? text : `${text}\n`);
}

/** The texts of the files that issues point into; a file that cannot be read is shown without its lines. */
async function textsOf(issues: readonly Issue[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const file of new Set(issues.map(({ place }) => place?.file))) {
    if (file === undefined) continue;
    try {
      texts.set(file, await readFile(file, 'utf8'));
    } catch {
      // Removed or renamed meanwhile.
    }
  }
  return texts;
}
