/** What agents share: dropping what is old, refusing what is bad, keeping what is good, and asking again. */
import { boolean, duration, fraction } from '../../../../core/params.ts';
import type { Ms } from '../../../../core/time.ts';
import type { AgentDeps, AgentMessage, ConfigAgent, ConfigUpdate, DistributorMessage } from '../config-agent.ts';

export const cacheOnDisk = boolean({
  default: true,
  about: 'Whether the last good update survives a restart.',
});

export const pollParams = {
  interval: duration({ default: 60_000, min: 1, about: 'Between questions.' }),
  jitter: fraction({
    default: 0.5,
    about: 'Each wait is shorter by up to this share at random, so that hosts that started together do not ask together.',
  }),
} as const;

export const streamParams = {
  retryInitialDelay: duration({
    default: 500,
    min: 1,
    about: 'Bound of the first random wait before a broken stream is opened again; each further bound is twice as high.',
    official: 'Envoy RetryInitialDelayMs',
  }),
  retryMaxDelay: duration({ default: 30_000, min: 1, about: 'No bound is higher.', official: 'Envoy RetryMaxDelayMs' }),
} as const;

export interface AgentSettings {
  readonly cacheOnDisk: boolean;
  /** Infinity: never. */
  readonly pollEveryMs: Ms;
  readonly jitter: number;
  /** Undefined: no stream. */
  readonly stream: { readonly initialMs: Ms; readonly maxMs: Ms } | undefined;
}

export class KeepingAgent implements ConfigAgent {
  readonly #settings: AgentSettings;
  readonly #deps: AgentDeps;
  #active: ConfigUpdate | undefined;
  /** Refused already; only something newer is worth a try. */
  #refused = 0;
  #newestMs: Ms = -Infinity;
  #failures = 0;
  #pollAtMs: Ms = Infinity;
  #connectAtMs: Ms = Infinity;

  constructor(settings: AgentSettings, deps: AgentDeps) {
    this.#settings = settings;
    this.#deps = deps;
  }

  get active(): ConfigUpdate | undefined {
    return this.#active;
  }

  start(nowMs: Ms): void {
    this.#failures = 0;
    if (this.#settings.stream === undefined) this.#poll(nowMs);
    else {
      this.#connect(nowMs);
      this.#pollLater(nowMs);
    }
  }

  onMessage(message: DistributorMessage, nowMs: Ms): void {
    this.#failures = 0;
    if (this.#settings.stream !== undefined) this.#connectAtMs = Infinity;
    if (message.kind === 'unchanged') {
      if (message.version <= this.#have) this.#newestMs = nowMs;
      return;
    }
    this.#take(message.update, nowMs);
  }

  onDisconnected(nowMs: Ms): void {
    if (this.#settings.stream !== undefined) this.#retry(nowMs);
  }

  onRestarted(nowMs: Ms): void {
    if (!this.#settings.cacheOnDisk) this.#active = undefined;
    this.#refused = 0;
    this.#newestMs = -Infinity;
    this.start(nowMs);
  }

  ageMs(nowMs: Ms): Ms {
    return nowMs - this.#newestMs;
  }

  nextTimerMs(): Ms {
    return Math.min(this.#pollAtMs, this.#connectAtMs);
  }

  onTimer(nowMs: Ms): void {
    if (nowMs >= this.#connectAtMs) this.#connect(nowMs);
    if (nowMs >= this.#pollAtMs) this.#poll(nowMs);
  }

  get #have(): number {
    return this.#active?.version ?? 0;
  }

  #take(update: ConfigUpdate, nowMs: Ms): void {
    const { version } = update;
    if (version <= this.#have) {
      // Late, or sent again because its acknowledgement was lost.
      if (version === this.#have) this.#send({ kind: 'ack', version }, nowMs);
      return;
    }
    const error = version === this.#refused ? 'refused before' : this.#deps.host.apply(update, nowMs);
    if (error === undefined) {
      this.#active = update;
      this.#newestMs = nowMs;
      this.#send({ kind: 'ack', version }, nowMs);
    } else {
      this.#refused = Math.max(this.#refused, version);
      this.#send({ kind: 'nack', version, have: this.#have, error }, nowMs);
    }
  }

  #poll(nowMs: Ms): void {
    this.#pollLater(nowMs);
    this.#send({ kind: 'poll', have: Math.max(this.#have, this.#refused) }, nowMs);
  }

  #pollLater(nowMs: Ms): void {
    const { pollEveryMs, jitter } = this.#settings;
    this.#pollAtMs = pollEveryMs === Infinity ? Infinity : nowMs + pollEveryMs * (1 - jitter * this.#deps.rng.next());
  }

  #connect(nowMs: Ms): void {
    // Until the first answer nobody knows whether the stream is there.
    this.#retry(nowMs);
    this.#send({ kind: 'subscribe', have: this.#have }, nowMs);
  }

  #retry(nowMs: Ms): void {
    const { initialMs, maxMs } = this.#settings.stream!;
    let boundMs = initialMs;
    for (let step = 0; step < this.#failures && boundMs < maxMs; step++) boundMs *= 2;
    this.#failures++;
    this.#connectAtMs = nowMs + Math.min(boundMs, maxMs) * (0.5 + 0.5 * this.#deps.rng.next());
  }

  #send(message: AgentMessage, nowMs: Ms): void {
    this.#deps.host.send(message, nowMs);
  }
}
