/** Which column of a table means what: told by `--column time=ts,duration=latency_ms`, else by its name. Units are told by the ending of a
 *  name (`_ms`, `_us`, `_seconds`), by the names that nginx gives its variables (`request_time` is in seconds), or after a colon
 *  (`duration=latency:s`); a bare duration is in milliseconds. */
import { InputError } from '../../core/errors.ts';
import { isProblem, parseDuration } from '../../core/quantity.ts';
import { suggest } from '../../core/suggest.ts';
import type { Ms } from '../../core/time.ts';
import { outcomeOfStatus, readRequestLine, type AccessRecord } from './access-record.ts';
import type { LocalZone } from './local-zone.ts';
import { printable, quoted } from './printable.ts';
import { anyTime, type StampReader } from './timestamps.ts';

/** The names a column may go by, without its unit; of several in one table the earlier one counts. */
const aliases = {
  time: 'time timestamp ts @timestamp start_time datetime date event_time time_local time_iso8601 msec epoch at',
  duration:
    'duration latency elapsed response_time service_time service work request_time upstream_response_time time_taken total_time processing_time took rt',
  upstream: 'upstream_service_time x_envoy_upstream_service_time',
  method: 'method request_method http_method verb',
  path: 'path x_envoy_original_path url uri request_uri request_path target endpoint route',
  request: 'request request_line',
  status: 'status status_code response_code http_status http_status_code code sc_status',
  flags: 'response_flags',
  session: 'session session_id sid user_id user',
  client: 'client client_ip x_forwarded_for remote_addr remote_ip downstream_remote_address ip',
  agent: 'user_agent http_user_agent agent',
  key: 'key cache_key shard_key partition_key',
  class: 'class request_class operation',
} as const;
export type Role = keyof typeof aliases;
const roles = Object.keys(aliases) as readonly Role[];

/** What nginx calls the instant at which it writes the line: the end of the request. */
const endTimes = ['time_local', 'time_iso8601', 'msec'];
const inSeconds = ['request_time', 'upstream_response_time'];

const msPerUnit = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000 } as const;
type Unit = keyof typeof msPerUnit;
const unitEndings: readonly (readonly [RegExp, Unit])[] = [
  [/_(ns|nanos|nanoseconds)$/, 'ns'],
  [/_(us|micros|microseconds|usec)$/, 'us'],
  [/_(ms|millis|milliseconds|msec)$/, 'ms'],
  [/_(s|sec|secs|seconds)$/, 's'],
];

/** The user's word on it. */
export type ColumnChoice = { readonly [Name in Role]?: { readonly column: string; readonly unit?: Unit } };

/** Reads `time=ts,duration=latency:s`. */
export function parseColumns(texts: readonly string[]): ColumnChoice {
  const choice: { [Name in Role]?: { readonly column: string; readonly unit?: Unit } } = {};
  for (const part of texts.flatMap((text) => text.split(','))) {
    const [, role = '', column = '', unit] = /^\s*([a-z]+)\s*=\s*(.+?)(?::(ns|us|ms|s|m))?\s*$/.exec(part) ?? [];
    if (!(roles as readonly string[]).includes(role) || column === '') {
      const meant = suggest(role, roles);
      throw InputError.of(
        'bad-column',
        `--column: ${quoted(part)} names no column`,
        `${meant === undefined ? '' : `did you mean ${meant}? `}write ${'time=ts,duration=latency_ms'}; known are ${roles.join(', ')}`,
      );
    }
    choice[role as Role] = { column, ...(unit === undefined ? {} : { unit: unit as Unit }) };
  }
  return choice;
}

/** What a column means. */
export interface Meaning {
  /** Index into the values that `fill` takes. */
  readonly slot: number;
  /** Of several columns with one meaning the one of lowest rank counts. */
  readonly rank: number;
}

export class Columns {
  declare private readonly choice: ColumnChoice;
  declare private readonly zone: LocalZone;
  declare private readonly units: Map<string, number | undefined>;
  declare private readTime: StampReader | undefined;
  declare private timeName: string;
  declare private isEnd: boolean;

  constructor(choice: ColumnChoice, zone: LocalZone) {
    this.choice = choice;
    this.zone = zone;
    this.units = new Map();
    this.readTime = undefined;
    this.timeName = '';
    this.isEnd = false;
  }

  /** Undefined for a column that means nothing to us. */
  meaningOf(name: string): Meaning | undefined {
    for (const [slot, role] of roles.entries()) if (this.choice[role]?.column === name) return { slot, rank: -1 };
    const plain = plainName(name);
    for (const [slot, role] of roles.entries()) {
      if (this.choice[role] !== undefined) continue;
      const rank = aliases[role].split(' ').indexOf(plain);
      if (rank !== -1) return { slot, rank };
    }
    return undefined;
  }

