/** Names and sentences from a scenario file are foreign text. Each kind of output has its own way to make them harmless. */
import { stripVTControlCharacters } from 'node:util';

/** For terminals: no escape sequences, no control characters, no invisible marks that turn the reading direction around. */
export function forTerminal(text: string): string {
  return (
    stripVTControlCharacters(text)
      .replace(/[\t\n\r\v\f\u0085\u2028\u2029]+/g, ' ')
      // C0, DEL, C1, soft hyphen, zero-width and bidirectional marks.
      .replace(/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '')
  );
}

/** For HTML text and attribute values. */
export const forHtml = (text: string): string =>
  withoutControls(text).replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);

/** For one line of Markdown, also inside a table cell: shown literally, no link, no HTML, no formula, no mention. */
export const forMarkdown = (text: string): string =>
  withoutControls(text)
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_[\]|~$]/g, '\\$&')
    .replace(/[&<>@]/g, (character) => `&#${character.charCodeAt(0)};`)
    // These start a heading, a list or a rule, but only at the start of a line.
    .replace(/^[#+=-]/, '\\$&')
    .replace(/^(\d+)([.)])/, '$1\\$2');

/** JSON that may stand inside a script element: cannot close it, cannot open a comment, is valid JavaScript. */
export const forScript = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const withoutControls = (text: string): string =>
  text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');
