/** An instance at a `RegistryServer`: registers, says as often as the registry wants that it is still there, and leaves at the end.
 *
 *      const registration = register({ registry: 'http://10.0.0.9:8500', service: 'api', endpoint: 'http://10.0.0.1:8080' });
 *
 *  Renewals fall due at start + k · period. One that finds that the registry has forgotten it, or was started anew, registers again. While
 *  the registry is out of reach it goes on trying at the same rate. */
import { InputError } from '../core/errors.ts';
import type { Clock, Ms } from '../core/time.ts';
import type { HealthStatus } from '../policies/discovery/registries/registry.ts';
import { requestJson } from './json-request.ts';
import { originOf } from './origin.ts';
import { backgroundTimers, systemClock, type Timer, type Timers } from './system.ts';

export interface RegistrationOptions {
  /** The server's URL. */
  readonly registry: string;
  readonly service: string;
  /** The URL under which others reach this instance. */
  readonly endpoint: string;
  /** How it does; `passing` by default. */
  status?(): HealthStatus;
  /** Instead of as often as the registry wants. */
  readonly everyMs?: Ms;
  /** The registry knows it, or has been told how it does. */
  onRenewed?(): void;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

export const register = (options: RegistrationOptions): Registration => new Registration(options);

/** While nothing is known of the registry. */
const RETRY_MS: Ms = 1000;

export class Registration {
  readonly #options: RegistrationOptions;
  readonly #url: string;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #closing = new AbortController();
  #everyMs: Ms | undefined;
  #nextMs: Ms;
  #isRegistered = false;
  #timer: Timer | undefined;

  constructor(options: RegistrationOptions) {
    const { registry, service, endpoint } = options;
    this.#options = options;
    if (options.everyMs !== undefined && !(options.everyMs > 0)) {
      throw InputError.of('bad-option', `an instance cannot renew every ${options.everyMs} ms`);
    }
    const path = `/services/${encodeURIComponent(service)}/${encodeURIComponent(originOf(endpoint))}`;
    this.#url = new URL(path, registry).href;
    this.#clock = options.clock ?? systemClock();
    this.#timers = options.timers ?? backgroundTimers;
    this.#everyMs = options.everyMs;
    this.#nextMs = this.#clock.now();
    void this.#renew();
  }

  /** Leaves. Resolves when the registry has heard of it, or cannot be told. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#timer?.clear();
    await requestJson(this.#url, 'DELETE').catch(() => undefined);
  }

  /** Stops without leaving, as a process that crashes does. */
  abandon(): void {
    this.#closing.abort();
    this.#timer?.clear();
  }

  async #renew(): Promise<void> {
    await this.#tell().catch(() => undefined);
    if (this.#closing.signal.aborted) return;
    const everyMs = this.#everyMs ?? RETRY_MS;
    const nowMs = this.#clock.now();
    do this.#nextMs += everyMs;
    while (this.#nextMs <= nowMs);
    if (this.#nextMs < Infinity) this.#timer = this.#timers.set(this.#nextMs - nowMs, () => void this.#renew());
  }

  async #tell(): Promise<void> {
    const status = this.#options.status?.() ?? 'passing';
    if (!this.#isRegistered) await this.#register();
    const { status: code } = await this.#send('POST', `?status=${status}`);
    if (code === 200) this.#options.onRenewed?.();
    this.#isRegistered = code !== 404;
    if (code === 404) await this.#register();
  }

  async #register(): Promise<void> {
    const { status, body } = await this.#send('PUT', '');
    if (status !== 200) throw new Error(`the registry answered ${status}`);
    this.#isRegistered = true;
    const { renewEveryMs } = body as { readonly renewEveryMs: Ms | null };
    this.#everyMs = this.#options.everyMs ?? renewEveryMs ?? Infinity;
  }

  #send(method: string, query: string): ReturnType<typeof requestJson> {
    return requestJson(this.#url + query, method, this.#closing.signal);
  }
}
