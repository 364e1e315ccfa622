/** One type of resources on an xDS stream, state of the world, as a client: every answer is acknowledged with its nonce; one that cannot be
 *  used is refused, and what was accepted last stays in force.
 *
 *  A request says which version was accepted last and which answer it speaks of. So the same message is subscription, acknowledgement
 *  and refusal: the version alone tells them apart. On a new stream nonces start over, versions do not.
 *
 *  After envoyproxy/envoy: docs/root/api-docs/xds_protocol.rst. */
import type { Ms } from '../../../../core/time.ts';

export interface DiscoveryRequest {
  readonly versionInfo: string;
  readonly responseNonce: string;
  readonly resourceNames: readonly string[];
  /** Present in a refusal: what is wrong with the answer. */
  readonly errorDetail?: string;
}

export interface DiscoveryResponse<Resources> {
  readonly versionInfo: string;
  readonly nonce: string;
  readonly resources: Resources;
}

export const INITIAL_FETCH_TIMEOUT_MS: Ms = 15_000;

export interface SotwOptions<Resources> {
  /** What is wrong with resources; undefined for nothing. */
  readonly validate: (resources: Resources) => string | undefined;
  /** How long to wait for the first answer before going on without; 0: for ever. */
  readonly initialFetchTimeoutMs?: Ms;
}

export class SotwClient<Resources> {
  readonly #validate: (resources: Resources) => string | undefined;
  readonly #timeoutMs: Ms;
  #names: readonly string[] = [];
  #accepted: DiscoveryResponse<Resources> | undefined;
  #nonce = '';
  #startedAtMs: Ms = Infinity;
  #firstAnswerMs: Ms = Infinity;

  constructor({ validate, initialFetchTimeoutMs = INITIAL_FETCH_TIMEOUT_MS }: SotwOptions<Resources>) {
    this.#validate = validate;
    this.#timeoutMs = initialFetchTimeoutMs === 0 ? Infinity : initialFetchTimeoutMs;
  }

  /** What is in force: the last answer that was accepted. */
  get active(): Resources | undefined {
    return this.#accepted?.resources;
  }

  get activeVersion(): string {
    return this.#accepted?.versionInfo ?? '';
  }

  /** A stream was opened, for the first time or again. */
  connect(nowMs: Ms, resourceNames: readonly string[] = this.#names): DiscoveryRequest {
    this.#startedAtMs = Math.min(this.#startedAtMs, nowMs);
    this.#nonce = '';
    return this.subscribe(resourceNames);
  }

  /** Other resources from now on; none stands for all. */
  subscribe(resourceNames: readonly string[]): DiscoveryRequest {
    this.#names = resourceNames;
    return this.#request();
  }

  onResponse(response: DiscoveryResponse<Resources>, nowMs: Ms): DiscoveryRequest {
    this.#firstAnswerMs = Math.min(this.#firstAnswerMs, nowMs);
    this.#nonce = response.nonce;
    const errorDetail = this.#validate(response.resources);
    if (errorDetail === undefined) this.#accepted = response;
    return { ...this.#request(), ...(errorDetail === undefined ? {} : { errorDetail }) };
  }

  /** When whoever waits for this need wait no longer: the first answer has come, or is not waited for any more. */
  get warmAtMs(): Ms {
    return Math.min(this.#firstAnswerMs, this.#startedAtMs + this.#timeoutMs);
  }

  isWarm(nowMs: Ms): boolean {
    return nowMs >= this.warmAtMs;
  }

  #request(): DiscoveryRequest {
    return { versionInfo: this.activeVersion, responseNonce: this.#nonce, resourceNames: this.#names };
  }
}
