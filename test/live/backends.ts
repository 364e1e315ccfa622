/** Real HTTP servers on the loopback interface that behave by a script, and a caller for what stands before them. */
import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';

/** `silence`: takes the request and never answers. `lost`: cuts the connection. `broken`: cuts it in the middle of the answer. */
export type Behaviour =
  | 'ok'
  | 'error'
  | 'shed'
  | 'lost'
  | 'broken'
  | 'silence'
  | ((request: IncomingMessage, response: ServerResponse) => void);

export interface Backend {
  readonly url: string;
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }[];
  /** Resolves when a request that was taken is given up by whoever sent it. */
  abandoned(): Promise<void>;
}

/** Everything opened here; to be closed after each test. */
export class Backends {
  readonly #closing: (() => void | Promise<void>)[] = [];

  /** Behaves as listed, request by request, and then as the last. */
  async serve(...behaviours: readonly Behaviour[]): Promise<Backend> {
    const requests: Backend['requests'] = [];
    const abandonedBy: (() => void)[] = [];
    let abandoned = 0;
    const server = http.createServer((request, response) => {
      const behaviour = behaviours[Math.min(requests.length, behaviours.length - 1)];
      const entry = { method: request.method!, path: request.url!, headers: request.headers, body: '' };
      requests.push(entry);
      response.on('close', () => {
        if (response.writableFinished) return;
        abandoned++;
        for (const tell of abandonedBy.splice(0)) tell();
      });
      read(request).then(
        (body) => {
          Object.assign(entry, { body });
          behave(behaviour, request, response);
        },
        () => undefined,
      );
    });
    this.#closing.push(() => {
      server.close();
      server.closeAllConnections();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const waitForAbandoned = (): Promise<void> =>
      abandoned > 0 ? Promise.resolve() : new Promise((resolve) => abandonedBy.push(resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, abandoned: waitForAbandoned };
  }

  /** An address where nobody listens. */
  async nobody(): Promise<string> {
    const server = http.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.close();
    await once(server, 'close');
    return url;
  }

  /** To be closed with the rest. */
  keep<Closable extends { close(): Promise<void> }>(closable: Closable): Closable {
    this.#closing.unshift(() => closable.close());
    return closable;
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0)) await close();
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export function ask(port: number, { body, ...options }: http.RequestOptions & { readonly body?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', agent: false, ...options }, (answer) => {
      read(answer).then((text) => resolve({ status: answer.statusCode!, headers: answer.headers, text }), reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

export async function read(stream: Readable): Promise<string> {
  let all = '';
  for await (const part of stream) all += String(part);
  return all;
}

function behave(behaviour: Behaviour, request: IncomingMessage, response: ServerResponse): void {
  if (typeof behaviour === 'function') behaviour(request, response);
  else if (behaviour === 'ok') response.end('fine');
  else if (behaviour === 'error') response.writeHead(500).end('broken');
  else if (behaviour === 'shed') response.writeHead(503, { 'x-envoy-overloaded': 'true' }).end('busy');
  else if (behaviour === 'lost') request.socket.destroy();
  else if (behaviour === 'broken') {
    response.writeHead(200, { 'content-length': 100 });
    response.write('half', () => request.socket.destroy());
  }
}
