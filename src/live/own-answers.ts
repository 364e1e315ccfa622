/** What the proxy answers itself, where no endpoint's answer can be handed on. `proxy-status` says why (RFC 9209). */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type RequestResult, results } from '../policies/pipeline/results.ts';

export interface OwnAnswer {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

export const tooLarge: OwnAnswer = { status: 413, headers: { connection: 'close' }, body: 'body too large\n' };
export const badRequest: OwnAnswer = { status: 400, headers: { connection: 'close' }, body: 'bad request\n' };

export function answerTo(result: RequestResult): OwnAnswer {
  const [status, error] = byResult[result] ?? byResult[results.error]!;
  return { status, headers: { 'proxy-status': `clusterlab; error=${error}` }, body: `${error.replaceAll('_', ' ')}\n` };
}

export function send(response: ServerResponse, { status, headers = {}, body = '' }: OwnAnswer): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  response.writeHead(status, { 'content-type': 'text/plain', ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

const byResult: Readonly<Record<number, readonly [status: number, error: string]>> = {
  [results.error]: [502, 'http_protocol_error'],
  [results.timeout]: [504, 'http_response_timeout'],
  [results.refused]: [502, 'connection_refused'],
  [results.lost]: [502, 'connection_terminated'],
  [results.shed]: [503, 'http_request_denied'],
  [results.noEndpoint]: [503, 'destination_not_found'],
  [results.circuitOpen]: [503, 'destination_unavailable'],
};
