/** Heartbeats over UDP: what an instance sends of itself, for the detectors of whoever calls it.
 *
 *      const heartbeats = startHeartbeats({ from: 'http://10.0.0.1:8080', to: ['10.0.1.1:9000'], everyMs: 1000 });
 *
 *  Use them where silence should be noticed between requests, and sooner than probes would notice. They fail to say anything of a process
 *  that beats and does not serve. A datagram is plain text and is believed by whoever gets it: they belong into a network of one's own.
 *
 *  Heartbeat i is due i periods after the first. What the process could not send in time, because it stood still, it leaves out: its number
 *  is skipped. `life` tells the heartbeats of a process from those of its successor. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { InputError } from '../core/errors.ts';
import type { Clock, Ms } from '../core/time.ts';
import { type ProbeResult, probeResults } from '../policies/detection/checks/health-checker.ts';
import { type Address, hostAndPort } from './address.ts';
import { originOf } from './origin.ts';
import { backgroundTimers, systemClock, systemRng, type Timer, type Timers } from './system.ts';

export type ReportedStatus = 'ok' | 'degraded' | 'unhealthy';

export interface Heartbeat {
  /** The endpoint it comes from, by its URL. */
  readonly from: string;
  readonly life: number;
  readonly number: number;
  readonly everyMs: Ms;
  /** Of reports to health checkers; heartbeats for detectors have none. */
  readonly status?: ReportedStatus;
}

export interface HeartbeatOptions {
  /** The endpoint they speak for, by the URL under which its callers know it. */
  readonly from: string;
  /** Host and port of each receiver. */
  readonly to: string | readonly string[];
  /** As the receivers' detector expects: `heartbeatEveryMs` of the proxy, or its `reportEveryMs` for reports. */
  readonly everyMs: Ms;
  /** Makes them reports to a health checker (Consul's ttl, Eureka's leases) instead of heartbeats for a detector. */
  status?(): ReportedStatus;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

/** Sends the first at once. */
export function startHeartbeats({ to, ...options }: HeartbeatOptions): { close(): void } {
  if (!(options.everyMs > 0 && options.everyMs < Infinity)) {
    throw InputError.of('bad-option', `heartbeats cannot be sent every ${options.everyMs} ms`);
  }
  const receivers = (typeof to === 'string' ? [to] : to).map(hostAndPort);
  return new HeartbeatSender(receivers, options);
}

class HeartbeatSender {
  readonly #receivers: readonly Address[];
  readonly #options: Omit<HeartbeatOptions, 'to'>;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #sockets = new Map<'udp4' | 'udp6', Socket>();
  readonly #life = systemRng().uint32();
  readonly #startMs: Ms;
  readonly #from: string;
  #timer: Timer | undefined;

  constructor(receivers: readonly Address[], options: Omit<HeartbeatOptions, 'to'>) {
    this.#receivers = receivers;
    this.#options = options;
    this.#from = originOf(options.from);
    this.#clock = options.clock ?? systemClock();
    this.#timers = options.timers ?? backgroundTimers;
    this.#startMs = this.#clock.now();
    this.#beat();
  }

  close(): void {
    this.#timer?.clear();
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #beat(): void {
    const { everyMs, status } = this.#options;
    const from = this.#from;
    // A timer may fire a moment early.
    const number = Math.floor((this.#clock.now() - this.#startMs) / everyMs + 0.5);
    const said = status?.();
    const bytes = Buffer.from(
      JSON.stringify({
        from,
        life: this.#life,
        number,
        everyMs,
        ...(said === undefined ? {} : { status: said }),
      } satisfies Heartbeat),
    );
    // What cannot be sent is lost, as datagrams are.
    for (const { host, port } of this.#receivers) this.#socketFor(host).send(bytes, port, host, () => undefined);
    const nextMs = this.#startMs + (number + 1) * everyMs;
    this.#timer = this.#timers.set(Math.max(0, nextMs - this.#clock.now()), () => this.#beat());
  }

  #socketFor(host: string): Socket {
    const type = isIPv6(host) ? 'udp6' : 'udp4';
    const known = this.#sockets.get(type);
    if (known !== undefined) return known;
    const socket = createSocket(type);
    socket.on('error', () => undefined);
    socket.unref();
    this.#sockets.set(type, socket);
    return socket;
  }
}

/** Undefined for what is no heartbeat. */
export function readHeartbeat(bytes: Uint8Array): Heartbeat | undefined {
  const read = parsed(bytes);
  if (typeof read !== 'object' || read === null) return undefined;
  const { from, life, number, everyMs, status } = read as Record<string, unknown>;
  const isOne =
    typeof from === 'string' &&
    Number.isInteger(life) &&
    Number.isSafeInteger(number) &&
    (number as number) >= 0 &&
    typeof everyMs === 'number' &&
    everyMs > 0 &&
    (status === undefined || Object.hasOwn(resultByStatus, status as string));
  return isOne ? (read as Heartbeat) : undefined;
}

/** What a report means to a health checker. */
export const resultByStatus: Readonly<Record<ReportedStatus, ProbeResult>> = {
  ok: probeResults.ok,
  degraded: probeResults.degraded,
  unhealthy: probeResults.unhealthy,
};

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}
