/** How wide a text will be, without a canvas: advance widths of DejaVu Sans, the widest of the usual sans-serif faces, so that nothing
 *  laid out with them overlaps in Arial or Liberation. Equal on every machine, unlike measuring with the fonts at hand. */

export function textWidth(text: string, fontSize: number, bold = false): number {
  const table = bold ? boldWidths : regularWidths;
  let thousandths = 0;
  for (const character of text) thousandths += characterWidth(character.codePointAt(0)!, table);
  return (thousandths * fontSize) / 1000;
}

/** Breaks a text at spaces into lines no wider than `width`. */
export function wrapToWidth(text: string, width: number, fontSize: number, bold = false): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(`${last} ${word}`, fontSize, bold) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function characterWidth(code: number, table: readonly number[]): number {
  if (code >= 32 && code < 127) return table[code - 32]!;
  if (code < 32 || (code >= 0x300 && code < 0x370)) return 0;
  // Latin, Greek and Cyrillic with their signs; then scripts and symbols that fill a square.
  return code < 0x1100 ? 750 : 1000;
}

/** In thousandths of the font size, from space to tilde. */
// prettier-ignore
const regularWidths: readonly number[] = [
  318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337,
  838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989,
  685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521,
  392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];
// prettier-ignore
const boldWidths: readonly number[] = [
  348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696, 696, 696, 696, 696, 696, 696, 696, 400, 400,
  838, 838, 838, 580, 1000, 774, 762, 734, 830, 683, 683, 821, 837, 372, 372, 775, 637, 995, 837, 850, 733, 850, 770, 720, 682, 812, 774,
  1103, 771, 724, 725, 457, 365, 457, 838, 500, 500, 675, 716, 593, 716, 678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687, 716, 716,
  493, 595, 478, 712, 652, 924, 645, 652, 582, 712, 365, 712, 838,
];
