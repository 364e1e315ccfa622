/** Bytes of a file to text: UTF-8 and nothing else, and no guesses about what is not. */
import { InputError } from '../core/errors.ts';
import { placedIssue } from './complaints.ts';
import { Source } from './source.ts';

/** Without the byte order mark. Throws InputError with the first bad byte. */
export function decode(bytes: Uint8Array, file: string): string {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw InputError.of('invalid-utf8', `${file}: is UTF-16`, 'save it as UTF-8');
  }
  const text = new TextDecoder().decode(bytes);
  const offset = firstDifference(bytes, new TextEncoder().encode(text));
  if (offset === -1) return text;
  const before = new TextDecoder().decode(bytes.subarray(0, offset)).length;
  const byte = bytes[offset].toString(16).toUpperCase().padStart(2, '0');
  const span = { start: before, end: before + 1 };
  throw new InputError([
    placedIssue(
      new Source(file, text),
      'invalid-utf8',
      span,
      `byte ${offset} (0x${byte}) is not UTF-8`,
      'save the file as UTF-8',
    ),
  ]);
}

/** Where decoding and encoding again changed something; -1 if nowhere. */
function firstDifference(before: Uint8Array, after: Uint8Array): number {
  const hasMark = before[0] === 0xef && before[1] === 0xbb && before[2] === 0xbf;
  const shift = hasMark ? 3 : 0;
  const length = before.length - shift;
  for (let i = 0; i < length; i++) if (before[i + shift] !== after[i]) return i + shift;
  return -1;
}
