/** A reverse proxy on the request pipeline, for use in a program of your own: the objects that were compared in the simulator, on real
 *  sockets.
 *
 *      const proxy = createProxy({ endpoints: ['http://10.0.0.1:8080', 'http://10.0.0.2:8080'], balancer: 'p2c', retry: 'full-jitter' });
 *      await proxy.listen(8000);
 *
 *  It opens no port unless `listen` is called: `handle` serves the requests of any server of Node's. Bodies of requests are read to
 *  their end first, so that they can be sent again; answers are handed on as they come. It is no place for upgraded connections
 *  (WebSocket), nor for uploads that do not fit into memory. */
import http, { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline as pipe } from 'node:stream';
import { InputError } from '../core/errors.ts';
import type { Clock, Ms } from '../core/time.ts';
import { type Health, NO_ENDPOINT, type Slot } from '../policies/balancing/balancer.ts';
import { EndpointSet } from '../policies/balancing/endpoint-set.ts';
import { xxHash64 } from '../policies/balancing/hashes/xxhash64.ts';
import { balancers } from '../policies/balancing/index.ts';
import { AttemptTable, needsFullTable, Pipeline, type RequestResult } from '../policies/pipeline/index.ts';
import { BalancerTimer } from './balancer-timer.ts';
import { readBody } from './body.ts';
import type { Agents } from './exchange.ts';
import { endToEnd, headersForAttempt } from './headers.ts';
import { type Call, HttpPipelineDriver } from './http-driver.ts';
import { outcomeOfAnswer } from './outcome.ts';
import { answerTo, badRequest, type OwnAnswer, send, tooLarge } from './own-answers.ts';
import { policiesOf, type ProxyEndpoint, type ProxyOptions } from './proxy-options.ts';
import { systemClock, systemRng, systemTimers } from './system.ts';
import { makePolicy } from './use.ts';

