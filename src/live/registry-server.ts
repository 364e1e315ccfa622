/** A registry over HTTP: instances register and renew, clients ask for a service's members and may have the answer held until there is
 *  news. What a lease that ran out means is the registry policy's to say (etcd, Consul, Eureka).
 *
 *      const registry = new RegistryServer({ registry: 'consul' });
 *      await registry.listen(8500);
 *
 *  | request | answer |
 *  | --- | --- |
 *  | `PUT /services/S/A` registers the endpoint A (its URL, percent-encoded) | 200 with `renewEveryMs` |
 *  | `POST /services/S/A?status=passing` renews; also `warning`, `critical` | 200, or 404 if it must register |
 *  | `DELETE /services/S/A` | 200 |
 *  | `GET /services/S?index=7&wait=30000` | 200 with `index`, `members`, `ageMs`, `ttlMs` (null for no end), after up to `wait` ms |
 *
 *  Use it for tests, demonstrations and small installations of one's own. It is one process with its state in memory: it fails with that
 *  process, and starts empty. Everybody who reaches it may register anything: it belongs into a network of one's own. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Rng } from '../core/rng.ts';
import type { Clock, Ms } from '../core/time.ts';
import type { SourceView } from '../policies/discovery/discovery-client.ts';
import {
  type HealthStatus,
  healthStatuses,
  type Registry,
  type RegistryDeps,
  registries,
} from '../policies/discovery/registries/index.ts';
import { Directory } from './directory.ts';
import { listenOn } from './listen.ts';
import { originIn } from './origin.ts';
import { PolicyTimer } from './policy-timer.ts';
import { backgroundTimers, systemClock, systemRng, type Timer, type Timers } from './system.ts';
import { makePolicy, type Use } from './use.ts';

export interface RegistryServerOptions {
  readonly registry: Use<RegistryDeps, Registry>;
  readonly clock?: Clock;
  readonly timers?: Timers;
  /** One stream per service. */
  rng?(service: string): Rng;
}

interface Service {
  readonly registry: Registry;
  readonly directory: Directory;
  readonly timer: PolicyTimer;
  /** How many addresses are known when those of instances that are gone are forgotten next. */
  sweepAt: number;
}

/** A question that was not answered yet. */
interface Query {
  readonly service: Service;
  readonly response: ServerResponse;
  readonly index: number;
  readonly waitMs: Ms;
  readonly sinceMs: Ms;
  again: Timer | undefined;
}

/** A registry that does not hold questions until there is news is asked again this often on behalf of those who would wait. */
const POLL_MS: Ms = 1000;
/** More are refused: whoever asks for a name makes a registry for it. */
const MAX_SERVICES = 1000;
const SWEEP_FROM = 1000;

export class RegistryServer {
  readonly #options: RegistryServerOptions;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #server: http.Server;
  readonly #services = new Map<string, Service>();
  readonly #queries = new Map<number, Query>();
  #asked = 0;
  /** The query that a registry is being asked at this moment. */
  #beingAsked = -1;

  constructor(options: RegistryServerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    this.#timers = options.timers ?? backgroundTimers;
    this.#server = http.createServer((request, response) => this.#handle(request, response));
    // Fails at once where the policy's name is wrong, and not with the first request.
    this.#newService('');
  }

