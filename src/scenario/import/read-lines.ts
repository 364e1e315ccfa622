/** The lines of a file of any size, packed with gzip or not, in batches: an await for every line would take longer than the line. A line
 *  that never ends costs no more than `maxLine`: it comes cut off, one character longer than allowed, so that it can be told. */
import { InputError } from '../../core/errors.ts';
import { unpacked } from '../csv.ts';
import { printable } from './printable.ts';

/** In characters. Servers refuse requests long before that. */
export const maxLine = 64 * 1024;

export async function* readLines(bytes: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  let isCut = false;
  let count = 0;
  try {
    for await (const piece of await unpacked(bytes)) {
      const batch = (rest + decoder.decode(piece, { stream: true })).split('\n');
      rest = batch.pop()!;
      // What follows a cut, up to the end of its line, belongs to it.
      if (isCut && batch.length > 0) batch[0] = batch[0].slice(0, maxLine + 1);
      isCut = rest.length > maxLine;
      if (isCut) rest = rest.slice(0, maxLine + 1);
      count += batch.length;
      if (batch.length > 0) yield batch;
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
      throw InputError.of('bad-data', `${printable(file, 200)}: the gzip data is damaged after line ${count}`);
    }
    throw error;
  }
  rest += decoder.decode();
  if (rest !== '') yield [rest];
}