  /** The user's columns that are not among these. */
  missing(names: readonly string[]): string[] {
    return roles.flatMap((role) => {
      const column = this.choice[role]?.column;
      return column === undefined || names.includes(column) ? [] : [column];
    });
  }

  /** From the texts of one line, by slot, and the names of the columns they came from. */
  fill(values: readonly string[], names: readonly string[], record: AccessRecord): true | string {
    const time = values[slots.time];
    if (time === '') return 'it has no time';
    if (this.readTime === undefined || names[slots.time] !== this.timeName) this.openTime(names[slots.time]);
    record.timeMs = this.readTime!(time);
    if (!Number.isFinite(record.timeMs)) return `the time ${quoted(time, 40)} cannot be read`;
    record.isEnd = this.isEnd;
    const duration = this.duration('duration', values[slots.duration], names[slots.duration]);
    if (typeof duration === 'string') return duration;
    const upstream = this.duration('upstream', values[slots.upstream], names[slots.upstream]);
    if (typeof upstream === 'string') return upstream;
    record.durationMs = Number.isNaN(upstream) ? duration : upstream;
    const status = values[slots.status];
    const isEmpty = status === '' || status === '-' || status === 'null';
    if (!isEmpty && !/^(-1|\d{1,3})$/.test(status)) return `the status ${quoted(status, 20)} is no number of three digits`;
    record.status = isEmpty ? 0 : Math.max(0, Number(status));
    record.outcome = outcomeOfStatus(record.status);
    if (values[slots.request] === '') {
      record.method = values[slots.method];
      record.target = values[slots.path];
    } else readRequestLine(values[slots.request], record);
    record.session = values[slots.session];
    record.client = values[slots.client];
    record.agent = values[slots.agent];
    record.key = values[slots.key];
    record.className = values[slots.class];
    return true;
  }

  private openTime(name: string): void {
    this.timeName = name;
    this.readTime = anyTime(this.zone, this.unitOf('time', name));
    this.isEnd = endTimes.includes(plainName(name));
  }

  /** NaN where the line has none. */
  private duration(role: Role, text: string, name: string): Ms | string {
    if (text === '' || text === '-' || text === 'null') return NaN;
    // Nobody lists that many upstreams, and the pattern below need not be fast.
    if (text.length > 500) return `the duration ${quoted(text, 40)} is no time`;
    const factor = this.unitOf(role, name) ?? 1;
    let sum = 0;
    // nginx writes one time per upstream it tried: `0.012, 0.034 : 0.005`.
    for (const part of text.split(/[,:]\s*|\s+:\s+/)) {
      if (part === '-' || part === '') continue;
      const reading = /^\d+(\.\d+)?([eE][+-]?\d{1,2})?$/.test(part)
        ? { value: Number((Number(part) * factor).toPrecision(15)) }
        : parseDuration(part);
      if (isProblem(reading)) return `the duration ${quoted(text, 40)} is no time`;
      sum += reading.value;
    }
    return sum;
  }

  private unitOf(role: Role, name: string): number | undefined {
    if (this.units.has(name)) return this.units.get(name);
    const chosen = this.choice[role]?.unit;
    const ending = unitEndings.find(([pattern]) => pattern.test(slug(name)))?.[1];
    const unit = chosen ?? ending ?? (inSeconds.includes(slug(name)) ? 's' : undefined);
    const factor = unit === undefined ? undefined : msPerUnit[unit];
    this.units.set(name, factor);
    return factor;
  }
}

export const slots = Object.fromEntries(roles.map((role, slot) => [role, slot])) as Readonly<Record<Role, number>>;
export const slotCount = roles.length;

export const noSuchColumns = (missing: readonly string[], names: readonly string[], file: string): InputError =>
  InputError.of(
    'unknown-column',
    `${printable(file, 200)}: there is no column ${missing.map((name) => quoted(name, 40)).join(' and ')}`,
    `its columns are ${names
      .slice(0, 20)
      .map((name) => quoted(name, 40))
      .join(', ')}`,
  );

const slug = (name: string): string =>
  name
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/^:/, '')
    .replace(/[^a-z0-9@]+/g, '_');

/** Without its unit. */
function plainName(name: string): string {
  const text = slug(name);
  const ending = unitEndings.find(([pattern]) => pattern.test(text));
  return ending === undefined ? text : text.replace(ending[0], '');
}
