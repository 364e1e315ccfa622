/** A parameter that is a list of numbers: "2, 1, 1". */
import { InputError } from '../../../core/errors.ts';

export function numberList(name: string, text: string): number[] {
  if (text.trim() === '') return [];
  return text.split(',').map((part) => {
    const value = Number(part);
    if (part.trim() === '' || !(value >= 0 && value < Infinity)) {
      throw InputError.of('number-list', `${name}: "${part.trim()}" is not a number from 0`, `write ${name}: "2, 1, 1"`);
    }
    return value;
  });
}
