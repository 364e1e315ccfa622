/** Holds requests of services that may have no instance at all until there is one, as Knative's activator does. Each waits no longer than
 *  its timeout; those held go off in the order in which they came. */
import type { Ms } from '../../core/time.ts';
import type { Client } from '../client.ts';
import type { Errands } from './errands.ts';

interface Held {
  readonly request: number;
  readonly leftMs: Ms;
  readonly sinceMs: Ms;
  readonly errand: number | undefined;
}

export interface ActivatorHost {
  /** Goes on as if it had just begun, with what is left of its time. */
  start(request: number, leftMs: Ms): void;
  timedOut(request: number): void;
}

export class Activator {
  private readonly errands: Errands;
  private readonly host: ActivatorHost;
  /** By service. */
  private readonly isUsed: readonly boolean[];
  private readonly held: Map<number, Held[]>;

  constructor(errands: Errands, isUsed: readonly boolean[], host: ActivatorHost) {
    this.errands = errands;
    this.isUsed = isUsed;
    this.host = host;
    this.held = new Map();
  }

  /** Whether a request of this client has to wait. */
  holds(client: Client): boolean {
    return this.isUsed[client.spec.service] && client.endpoints.view.count === 0;
  }

  hold(client: Client, request: number, leftMs: Ms): void {
    const { nowMs } = this.errands;
    const patienceMs = Math.min(leftMs, client.timeoutMs);
    const errand = patienceMs < Infinity ? this.errands.later(patienceMs, () => this.giveUp(client, request)) : undefined;
    const line = this.held.get(client.number) ?? [];
    this.held.set(client.number, line);
    line.push({ request, leftMs: patienceMs, sinceMs: nowMs, errand });
  }

  /** Somebody may be there now. */
  changed(client: Client): void {
    // One at a time: what becomes of one may end others, or take the last instance away.
    for (let line = this.held.get(client.number); line !== undefined && !this.holds(client);) {
      const [{ request, leftMs, sinceMs }] = line;
      this.cancel(client, request);
      this.host.start(request, leftMs - (this.errands.nowMs - sinceMs));
      line = this.held.get(client.number);
    }
  }

  /** Its caller does not want it any more; false if it is not here. */
  cancel(client: Client, request: number): boolean {
    const taken = this.take(client, request);
    if (taken?.errand !== undefined) this.errands.cancel(taken.errand);
    return taken !== undefined;
  }

  private giveUp(client: Client, request: number): void {
    if (this.take(client, request) !== undefined) this.host.timedOut(request);
  }

  private take(client: Client, request: number): Held | undefined {
    const line = this.held.get(client.number);
    const place = line?.findIndex((each) => each.request === request) ?? -1;
    if (line === undefined || place === -1) return undefined;
    const [taken] = line.splice(place, 1);
    if (line.length === 0) this.held.delete(client.number);
    return taken;
  }
}
