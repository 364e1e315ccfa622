/** JSON that loses nothing of plain data: NaN, the infinities, -0 and typed arrays come back as they were. Keys are sorted, so equal data
 *  gives equal bytes, which makes it fit for hashing and for results that pass through files and queues. Where people read it (run files,
 *  baselines) plain JSON is used instead. A map must not have one of our marks as its only key; scenario keys cannot begin with `$`. */

const NUMBER = '$number';
const arrays = { $f64: Float64Array, $i32: Int32Array, $u32: Uint32Array } as const;

export function exactJson(value: unknown): string {
  if (typeof value === 'number') {
    if (Number.isFinite(value) && !Object.is(value, -0)) return String(value);
    return `{"${NUMBER}":"${Object.is(value, -0) ? '-0' : String(value)}"}`;
  }
  if (value === null || value === undefined) return 'null';
  if (typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(exactJson).join(',')}]`;
  for (const [mark, type] of Object.entries(arrays))
    if (value instanceof type) return `{"${mark}":[${Array.from(value, exactJson).join(',')}]}`;
  // Code-unit order: the same everywhere.
  const keys = Object.keys(value)
    .filter((key) => (value as Record<string, unknown>)[key] !== undefined)
    .sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${exactJson((value as Record<string, unknown>)[key])}`).join(',')}}`;
}

/** Throws SyntaxError for what is not JSON. */
export const parseExactJson = (text: string): unknown =>
  JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const [[key, inner] = ['', undefined], second] = Object.entries(value);
    if (second !== undefined) return value;
    if (key === NUMBER) return Number(inner);
    const type = Object.hasOwn(arrays, key) ? arrays[key as keyof typeof arrays] : undefined;
    return type === undefined || !Array.isArray(inner) ? value : type.from(inner as number[]);
  });