export class Proxy {
  readonly endpoints: EndpointSet;
  readonly #options: ProxyOptions;
  readonly #clock: Clock;
  readonly #driver: HttpPipelineDriver;
  readonly #pipeline: Pipeline;
  readonly #balancerTimer: BalancerTimer;
  readonly #agents: Agents;
  readonly #servers = new Set<http.Server>();

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    const clock = this.#clock;
    const timers = options.timers ?? systemTimers;
    const rng = options.rng ?? systemRng;
    this.endpoints = new EndpointSet(options.endpoints.length);
    const balancer = makePolicy(balancers, options.balancer, {
      rng: rng('balancer'),
      ...(options.client === undefined ? {} : { client: options.client }),
    });
    for (const endpoint of options.endpoints) this.#add(endpoint);
    this.endpoints.bind(balancer, clock.now());
    this.#balancerTimer = new BalancerTimer(balancer, clock, timers);
    this.#balancerTimer.rearm();
    const policies = policiesOf(options, rng);
    const attempts = new AttemptTable(CAPACITY, needsFullTable(policies));
    this.#agents = options.agents ?? { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
    this.#driver = new HttpPipelineDriver({
      endpoints: this.endpoints,
      attempts,
      capacity: CAPACITY,
      clock,
      timers,
      agents: this.#agents,
      attemptTimeoutMs: options.attemptTimeoutMs ?? Infinity,
      outcomeOf: options.outcomeOf ?? (({ statusCode, headers }) => outcomeOfAnswer(statusCode!, headers)),
      reportOf: options.reportOf,
      probe: options.probe,
      onDecision: options.onDecision,
    });
    this.#pipeline = new Pipeline({ endpoints: this.endpoints, balancer, attempts, driver: this.#driver, clock, ...policies });
    this.#driver.attach(this.#pipeline);
  }

  /** Requests that are not over. */
  get active(): number {
    return this.#driver.active;
  }

  /** Answers a request, as the listener of a server. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    readBody(request, this.#options.maxBodyBytes ?? MAX_BODY_BYTES).then(
      (body) => {
        if (body === undefined) send(response, tooLarge);
        else if (!response.destroyed) this.#start(request, response, body);
      },
      () => response.destroy(),
    );
  };

  /** Opens a port, 0 for any that is free; returns it. */
  async listen(port: number, host = '127.0.0.1'): Promise<number> {
    const server = http.createServer(this.handle);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    this.#servers.add(server);
    return (server.address() as AddressInfo).port;
  }

  addEndpoint(endpoint: string | ProxyEndpoint): void {
    this.#add(endpoint);
    this.#balancerTimer.rearm();
  }

  /** It gets no further attempts; what it is working on goes on. */
  removeEndpoint(url: string): void {
    this.endpoints.remove(this.#find(url), this.#clock.now());
    this.#balancerTimer.rearm();
  }

  setHealth(url: string, health: Health): void {
    this.endpoints.setHealth(this.#find(url), health, this.#clock.now());
    this.#balancerTimer.rearm();
  }

  /** Closes the ports it opened. Requests under way get `graceMs` to end; then their connections are cut. */
  async close(graceMs: Ms = 0): Promise<void> {
    const closed = [...this.#servers].map((server) => new Promise((resolve) => server.close(resolve)));
    const cut = (): void => {
      for (const server of this.#servers) server.closeAllConnections();
    };
    const timer = setTimeout(cut, graceMs);
    if (graceMs <= 0) cut();
    for (const server of this.#servers) server.closeIdleConnections();
    await Promise.all(closed);
    clearTimeout(timer);
    this.#servers.clear();
    this.#balancerTimer.stop();
    if (this.#options.agents !== undefined) return;
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #start(request: IncomingMessage, response: ServerResponse, body: Uint8Array): void {
    const { method = 'GET', url: path = '/' } = request;
    const { isRepeatable, keyOf, classOf, fallback, deadlineHeader } = this.#options;
    // The parser lets through what cannot be sent on.
    if (/[^\x21-\xff]/.test(path)) {
      send(response, badRequest);
      return;
    }
    const headers = headersForAttempt(request, body);
    const call: Call = {
      message: (leftMs) => ({ method, path, headers: withDeadline(headers, deadlineHeader, leftMs), body }),
      answer: (answer) => {
        response.writeHead(answer.statusCode!, endToEnd(answer.headers));
        pipe(answer, response, () => undefined);
      },
      finish: (result, isDegraded) => finish(response, result, isDegraded, fallback?.answer),
    };
    this.#pipeline.setRepeatable(isRepeatable?.(request) ?? idempotent.has(method));
    if (keyOf !== undefined) this.#setKey(keyOf(request));
    if (classOf !== undefined) {
      const { priority, partition, user } = classOf(request);
      this.#pipeline.setClass(priority, partition, user);
    }
    const cancel = this.#driver.start(call, leftOf(request, deadlineHeader));
    response.once('close', cancel);
  }

  #setKey(key: string | undefined): void {
    if (key === undefined) {
      this.#pipeline.clearHash();
      return;
    }
    const { high, low } = xxHash64(key);
    this.#pipeline.setHash(high, low);
  }

  #add(endpoint: string | ProxyEndpoint): void {
    const { url, ...options } = typeof endpoint === 'string' ? { url: endpoint } : endpoint;
    this.endpoints.add(originOf(url), options, this.#clock.now());
  }

  #find(url: string): Slot {
    const slot = this.endpoints.find(originOf(url));
    if (slot === NO_ENDPOINT) throw InputError.of('unknown-endpoint', `there is no endpoint ${url}`);
    return slot;
  }
}

export const createProxy = (options: ProxyOptions): Proxy => new Proxy(options);

function finish(response: ServerResponse, result: RequestResult, isDegraded: boolean, fallback: OwnAnswer | undefined): void {
  // An endpoint's answer that has begun ends by itself, or breaks off with its connection.
  if (response.headersSent) return;
  send(response, isDegraded && fallback !== undefined ? fallback : answerTo(result));
}

/** Endpoints are named by their origins; which path to ask for is the caller's business. */
function originOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.pathname !== '/' || parsed.search !== '') {
    throw InputError.of('bad-endpoint', `"${url}" is not an endpoint`, 'write scheme, host and port: http://10.0.0.1:8080');
  }
  return parsed.origin;
}

function leftOf({ headers }: IncomingMessage, name: string | undefined): Ms {
  const text = name === undefined ? undefined : headers[name.toLowerCase()];
  const leftMs = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
  return Number.isNaN(leftMs) ? Infinity : leftMs;
}

const withDeadline = (headers: OutgoingHttpHeaders, name: string | undefined, leftMs: Ms): OutgoingHttpHeaders =>
  name === undefined || leftMs === Infinity
    ? headers
    : { ...headers, [name.toLowerCase()]: String(Math.max(0, Math.floor(leftMs))) };

const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
const CAPACITY = 64;
const MAX_BODY_BYTES = 2 ** 20;