  /** Opens a port, 0 for any that is free; returns it. */
  listen(port: number, host = '127.0.0.1'): Promise<number> {
    return listenOn(this.#server, port, host);
  }

  async close(): Promise<void> {
    for (const { timer } of this.#services.values()) timer.stop();
    for (const { again } of this.#queries.values()) again?.clear();
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const url = new URL(request.url ?? '/', 'http://registry');
    const [, service, address] = /^\/services\/([^/]+)(?:\/([^/]+))?$/.exec(url.pathname)?.map(decoded) ?? [];
    if (service === undefined) answer(response, 404, { error: 'write /services/NAME' });
    else if (address === undefined && request.method === 'GET') this.#query(service, url.searchParams, response);
    else if (address === undefined) answer(response, 405, { error: 'GET asks for the members' });
    else this.#change(request.method, service, address, url.searchParams, response);
  }

  #change(method: string | undefined, name: string, url: string, query: URLSearchParams, response: ServerResponse): void {
    const address = originIn(url);
    const service = this.#serviceOf(name);
    const status = query.get('status') ?? 'passing';
    if (address === undefined) answer(response, 400, { error: `"${url}" is not an endpoint` });
    else if (!isStatus(status)) answer(response, 400, { error: `"${status}" is not a status` });
    else if (service === undefined) answer(response, 503, { error: 'too many services' });
    else {
      const { registry, directory } = service;
      const nowMs = this.#clock.now();
      let isKnown = true;
      if (method === 'PUT') registry.register(directory.numberOf(address), nowMs);
      else if (method === 'POST')
        isKnown = directory.knows(address) && registry.renew(directory.numberOf(address), status, nowMs);
      else if (method === 'DELETE' && directory.knows(address)) registry.deregister(directory.numberOf(address), nowMs);
      this.#sweep(service);
      service.timer.rearm();
      const isMethod = method === 'PUT' || method === 'POST' || method === 'DELETE';
      if (!isMethod) answer(response, 405, { error: 'PUT registers, POST renews, DELETE deregisters' });
      else if (isKnown) answer(response, 200, { renewEveryMs: finite(registry.renewEveryMs) });
      else answer(response, 404, { error: 'register first' });
    }
  }

  #query(name: string, query: URLSearchParams, response: ServerResponse): void {
    const service = this.#serviceOf(name);
    if (service === undefined) {
      answer(response, 503, { error: 'too many services' });
      return;
    }
    const number = this.#asked++;
    const [index, waitMs] = [amount(query.get('index')), amount(query.get('wait'))];
    this.#queries.set(number, { service, response, index, waitMs, sinceMs: this.#clock.now(), again: undefined });
    response.once('close', () => this.#forget(number));
    this.#ask(number);
  }

  #ask(number: number): void {
    const { service, index, waitMs, sinceMs } = this.#queries.get(number)!;
    const nowMs = this.#clock.now();
    this.#beingAsked = number;
    service.registry.query(number, index, Math.max(0, waitMs - (nowMs - sinceMs)), nowMs);
    this.#beingAsked = -1;
    service.timer.rearm();
  }

  #answered(number: number, view: SourceView): void {
    const query = this.#queries.get(number);
    if (query === undefined) return;
    const { service, response, index, waitMs, sinceMs } = query;
    const leftMs = sinceMs + waitMs - this.#clock.now();
    // Answered at once although nothing is new: it does not hold questions.
    if (this.#beingAsked === number && index !== 0 && view.index === index && leftMs > 0) {
      query.again = this.#timers.set(Math.min(POLL_MS, leftMs), () => this.#ask(number));
      return;
    }
    this.#queries.delete(number);
    const members = view.members.map((member) => service.directory.addressOf(member)).filter((address) => address !== undefined);
    answer(response, 200, { index: view.index, members, ageMs: view.ageMs, ttlMs: finite(view.ttlMs) });
  }

  /** Whoever asked is gone, or has its answer. */
  #forget(number: number): void {
    const query = this.#queries.get(number);
    if (query === undefined) return;
    query.again?.clear();
    query.service.registry.forget(number);
    this.#queries.delete(number);
  }

  #serviceOf(name: string): Service | undefined {
    const known = this.#services.get(name);
    if (known !== undefined || this.#services.size >= MAX_SERVICES) return known;
    const made = this.#newService(name);
    this.#services.set(name, made);
    return made;
  }

  #newService(name: string): Service {
    const registry = makePolicy(registries, this.#options.registry, {
      rng: (this.#options.rng ?? systemRng)(name),
      host: { answer: (query, view) => this.#answered(query, view) },
    });
    const timer = new PolicyTimer(registry, this.#clock, this.#timers);
    return { registry, directory: new Directory(), timer, sweepAt: SWEEP_FROM };
  }

  #sweep(service: Service): void {
    const { directory, registry } = service;
    if (directory.size < service.sweepAt) return;
    directory.keep((number) => registry.status(number) !== undefined);
    service.sweepAt = Math.max(SWEEP_FROM, 2 * directory.size);
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

const isStatus = (text: string): text is HealthStatus => (healthStatuses as readonly string[]).includes(text);

/** JSON knows no infinity. */
const finite = (ms: Ms): Ms | null => (ms < Infinity ? ms : null);

function amount(text: string | null): number {
  const number = Number(text ?? 0);
  return number > 0 ? number : 0;
}

/** Groups that took no part stay undefined. */
function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
