/** What a pasted configuration asks for, as it is collected: one balancer with its parameters, and perhaps one around it. Balancers that
 *  go around another one take it with its defaults, so what differs from them is reported when that happens. */
import type { ParamAny, ParamSpecs, ScalarParam, SetParam } from '../../core/params.ts';
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
  readonly written: Readonly<Record<string, Scalar>>;
  readonly values: Readonly<Record<string, ParamAny>>;
}

export class Draft {
  readonly #file: PastedFile;
  readonly #use: string;
  readonly #settings: Setting[] = [];
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

  /** Puts it inside another balancer because of `key`; there is room for one. */
  wrap(use: string, key: string, span: Span, found: Readonly<Record<string, Found | undefined>>): void {
    if (this.#around !== undefined) {
      this.#file.warn('not-read', span, `${key} is not read here: it does not combine with ${this.#around.key}`);
      return;
    }
    const settings = Object.entries(found).flatMap(([param, each]) =>
      each === undefined || each.value === null ? [] : [{ param, ...each }],
    );
    this.#around = { use, key, settings };
  }

  /** Undefined after complaints. */
  settle(table: Readonly<Record<string, { readonly params: ParamSpecs }>>, readParam: ReadParam): Settled | undefined {
    const inner = this.#read(this.#settings, table[this.#use].params, readParam);
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

  #read(settings: readonly Setting[], params: ParamSpecs, readParam: ReadParam): Omit<Settled, 'use'> | undefined {
    const values: Record<string, ParamAny> = {};
    const written: Record<string, Scalar> = {};
    let isGood = true;
    for (const { param, key, value, span } of settings) {
      // JSON keeps 64-bit numbers in quotes.
      const isNumber = params[param].type === 'int' && typeof value === 'string' && /^\d{1,15}$/.test(value);
      // None of those that a file sets is a list.
      const reading = readParam(params[param] as ScalarParam, isNumber ? Number(value) : value);
      if ('problem' in reading) this.#file.error('bad-parameter', span, `${key}: ${reading.problem}`, reading.hint);
      else {
        values[param] = reading.value;
        written[param] = value;
      }
      isGood &&= !('problem' in reading);
    }
    return isGood ? { values, written } : undefined;
  }
}
