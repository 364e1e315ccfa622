/** Takes heartbeats from a UDP port and says whose they are and which number they have.
 *
 *  Detectors count on numbers that go on: number i is due i periods after number 0. A process that was started anew counts from 0 again, so
 *  its numbers are moved on to where its predecessor's would be by now. Heartbeats of the predecessor that arrive late are nobody's. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock, Ms } from '../core/time.ts';
import { type Heartbeat, readHeartbeat } from './heartbeats.ts';

interface Sender {
  life: number;
  /** Of the process before. */
  before: number;
  /** What is added to the numbers of this life. */
  offset: number;
  lastNumber: number;
  lastMs: Ms;
}

/** The numbers of senders' heartbeats over all their lives. */
export class HeartbeatNumbers {
  readonly #senders = new Map<string, Sender>();

  /** The heartbeat's number among all of its sender's; undefined for one of an earlier life. */
  of({ from, life, number, everyMs, status }: Heartbeat, nowMs: Ms): number | undefined {
    // Reports and heartbeats of one endpoint are counted apart.
    const key = status === undefined ? from : `report ${from}`;
    const sender = this.#senders.get(key);
    if (sender === undefined) {
      this.#senders.set(key, { life, before: life, offset: 0, lastNumber: number, lastMs: nowMs });
      return number;
    }
    if (life !== sender.life) {
      if (life === sender.before) return undefined;
      const missed = Math.max(1, Math.round((nowMs - sender.lastMs) / everyMs));
      sender.offset = sender.lastNumber + missed - number;
      sender.before = sender.life;
      sender.life = life;
    }
    const whole = number + sender.offset;
    if (whole > sender.lastNumber) {
      sender.lastNumber = whole;
      sender.lastMs = nowMs;
    }
    return whole;
  }

  /** The endpoint is no member any more. */
  forget(from: string): void {
    this.#senders.delete(from);
    this.#senders.delete(`report ${from}`);
  }
}

export interface HeartbeatReceiverParts {
  readonly clock: Clock;
  /** Others are ignored. */
  isMember(from: string): boolean;
  hear(heartbeat: Heartbeat, number: number): void;
}

export class HeartbeatReceiver {
  readonly #parts: HeartbeatReceiverParts;
  readonly #numbers = new HeartbeatNumbers();
  readonly #sockets = new Set<Socket>();

  constructor(parts: HeartbeatReceiverParts) {
    this.#parts = parts;
  }

  /** Opens a port, 0 for any that is free; returns it. */
  async listen(port: number, host: string): Promise<number> {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, host, resolve);
    });
    socket.removeAllListeners('error');
    socket.on('error', () => undefined);
    socket.on('message', (bytes) => this.#take(bytes));
    socket.unref();
    this.#sockets.add(socket);
    return socket.address().port;
  }

  forget(from: string): void {
    this.#numbers.forget(from);
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
    this.#sockets.clear();
  }

  #take(bytes: Uint8Array): void {
    const heartbeat = readHeartbeat(bytes);
    if (heartbeat === undefined || !this.#parts.isMember(heartbeat.from)) return;
    const number = this.#numbers.of(heartbeat, this.#parts.clock.now());
    if (number !== undefined) this.#parts.hear(heartbeat, number);
  }
}
