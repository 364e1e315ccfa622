/** Long labels of variants lose their middle where space is short, since what tells them apart stands at either end: as much of it as
 *  leaves them different. */

const widths = [23, 31, 39, 47];

/** The same labels, shortened; undefined when none of them gets shorter that way, or they would no longer differ. */
export function shortLabels(labels: readonly string[]): string[] | undefined {
  const different = new Set(labels).size;
  for (const width of widths) {
    const cut = labels.map((label) => withoutMiddle(label, width));
    if (new Set(cut).size === different) return cut.some((each, index) => each !== labels[index]) ? cut : undefined;
  }
  return undefined;
}

function withoutMiddle(label: string, width: number): string {
  const half = (width - 1) / 2;
  return label.length <= width ? label : `${label.slice(0, half)}…${label.slice(-half)}`;
}
