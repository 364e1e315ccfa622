/** Durations as Go writes them: `90s`, `1m30s`. After golang/go: time/format.go, ParseDuration, as far as manifests use it. */
import { show } from '../../core/quantity.ts';
import type { PastedFile } from './pasted-file.ts';
import type { Found } from './section.ts';

/** As a duration of ours; undefined where it is not there, or after complaints. */
export function goDuration(found: Found | undefined, file: PastedFile): Found | undefined {
  if (found === undefined || found.value === null) return undefined;
  const ms = parseGoDuration(String(found.value));
  if (ms !== undefined) return { ...found, value: `${ms}ms` };
  file.error('bad-duration', found.span, `${found.key}: ${show(found.value)} is not a duration`, 'write 90s or 1m30s');
  return undefined;
}

/** The same where a bare number means seconds. */
export function secondsOrGoDuration(found: Found | undefined, file: PastedFile): Found | undefined {
  const isBare = found !== undefined && /^\d+$/.test(String(found.value));
  return isBare ? { ...found, value: `${String(found.value)}s` } : goDuration(found, file);
}

/** In milliseconds; undefined: it is none. */
function parseGoDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  let ms = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) ms += Number(digits) * units[unit];
  return ms;
}
