/** Compares an answer with what a row expects. Everything expected must be there; an answer may hold more. */

/** Where the two differ, in words. `tolerance` is absolute and applies to numbers; absent, they must be equal. */
export function differences(answer: unknown, expected: unknown, tolerance: unknown, path = ''): readonly string[] {
  if (typeof expected === 'number' && typeof answer === 'number') {
    const allowed = typeof tolerance === 'number' ? tolerance : 0;
    const isClose = answer === expected || Math.abs(answer - expected) <= allowed;
    return isClose ? [] : [`${path || 'answer'} is ${answer}, expected ${expected}`];
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(answer)) return [`${path || 'answer'} is ${show(answer)}, expected ${show(expected)}`];
    if (answer.length !== expected.length) {
      return [
        `${path || 'answer'} has ${answer.length} entries, expected ${expected.length}: ${show(answer)} / ${show(expected)}`,
      ];
    }
    return expected.flatMap((value, index) => differences(answer[index], value, tolerance, `${path}[${index}]`));
  }
  if (isRecord(expected)) {
    if (!isRecord(answer)) return [`${path || 'answer'} is ${show(answer)}, expected ${show(expected)}`];
    return Object.entries(expected).flatMap(([key, value]) =>
      differences(answer[key], value, tolerance, path === '' ? key : `${path}.${key}`),
    );
  }
  return Object.is(answer, expected) ? [] : [`${path || 'answer'} is ${show(answer)}, expected ${show(expected)}`];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
