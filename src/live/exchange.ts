/** One attempt over HTTP: a request sent to an endpoint, and its answer, or the error in place of it. Tells its listener exactly one of
 *  the two, later than it was made, and nothing once it was dropped. */
import http, { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { Outcome } from '../policies/balancing/balancer.ts';
import { outcomeOfError } from './outcome.ts';

export interface Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

/** What is sent; the same for every attempt of a request. */
export interface Message {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Uint8Array;
}

export interface ExchangeListener {
  /** The head of the answer is there. The listener reads the rest; `ended` is told how that went. */
  answered(answer: IncomingMessage): void;
  failed(outcome: Outcome): void;
}

export class Exchange {
  readonly #abort = new AbortController();
  #listener: ExchangeListener | undefined;

  constructor(endpoint: URL, { method, path, headers, body }: Message, agents: Agents, listener: ExchangeListener) {
    this.#listener = listener;
    const isSecure = endpoint.protocol === 'https:';
    const request = (isSecure ? https : http).request(endpoint, {
      method,
      path,
      headers,
      agent: isSecure ? agents.https : agents.http,
      // The certificate is the endpoint's; the host in the headers is what the caller asked for.
      ...(isSecure ? { servername: isIP(endpoint.hostname) === 0 ? endpoint.hostname : '' } : {}),
      signal: this.#abort.signal,
    });
    request.on('response', (answer) => {
      // Broken off answers are told by `close` without `end`; an error without a listener would end the process.
      answer.on('error', () => undefined);
      if (this.#listener === undefined) answer.resume();
      else this.#takeListener()?.answered(answer);
    });
    request.on('error', (error) => this.#takeListener()?.failed(outcomeOfError(error)));
    request.end(body);
  }

  /** Nobody waits for it any more. */
  drop(): void {
    this.#listener = undefined;
    this.#abort.abort();
  }

  #takeListener(): ExchangeListener | undefined {
    const listener = this.#listener;
    this.#listener = undefined;
    return listener;
  }
}
