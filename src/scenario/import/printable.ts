/** Text from a log is written by whoever sent the requests. It reaches a terminal, a scenario or a trace only through here. */

/** For one line on a terminal: printable ASCII as it is, everything else as an escape, cut to `length`. */
export function printable(text: string, length = 80): string {
  const cut = text.length > length ? `${text.slice(0, length - 3)}...` : text;
  return cut.replace(/[^\x20-\x7e]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** In quotes. */
export const quoted = (text: string, length?: number): string => `"${printable(text, length)}"`;

/** For the name of a class: letters, digits and the few signs that paths need. None of them means anything to YAML within quotes, to a
 *  spreadsheet, to HTML or to a shell within quotes. A name starts with a letter, a digit, `*` or `/`, so that it is no formula. */
export function className(text: string): string {
  const plain = text
    .replace(/[^A-Za-z0-9 ./:_*~-]+/g, '_')
    .replace(/\s+/g, ' ')
    .trim();
  const name = plain.length > maxClassName ? `${plain.slice(0, maxClassName - 1)}*` : plain;
  return /^[A-Za-z0-9*/]/.test(name) ? name : `class ${name}`.trim().slice(0, maxClassName);
}
const maxClassName = 64;

/** For names of scenarios and folders. */
export function plainName(text: string): string {
  const slug = text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
    .slice(0, 48);
  return slug === '' || /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(slug) ? `log-${slug}`.replace(/-$/, '') : slug;
}
