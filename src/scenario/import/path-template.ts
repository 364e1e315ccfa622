/** What kind of request a path stands for: numbers, ids, hashes and dates become `:id`, the query is dropped, static files are grouped by
 *  extension. `/users/42/orders/7f3a9c21` becomes `/users/:id/orders/:id`, `/images/logo-2x.png` becomes `*.png`.
 *
 *  It sees one path at a time, so it fails for ids that look like words (`/users/alice`): each stands for itself. A log of those is better
 *  imported with a class column of its own. */

/** The path alone: without scheme and host, query, fragment and path parameters. */
export function pathOf(target: string): string {
  let from = 0;
  if (target.charCodeAt(0) !== slash) {
    const scheme = /^[a-z][a-z0-9+.-]{0,20}:\/\//i.exec(target);
    if (scheme !== null) from = target.indexOf('/', scheme[0].length);
    if (from === -1) return '/';
  }
  let end = from;
  while (end < target.length) {
    const code = target.charCodeAt(end);
    if (code === questionMark || code === hash || code === semicolon) break;
    end++;
  }
  return target.slice(from, end);
}

const slash = 0x2f;
const questionMark = 0x3f;
const hash = 0x23;
const semicolon = 0x3b;

export function pathTemplate(path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '');
  if (segments.length === 0) return '/';
  const last = segments.length - 1;
  const [, stem, extension] = /^(.+)\.([A-Za-z0-9]{1,5})$/.exec(segments[last]) ?? [];
  if (extension !== undefined && staticFiles.has(extension.toLowerCase())) return `*.${extension.toLowerCase()}`;
  const templates = segments.slice(0, maxDepth).map((segment, index) => {
    // A number behind the point is no extension: 1.2.3, 10.0.0.1. Nor is the end of an address.
    if (index === last && stem !== undefined && !/^\d+$/.test(extension) && !stem.includes('@'))
      return `${segmentTemplate(stem)}.${extension}`;
    return segmentTemplate(segment);
  });
  return `/${templates.join('/')}${segments.length > maxDepth ? '/*' : ''}`;
}

const maxDepth = 6;
const longestWord = 48;

function segmentTemplate(segment: string): string {
  if (/^v\d{1,3}(\.\d{1,3})*$/i.test(segment)) return segment;
  if (isId(segment)) return ':id';
  // `order-10042`, `user42`: the word stays. One digit without a sign between belongs to the word, as in http2.
  const [, word] = /^([A-Za-z][A-Za-z_.-]*?)(?:[-_.]\d+|\d{2,})$/.exec(segment) ?? [];
  if (word === undefined) return segment;
  const sign = segment[word.length];
  return /\d/.test(sign) ? `${word}:id` : `${word}${sign}:id`;
}

const isId = (segment: string): boolean =>
  segment.length > longestWord ||
  segment.includes('@') ||
  // Numbers, dates, addresses.
  /^[\d.,:_-]*\d[\d.,:_-]*$/.test(segment) ||
  (/^[0-9a-f]{8,}$/i.test(segment) && /\d/.test(segment)) ||
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(segment) ||
  segment.split(/[-_.~]/).some(isToken);

/** Letters and digits mixed, too long for a word. */
const isToken = (word: string): boolean => word.length >= 12 && /\d.*\d/.test(word) && /[A-Za-z]/.test(word);

const staticFiles: ReadonlySet<string> = new Set(
  (
    'css js mjs map png jpg jpeg gif svg ico webp avif bmp tif tiff woff woff2 ttf otf eot mp3 mp4 m4a m4v webm ogg wav avi mov ' +
    'pdf zip gz tgz bz2 xz tar 7z rar jar exe dmg iso deb rpm apk swf wasm'
  ).split(' '),
);
