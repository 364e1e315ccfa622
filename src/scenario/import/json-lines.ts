/** One JSON object per line, its keys taken as columns; and Envoy's JSON access log, which is the same with keys that Envoy's operators
 *  suggest (`start_time`, `response_code`, `response_flags`, `upstream_service_time`). A key within another object is named with a dot:
 *  `--column path=http.request.path`. */
import type { AccessRecord, LineReader } from './access-record.ts';
import { Columns, slotCount, slots, type ColumnChoice, type Meaning } from './columns.ts';
import { envoyDuration, envoyOutcome } from './envoy.ts';
import type { LocalZone } from './local-zone.ts';

export function jsonReader(zone: LocalZone, choice: ColumnChoice): LineReader {
  const read = objectReader(zone, choice);
  return (line, record) => {
    const values = read(line, record);
    return typeof values === 'string' ? values : true;
  };
}

export function envoyJsonReader(zone: LocalZone, choice: ColumnChoice): LineReader {
  const read = objectReader(zone, choice);
  return (line, record) => {
    const values = read(line, record);
    if (typeof values === 'string') return values;
    const flags = values[slots.flags];
    if (flags === '' && !line.includes('"response_code"')) return 'it has neither response_code nor response_flags';
    record.outcome = envoyOutcome(record.status, flags);
    record.durationMs = envoyDuration(values[slots.duration], values[slots.upstream], flags);
    record.client = record.client.split(',', 1)[0];
    return true;
  };
}

/** Fills the record and returns the texts by slot, or says why not. */
function objectReader(zone: LocalZone, choice: ColumnChoice): (line: string, record: AccessRecord) => readonly string[] | string {
  const columns = new Columns(choice, zone);
  const meanings = new Map<string, Meaning | null>();
  const dotted = Object.values(choice).flatMap(({ column }) => (column.includes('.') ? [column] : []));
  const values: string[] = Array(slotCount).fill('');
  const names: string[] = Array(slotCount).fill('');
  const ranks: number[] = Array(slotCount).fill(Infinity);

  const take = (name: string, found: unknown): void => {
    let meaning = meanings.get(name);
    if (meaning === undefined) {
      meaning = columns.meaningOf(name) ?? null;
      // Keys may be invented by whoever sends the requests.
      if (meanings.size < 1000) meanings.set(name, meaning);
    }
    if (meaning === null || found === null || meaning.rank >= ranks[meaning.slot]) return;
    if (typeof found !== 'string' && typeof found !== 'number' && typeof found !== 'boolean') return;
    const { slot, rank } = meaning;
    if (found === '-' && values[slot] !== '') return;
    ranks[slot] = rank;
    values[slot] = String(found);
    names[slot] = name;
  };

  return (line, record) => {
    if (line[0] !== '{') return 'expected a JSON object';
    let object: Readonly<Record<string, unknown>>;
    try {
      object = JSON.parse(line) as Readonly<Record<string, unknown>>;
    } catch {
      return 'it is not valid JSON';
    }
    values.fill('');
    names.fill('');
    ranks.fill(Infinity);
    for (const name of Object.keys(object)) take(name, object[name]);
    for (const name of dotted) if (!Object.hasOwn(object, name)) take(name, within(object, name.split('.')));
    const filled = columns.fill(values, names, record);
    return filled === true ? values : filled;
  };
}

const within = (object: unknown, [key, ...rest]: readonly string[]): unknown =>
  key === undefined
    ? object
    : typeof object === 'object' && object !== null && Object.hasOwn(object, key)
      ? within((object as Readonly<Record<string, unknown>>)[key], rest)
      : null;
