/** Compares an answer with what a row expects. Everything expected must be there; an answer may hold more. */

/** Where the two differ, in words. A `tolerance` that is a number is absolute and applies to all numbers; absent, they must be
 *  equal. As a list it has one for each entry of the expected list. As a record it may say `relative` for all numbers, and
 *  `latencyAbs` or `latencyRelative` for those whose name begins with `latency`. */
export function differences(answer: unknown, expected: unknown, tolerance: unknown, path = ''): readonly string[] {
  if (typeof expected === 'number' && typeof answer === 'number') {
    const isClose = answer === expected || Math.abs(answer - expected) <= allowance(tolerance, expected, path);
    return isClose ? [] : [`${path || 'answer'} is ${answer}, expected ${expected}`];
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(answer)) return [`${path || 'answer'} is ${show(answer)}, expected ${show(expected)}`];
    if (answer.length !== expected.length) {
      return [
        `${path || 'answer'} has ${answer.length} entries, expected ${expected.length}: ${show(answer)} / ${show(expected)}`,
      ];
    }
    const toleranceOf = (index: number): unknown => (Array.isArray(tolerance) ? tolerance[index] : tolerance);
    return expected.flatMap((value, index) => differences(answer[index], value, toleranceOf(index), `${path}[${index}]`));
  }
  if (isRecord(expected)) {
    if (!isRecord(answer)) return [`${path || 'answer'} is ${show(answer)}, expected ${show(expected)}`];
    return Object.entries(expected).flatMap(([key, value]) =>
      differences(answer[key], value, tolerance, path === '' ? key : `${path}.${key}`),
    );
  }
  return Object.is(answer, expected) ? [] : [`${path || 'answer'} is ${show(answer)}, expected ${show(expected)}`];
}

function allowance(tolerance: unknown, expected: number, path: string): number {
  if (typeof tolerance === 'number') return tolerance;
  if (!isRecord(tolerance)) return 0;
  const name = path.replace(/\[\d+\]/g, '').replace(/^.*\./, '');
  const own = Object.entries(tolerance).find(([key]) => {
    const prefix = key.replace(/(Abs|Relative)$/, '');
    return prefix !== key && name.startsWith(prefix);
  });
  const [key, value] = own ?? ['relative', tolerance.relative];
  if (typeof value !== 'number') return 0;
  return key.endsWith('Abs') ? value : value * Math.abs(expected);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
