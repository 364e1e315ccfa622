/** A parameter that is a list of shares between 0 and 1: "0.9, 0.1". */
import { InputError } from '../../../../core/errors.ts';

export function shareList(name: string, text: string): readonly number[] {
  return text.split(',').map((part) => {
    const written = part.trim();
    const value = written.endsWith('%') ? Number(written.slice(0, -1)) / 100 : Number(written);
    if (written === '' || written === '%' || !(value >= 0 && value <= 1)) {
      throw InputError.of('share-list', `${name}: "${written}" is not a share between 0 and 1`, `write ${name}: "0.9, 0.1"`);
    }
    return value;
  });
}
