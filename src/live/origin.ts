/** Endpoints are named by their origins; which path to ask for is the caller's business. */
import { InputError } from '../core/errors.ts';

/** Throws `InputError` for what is no endpoint. */
export function originOf(url: string): string {
  const origin = originIn(url);
  if (origin === undefined) {
    throw InputError.of('bad-endpoint', `"${url}" is not an endpoint`, 'write scheme, host and port: http://10.0.0.1:8080');
  }
  return origin;
}

/** Undefined for what is no endpoint. */
export function originIn(url: string): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isOrigin = parsed !== undefined && /^https?:$/.test(parsed.protocol) && parsed.pathname === '/' && parsed.search === '';
  return isOrigin ? parsed.origin : undefined;
}
