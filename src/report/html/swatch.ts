/** A short line in a variant's colour and dash, to stand before its name. */
import type { VariantLook } from '../charts/palette.ts';

export const swatch = ({ color, dash }: VariantLook): string =>
  `<svg class="swatch" width="22" height="8" aria-hidden="true"><line x1="1" y1="4" x2="21" y2="4" stroke="${color}" stroke-width="3"${
    dash.at(-1) === 0 ? '' : ` stroke-dasharray="${dash.join(' ')}"`
  }></line></svg>`;
