/** `schema`: the JSON Schema of scenario files (draft-07, what editors understand). */
import { exitCodes, type ExitCode } from '../../core/errors.ts';
import { scenarioSchemaText } from '../../scenario/schema.ts';
import type { Terminal } from '../terminal.ts';
import { writeWhole } from '../write.ts';

export async function schema(options: { readonly out?: string }, terminal: Terminal): Promise<ExitCode> {
  const text = scenarioSchemaText();
  if (options.out === undefined) terminal.print(text);
  else await writeWhole(options.out, text);
  return exitCodes.ok;
}
