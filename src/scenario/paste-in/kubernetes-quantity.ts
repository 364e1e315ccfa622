/** Quantities of Kubernetes: `500m`, `1.5`, `2k`, `128Mi`, `12e3`. After kubernetes/apimachinery: pkg/api/resource/quantity.go. */
import type { Scalar } from '../node.ts';
import type { PastedFile } from './pasted-file.ts';
import type { Found } from './section.ts';

/** undefined: it is none. */
export function parseQuantity(written: Scalar): number | undefined {
  const match = /^\+?(\d+\.?\d*|\.\d+)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/.exec(String(written).trim());
  if (match === null) return undefined;
  const [, digits, suffix, exponent] = match as readonly (string | undefined)[];
  if (suffix?.endsWith('i') === true) return Number(digits) * 1024 ** ('KMGTPE'.indexOf(suffix[0]) + 1);
  // The point is moved in the text, which rounds once.
  return Number(`${digits}e${exponent ?? (suffix === undefined ? 0 : exponents[suffix])}`);
}

const exponents: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** As a plain number; undefined where it is not there, or after complaints. */
export function quantity(found: Found | undefined, file: PastedFile): (Found & { readonly value: number }) | undefined {
  if (found === undefined || found.value === null) return undefined;
  const value = parseQuantity(found.value);
  if (value !== undefined) return { ...found, value };
  file.error(
    'bad-quantity',
    found.span,
    `${found.key}: ${JSON.stringify(found.value)} is not a quantity`,
    'write 500m, 2 or 128Mi',
  );
  return undefined;
}

/** Seconds, as a duration of ours. */
export const seconds = (found: Found | undefined): Found | undefined =>
  found === undefined || found.value === null ? undefined : { ...found, value: `${String(found.value)}s` };
