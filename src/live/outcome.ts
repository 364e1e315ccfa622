/** What an HTTP answer, or the lack of one, means to the policies. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Outcome, outcomes } from '../policies/balancing/balancer.ts';

/** An answer by its status: 5xx is an error; 503 with `x-envoy-overloaded` (as Envoy marks what it sheds) was turned away before anybody
 *  worked on it. All else is good, 429 included: it judges the caller, and a caller over its quota says nothing about the endpoint. */
export function outcomeOfAnswer(status: number, headers: IncomingHttpHeaders): Outcome {
  if (status < 500) return outcomes.ok;
  return status === 503 && headers['x-envoy-overloaded'] !== undefined ? outcomes.shed : outcomes.error;
}

/** No answer: the connection could not be made, so that nobody took the request; or it broke, and nobody knows; or what came was not
 *  HTTP. */
export function outcomeOfError(error: unknown): Outcome {
  const { code = '', syscall = '' } = error as { readonly code?: string; readonly syscall?: string };
  if (syscall === 'connect' || syscall === 'getaddrinfo' || unreachable.has(code)) return outcomes.refused;
  return code.startsWith('HPE_') ? outcomes.error : outcomes.lost;
}

/** Also where several addresses of a name were tried, and the error names no system call. */
const unreachable: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
]);
