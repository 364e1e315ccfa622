/** Host and port of a socket, as text: `10.0.0.1:80`, `[::1]:80`. */
import { InputError } from '../core/errors.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Throws `InputError` for what is none. */
export function hostAndPort(text: string): Address {
  const address = addressIn(text);
  if (address === undefined) throw InputError.of('bad-address', `"${text}" is no address`, 'write host and port: 10.0.0.1:9000');
  return address;
}

/** Undefined for what is none. */
export function addressIn(text: string): Address | undefined {
  const [, host, digits] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (host === undefined || !(port >= 1 && port <= 65_535)) return undefined;
  return { host: host.replace(/^\[|\]$/g, ''), port };
}
