/** A reverse proxy on the request pipeline, for use in a program of your own: the objects that were compared in the simulator, on real
 *  sockets.
 *
 *      const proxy = createProxy({ endpoints: ['http://10.0.0.1:8080', 'http://10.0.0.2:8080'], balancer: 'p2c', retry: 'full-jitter' });
 *      await proxy.listen(8000);
 *
 *  Its endpoints are watched as well, if policies are named for that: `detector` by heartbeats, `healthCheck` by probes or reports, `outlier`
 *  by how attempts end, `discovery` by asking who there is. The simulator's clients join the same objects by the same rules.
 *
 *  It opens no port unless `listen` is called: `handle` serves the requests of any server of Node's. Bodies of requests are read to
 *  their end first, so that they can be sent again; answers are handed on as they come. It is no place for upgraded connections
 *  (WebSocket), nor for uploads that do not fit into memory. */
import http, { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import https from 'node:https';
import { pipeline as pipe } from 'node:stream';
import { InputError } from '../core/errors.ts';
import type { Rng } from '../core/rng.ts';
import type { Clock, Ms } from '../core/time.ts';
import { type Health, NO_ENDPOINT, type Slot } from '../policies/balancing/balancer.ts';
import { EndpointSet } from '../policies/balancing/endpoint-set.ts';
import { xxHash64 } from '../policies/balancing/hashes/xxhash64.ts';
import { AttemptTable, Pipeline, type RequestResult } from '../policies/pipeline/index.ts';
import { readBody } from './body.ts';
import { Discovery } from './discovery.ts';
import { EndpointWatch } from './endpoint-watch.ts';
import type { Agents } from './exchange.ts';
import { endToEnd, headersForAttempt } from './headers.ts';
import { HeartbeatReceiver } from './heartbeat-receiver.ts';
import { resultByStatus } from './heartbeats.ts';
import { type Call, HttpPipelineDriver } from './http-driver.ts';
import { listenOn } from './listen.ts';
import { originIn, originOf } from './origin.ts';
import { outcomeOfAnswer } from './outcome.ts';
import { answerTo, badRequest, type OwnAnswer, send, tooLarge } from './own-answers.ts';
import { PolicyTimer } from './policy-timer.ts';
import { type ProxyEndpoint, type ProxyOptions, type ProxySettings, settingsOf } from './proxy-options.ts';
import { backgroundTimers, systemClock, systemRng, systemTimers, type Timers } from './system.ts';

export class Proxy {
  readonly endpoints: EndpointSet;
  readonly #options: ProxyOptions;
  readonly #clock: Clock;
  readonly #driver: HttpPipelineDriver;
  readonly #pipeline: Pipeline;
  readonly #rng: (policy: string) => Rng;
  readonly #background: Timers;
  #balancerTimer: PolicyTimer;
  #fallbackAnswer: OwnAnswer | undefined;
  readonly #watch: EndpointWatch;
  readonly #receiver: HeartbeatReceiver;
  readonly #discovery: Discovery | undefined;
  readonly #agents: Agents;
  readonly #servers = new Set<http.Server>();
  readonly #listeners = new Set<() => void>();
  /** Weight, zone and priority of endpoints in the options, should they come back. */
  readonly #configured = new Map<string, ProxyEndpoint>();

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    const clock = this.#clock;
    const timers = options.timers ?? systemTimers;
    const background = options.timers ?? backgroundTimers;
    const rng = options.rng ?? systemRng;
    this.#rng = rng;
    this.#background = background;
    this.#fallbackAnswer = options.fallback?.answer;
    this.endpoints = new EndpointSet(options.endpoints.length);
    const settings = settingsOf(options, rng, options.client);
    const { balancer } = settings;
    this.#balancerTimer = new PolicyTimer(balancer, clock, background);
    this.#agents = options.agents ?? { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
    const { endpoints } = this;
    const onChange = (): void => this.#changed();
    const surroundings = { endpoints, clock, timers: background, agents: this.#agents, rng, onChange };
    this.#watch = new EndpointWatch({ ...options, ...surroundings });
    for (const endpoint of options.endpoints) {
      this.#add(endpoint, true);
      if (typeof endpoint === 'object') this.#configured.set(originOf(endpoint.url), endpoint);
    }
    this.endpoints.bind(balancer, clock.now());
    this.#balancerTimer.rearm();
    this.#receiver = new HeartbeatReceiver({
      clock,
      isMember: (from) => this.endpoints.find(from) !== NO_ENDPOINT,
      hear: ({ from, status }, number) => {
        const slot = this.endpoints.find(from);
        if (status === undefined) this.#watch.heard(slot, number);
        else this.#watch.reported(slot, resultByStatus[status]);
      },
    });
    const attempts = new AttemptTable(CAPACITY, true);
    const resolves = options.discovery !== undefined;
    this.#driver = new HttpPipelineDriver({
      endpoints: this.endpoints,
      attempts,
      capacity: CAPACITY,
      clock,
      timers,
      agents: this.#agents,
      outcomeOf: options.outcomeOf ?? (({ statusCode, headers }) => outcomeOfAnswer(statusCode!, headers)),
      reportOf: options.reportOf,
      probe: options.probe,
      onDecision: options.onDecision,
      onSend: () => {
        this.#watch.sent();
        this.#discovery?.resolveNow(false);
      },
      onConnectionFailure: resolves ? () => this.#discovery?.resolveNow(true) : undefined,
    });
    const { outlier } = this.#watch;
    this.#pipeline = new Pipeline({
      endpoints: this.endpoints,
      attempts,
      driver: this.#driver,
      clock,
      ...settings,
      outlier,
      hasDeadlines: options.deadlineHeader !== undefined,
      isReconfigurable: true,
    });
    this.#driver.attach(this.#pipeline);
    if (options.discovery === undefined) return;
    this.#discovery = new Discovery({
      client: options.discovery,
      source: options.discoverySource,
      configured: options.endpoints.map((endpoint) => originOf(typeof endpoint === 'string' ? endpoint : endpoint.url)),
      clock,
      timers: background,
      rng: rng('discovery'),
      update: (members) => {
        this.setEndpoints(members);
        options.onMembers?.(members);
      },
    });
    this.#discovery.start();
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
    const opened = await listenOn(server, port, host);
    this.#servers.add(server);
    return opened;
  }

  /** Requests that begin from now on live by these settings, all of them: what is left out is none. Those under way live on by the
   *  settings they began with, retries and hedges included. Endpoints and what is believed of them stay. Policies begin anew; one that
   *  shall keep what it has learnt is handed over as the object it is, in `() => breaker`. */
  reconfigure(options: ProxySettings): void {
    const settings = settingsOf(options, this.#rng, this.#options.client);
    this.#fallbackAnswer = options.fallback?.answer;
    this.#pipeline.reconfigure(settings);
    this.#balancerTimer.stop();
    this.#balancerTimer = new PolicyTimer(settings.balancer, this.#clock, this.#background);
    this.#balancerTimer.rearm();
  }

  addEndpoint(endpoint: string | ProxyEndpoint): void {
    this.#add(endpoint, false);
    this.#changed();
  }

  /** It gets no further attempts; what it is working on goes on. */
  removeEndpoint(url: string): void {
    this.#remove(this.#find(url));
    this.#changed();
  }

  /** Its members are these from now on. Those that stay keep their slots, and what is known of them. */
  setEndpoints(urls: readonly string[]): void {
    const wanted = new Set(urls.map(originOf));
    this.endpoints.batch(this.#clock.now(), () => {
      for (const slot of this.#slots()) if (!wanted.has(this.endpoints.table.ids[slot])) this.#remove(slot);
      for (const url of wanted) {
        if (this.endpoints.find(url) === NO_ENDPOINT) this.#add(this.#configured.get(url) ?? url, false);
      }
    });
    this.#changed();
  }

  /** What the program says of an endpoint, beside what the proxy finds out: it is used when nobody speaks against it. */
  setHealth(url: string, health: Health): void {
    this.#watch.health.say(this.#find(url), health, this.#clock.now());
    this.#changed();
  }

  /** Whether somebody who watches the endpoint thinks that it is gone: a member of a group, say. Endpoints that are not known are nobody's. */
  suspect(url: string, isSuspected: boolean): void {
    const slot = this.endpoints.find(originIn(url) ?? '');
    if (slot !== NO_ENDPOINT) this.#watch.suspect(slot, isSuspected);
  }

  /** The endpoint's process was started anew, as `onRestartWanted` asked for. */
  restarted(url: string): void {
    this.#watch.restarted(this.#find(url));
  }

  /** Takes heartbeats and reports from a UDP port, 0 for any that is free; returns it. */
  listenForHeartbeats(port: number, host = '127.0.0.1'): Promise<number> {
    return this.#receiver.listen(port, host);
  }

  /** Endpoints nothing speaks against, as a share of all; 0 where there are none. */
  get healthyShare(): number {
    const slots = this.#slots();
    const used = slots.filter((slot) => this.#watch.health.isUsed(slot)).length;
    return slots.length === 0 ? 0 : used / slots.length;
  }

  /** How endpoints are judged, and what there is to know of it. */
  get watch(): Pick<EndpointWatch, 'heartbeatEveryMs' | 'reportEveryMs' | 'probesUnderWay' | 'outlierStats'> {
    return this.#watch;
  }

  /** How old the list of endpoints is, and whether its source fails; undefined without discovery. */
  get discovery(): Pick<Discovery, 'ageMs' | 'isStale'> | undefined {
    return this.#discovery;
  }

  /** Calls back after every change of who the endpoints are or what is believed of them; returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Closes the ports it opened, and stops to watch its endpoints. Requests under way get `graceMs` to end; then their connections are cut. */
  async close(graceMs: Ms = 0): Promise<void> {
    this.#discovery?.close();
    this.#receiver.close();
    this.#watch.close();
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
    const { isRepeatable, keyOf, classOf, deadlineHeader } = this.#options;
    const fallbackAnswer = this.#fallbackAnswer;
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
      finish: (result, isDegraded) => finish(response, result, isDegraded, fallbackAnswer),
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

  #add(endpoint: string | ProxyEndpoint, isKnown: boolean): void {
    const { url, ...options }: ProxyEndpoint = typeof endpoint === 'string' ? { url: endpoint } : endpoint;
    const nowMs = this.#clock.now();
    this.endpoints.batch(nowMs, () => {
      const slot = this.endpoints.add(originOf(url), options, nowMs);
      this.#watch.begin(slot, options.health, isKnown);
    });
  }

  #remove(slot: Slot): void {
    this.#watch.end(slot);
    this.#receiver.forget(this.endpoints.table.ids[slot]);
    this.endpoints.remove(slot, this.#clock.now());
  }

  #changed(): void {
    this.#balancerTimer.rearm();
    for (const tell of this.#listeners) tell();
  }

  /** Of all members, healthy or not. */
  #slots(): readonly Slot[] {
    const { everyone, everyoneCount } = this.endpoints.view;
    return [...everyone.subarray(0, everyoneCount)];
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
