/** What a pasted configuration asks for, as it is collected: one policy with its parameters, and perhaps a balancer around it. Balancers that
 *  go around another one take it with its defaults, so what differs from them is reported when that happens. */
import {
  complete,
  type FieldSpecs,
  type ParamAny,
  type ParamRecord,
  type ParamSpecs,
  type RecordsParam,
  type ScalarParam,
  type SetParam,
} from '../../core/params.ts';
import type { Scalar, Span } from '../node.ts';
import type { PastedFile } from './pasted-file.ts';
import type { Found } from './section.ts';

/** Reads a parameter as a scenario's, complains like it. */
export type ReadParam = (
  param: ScalarParam | SetParam,
  found: unknown,
) => { readonly value: ParamAny } | { readonly problem: string; readonly hint?: string };

interface Setting extends Found {
  readonly param: string;
}

export interface Settled {
  readonly use: string;
  /** As one would write them in a scenario. */
  readonly written: Readonly<Record<string, Scalar | readonly Readonly<Record<string, Scalar>>[]>>;
  readonly values: Readonly<Record<string, ParamAny>>;
}

/** An entry of a parameter that is a list. */
interface Entry {
  readonly param: string;
  readonly settings: readonly Setting[];
}

export class Draft {
  readonly #file: PastedFile;
  readonly #use: string;
  readonly #settings: Setting[] = [];
  readonly #entries: Entry[] = [];
  readonly #empty = new Set<string>();
  #around: { readonly use: string; readonly key: string; readonly settings: readonly Setting[] } | undefined;

  constructor(use: string, file: PastedFile) {
    this.#use = use;
    this.#file = file;
  }

  get use(): string {
    return this.#use;
  }

  /** A parameter, if it was found. */
  set(param: string, found: Found | undefined): this {
    if (found !== undefined && found.value !== null) this.#settings.push({ param, ...found });
    return this;
  }

  /** A parameter that is a list of records and has none but those that are added, even if that is not one. */
  clear(param: string): this {
    this.#empty.add(param);
    return this;
  }

  /** An entry for a parameter that is a list of records, with those of its fields that were found. */
  add(param: string, fields: Readonly<Record<string, Found | undefined>>): this {
    this.#entries.push({ param, settings: foundIn(fields) });
    return this;
  }

  /** Puts it inside another balancer because of `key`; there is room for one. */
  wrap(use: string, key: string, span: Span, found: Readonly<Record<string, Found | undefined>>): void {
    if (this.#around !== undefined) {
      this.#file.warn('not-read', span, `${key} is not read here: it does not combine with ${this.#around.key}`);
      return;
    }
    this.#around = { use, key, settings: foundIn(found) };
  }

  /** Undefined after complaints. */
  settle(table: Readonly<Record<string, { readonly params: ParamSpecs }>>, readParam: ReadParam): Settled | undefined {
    const { params } = table[this.#use];
    const own = this.#read(this.#settings, params, readParam);
    const lists = this.#readLists(params, readParam);
    const inner = own && lists && { values: { ...own.values, ...lists.values }, written: { ...own.written, ...lists.written } };
    const around = this.#around;
    if (around === undefined || inner === undefined) return inner && { use: this.#use, ...inner };
    const outer = this.#read(around.settings, table[around.use].params, readParam);
    if (outer === undefined) return undefined;
    for (const { param, key, span } of this.#settings) {
      const { default: usual } = table[this.#use].params[param];
      if (inner.values[param] === usual) continue;
      this.#file.warn(
        'not-read',
        span,
        `${key} does not combine with ${around.key} here: ${this.#use} has its default, ${String(usual)}`,
      );
    }
    return {
      use: around.use,
      written: { ...outer.written, inner: this.#use },
      values: { ...outer.values, inner: this.#use },
    };
  }

  #readLists(params: ParamSpecs, readParam: ReadParam): Omit<Settled, 'use'> | undefined {
    const values: Record<string, ParamRecord[]> = Object.fromEntries([...this.#empty].map((param) => [param, []]));
    const written: Record<string, Readonly<Record<string, Scalar>>[]> = {};
    let isGood = true;
    for (const { param, settings } of this.#entries) {
      const { fields } = params[param] as RecordsParam;
      const read = this.#read(settings, fields, readParam);
      isGood &&= read !== undefined;
      if (read === undefined) continue;
      (values[param] ??= []).push(complete<FieldSpecs>(fields, read.values));
      (written[param] ??= []).push(read.written);
    }
    return isGood ? { values, written } : undefined;
  }

  #read(
    settings: readonly Setting[],
    params: ParamSpecs,
    readParam: ReadParam,
  ):
    | { readonly values: Readonly<Record<string, ParamRecord[string]>>; readonly written: Readonly<Record<string, Scalar>> }
    | undefined {
    const values: Record<string, ParamRecord[string]> = {};
    const written: Record<string, Scalar> = {};
    let isGood = true;
    for (const { param, key, value, span } of settings) {
      const spec = params[param] as ScalarParam;
      // JSON keeps 64-bit numbers in quotes.
      const isNumber = spec.type === 'int' && typeof value === 'string' && /^\d{1,15}$/.test(value);
      const reading = readParam(spec, isNumber ? Number(value) : value);
      if ('problem' in reading) this.#file.error('bad-parameter', span, `${key}: ${reading.problem}`, reading.hint);
      else {
        values[param] = reading.value as ParamRecord[string];
        written[param] = value;
      }
      isGood &&= !('problem' in reading);
    }
    return isGood ? { values, written } : undefined;
  }
}

const foundIn = (found: Readonly<Record<string, Found | undefined>>): readonly Setting[] =>
  Object.entries(found).flatMap(([param, each]) => (each === undefined || each.value === null ? [] : [{ param, ...each }]));
