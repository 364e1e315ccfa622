/** Conditions on a measured value, as people write them: `result >= 0.95`, `result[0] < 1.5 * control && result < 800`. `control` is the same
 *  metric of the version that serves now.
 *
 *  Numbers, `result`, `control`, + − * /, comparisons, `!`, `&&`, `||` and parentheses; the language of Argo Rollouts' conditions as far as it is about
 *  one number. */
import { InputError } from '../../../core/errors.ts';

export interface Measured {
  readonly result: number;
  /** Undefined if it cannot be read. */
  readonly control: number | undefined;
}

export interface Condition {
  /** Whether it speaks of `control`. */
  readonly needsControl: boolean;
  holds(measured: Measured): boolean;
}

/** Undefined for an empty text: no condition. */
export function parseCondition(text: string, name: string): Condition | undefined {
  if (text.trim() === '') return undefined;
  const tokens: readonly string[] =
    text.match(/\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|result(?:\[0\])?|control|<=|>=|==|!=|&&|\|\||[-+*/()<>!]|\S/g) ?? [];
  const parser = new Parser(tokens, `${name}: ${JSON.stringify(text)}`);
  const evaluate = parser.whole();
  return {
    needsControl: tokens.includes('control'),
    holds: ({ result, control }) => evaluate({ result, control: control ?? Number.NaN }) === true,
  };
}

type Value = number | boolean;
type Evaluate = (variables: { readonly result: number; readonly control: number }) => Value;

/** By rising precedence; each level is left-associative. */
const levels: readonly (readonly string[])[] = [['||'], ['&&'], ['==', '!=', '<', '<=', '>', '>='], ['+', '-'], ['*', '/']];

class Parser {
  readonly #tokens: readonly string[];
  readonly #shown: string;
  #at = 0;

  constructor(tokens: readonly string[], shown: string) {
    this.#tokens = tokens;
    this.#shown = shown;
  }

  whole(): Evaluate {
    const { evaluate, isTruth } = this.#level(0);
    if (this.#at < this.#tokens.length) this.#refuse(`cannot go on at ${JSON.stringify(this.#tokens[this.#at])}`);
    if (!isTruth) this.#refuse('is a number; a condition must be true or false');
    return evaluate;
  }

  #level(level: number): { readonly evaluate: Evaluate; readonly isTruth: boolean } {
    if (level === levels.length) return this.#unary();
    let left = this.#level(level + 1);
    while (levels[level].includes(this.#tokens[this.#at])) {
      const operator = this.#tokens[this.#at++];
      const right = this.#level(level + 1);
      const needsTruth = level < 2;
      if (left.isTruth !== needsTruth || right.isTruth !== needsTruth)
        this.#refuse(`has ${operator} between what is not ${needsTruth ? 'true or false' : 'a number'}`);
      const [one, other] = [left.evaluate, right.evaluate];
      const apply = operators[operator];
      left = { evaluate: (variables) => apply(one(variables), other(variables)), isTruth: level <= 2 };
    }
    return left;
  }

  #unary(): { readonly evaluate: Evaluate; readonly isTruth: boolean } {
    const token = this.#tokens[this.#at++];
    if (token === '(') {
      const inner = this.#level(0);
      if (this.#tokens[this.#at++] !== ')') this.#refuse('lacks a closing parenthesis');
      return inner;
    }
    if (token === '!' || token === '-') {
      const { evaluate, isTruth } = this.#unary();
      if (isTruth !== (token === '!')) this.#refuse(`has ${token} before what it does not apply to`);
      return {
        evaluate: token === '!' ? (variables) => evaluate(variables) !== true : (variables) => -(evaluate(variables) as number),
        isTruth,
      };
    }
    if (token?.startsWith('result')) return { evaluate: ({ result }) => result, isTruth: false };
    if (token === 'control') return { evaluate: ({ control }) => control, isTruth: false };
    const number = Number(token ?? Number.NaN);
    if (token === undefined || Number.isNaN(number))
      this.#refuse(
        token === undefined ? 'ends too early' : `has ${JSON.stringify(token)}, which is no number, result or control`,
      );
    return { evaluate: () => number, isTruth: false };
  }

  #refuse(why: string): never {
    throw InputError.of('bad-value', `${this.#shown} ${why}`, 'conditions look like result >= 0.95 or result < 1.5 * control');
  }
}

const numeric =
  (apply: (a: number, b: number) => Value): ((a: Value, b: Value) => Value) =>
  (a, b) =>
    apply(a as number, b as number);

const operators: Readonly<Record<string, (a: Value, b: Value) => Value>> = {
  '||': (a, b) => a === true || b === true,
  '&&': (a, b) => a === true && b === true,
  '==': numeric((a, b) => a === b),
  '!=': numeric((a, b) => a !== b),
  '<': numeric((a, b) => a < b),
  '<=': numeric((a, b) => a <= b),
  '>': numeric((a, b) => a > b),
  '>=': numeric((a, b) => a >= b),
  '+': numeric((a, b) => a + b),
  '-': numeric((a, b) => a - b),
  '*': numeric((a, b) => a * b),
  '/': numeric((a, b) => a / b),
};
