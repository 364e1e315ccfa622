/** Several sites behind one address: each is a proxy with its own endpoints, and a failover policy says which takes the requests, by the
 *  share of each site's endpoints that nothing speaks against.
 *
 *      const router = new FailoverRouter({ sites: [home, abroad], failover: { use: 'priority-failover', failAfter: 5000 } });
 *      await router.listen(8000);
 *
 *  Use it for a preferred site and its stand-bys. A site is as healthy as its proxy finds out: without health checks, heartbeats or outlier
 *  detection it never fails. Requests under way stay where they are. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Clock, Ms } from '../core/time.ts';
import type { Failover, FailoverDeps } from '../policies/recovery/failover/failover.ts';
import { failovers } from '../policies/recovery/failover/index.ts';
import { listenOn } from './listen.ts';
import { PolicyTimer } from './policy-timer.ts';
import type { Proxy } from './proxy.ts';
import { backgroundTimers, systemClock, type Timers } from './system.ts';
import { makePolicy, type Use } from './use.ts';

export type Site = Pick<Proxy, 'handle' | 'healthyShare' | 'onChange' | 'close'>;

export interface FailoverRouterOptions {
  /** In order of preference. */
  readonly sites: readonly Site[];
  readonly failover: Use<FailoverDeps, Failover>;
  /** Requests go to this site from now on. Must not throw. */
  onSwitch?(site: number, atMs: Ms): void;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

export class FailoverRouter {
  readonly #sites: readonly Site[];
  readonly #failover: Failover;
  readonly #clock: Clock;
  readonly #timer: PolicyTimer;
  readonly #unlisten: readonly (() => void)[];
  readonly #servers = new Set<http.Server>();

  constructor({ sites, failover, onSwitch, clock = systemClock(), timers = backgroundTimers }: FailoverRouterOptions) {
    this.#sites = sites;
    this.#clock = clock;
    this.#failover = makePolicy(failovers, failover, {
      sites: sites.length,
      sink: { switchTo: (site, nowMs) => onSwitch?.(site, nowMs) },
    });
    this.#timer = new PolicyTimer(this.#failover, clock, timers);
    this.#unlisten = sites.map((site, number) => site.onChange(() => this.#report(number)));
    sites.forEach((_, number) => this.#report(number));
  }

  /** The site that takes the requests, from 0. */
  get active(): number {
    return this.#failover.active;
  }

  /** Answers a request, as the listener of a server. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    this.#sites[this.#failover.active].handle(request, response);
  };

  /** Opens a port, 0 for any that is free; returns it. */
  listen(port: number, host = '127.0.0.1'): Promise<number> {
    const server = http.createServer(this.handle);
    this.#servers.add(server);
    return listenOn(server, port, host);
  }

  /** Its ports, and its sites with them. */
  async close(): Promise<void> {
    this.#timer.stop();
    for (const stop of this.#unlisten) stop();
    const closed = [...this.#servers].map((server) => new Promise((resolve) => server.close(resolve)));
    for (const server of this.#servers) server.closeAllConnections();
    await Promise.all([...closed, ...this.#sites.map((site) => site.close())]);
  }

  #report(site: number): void {
    this.#failover.report(site, this.#sites[site].healthyShare, this.#clock.now());
    this.#timer.rearm();
  }
}
