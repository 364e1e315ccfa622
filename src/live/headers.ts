/** Headers on their way through a proxy: those that belong to one connection stay behind (RFC 9110, 7.6.1). */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';

/** For an attempt: what the caller sent, who the caller is, and the length of a body that is known by now. */
export function headersForAttempt(request: IncomingMessage, body: Uint8Array): OutgoingHttpHeaders {
  const headers = endToEnd(request.headers);
  // Has been answered already: the body is here.
  delete headers.expect;
  const before = headers['x-forwarded-for'];
  const caller = request.socket.remoteAddress;
  if (caller !== undefined) headers['x-forwarded-for'] = before === undefined ? caller : `${String(before)}, ${caller}`;
  if (body.length > 0 || hasBody(request)) headers['content-length'] = body.length;
  return headers;
}

export function endToEnd(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ofConnection.has(name) && !named.includes(name)));
}

/** Whether a body follows, be it empty. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;

const ofConnection: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
