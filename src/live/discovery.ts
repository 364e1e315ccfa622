/** Drives a discovery client: asks a real source for it, and hands on the members it goes by as URLs. */
import type { Rng } from '../core/rng.ts';
import type { Clock, Ms } from '../core/time.ts';
import type {
  DiscoveryClient,
  DiscoveryDeps,
  FetchRequest,
  SourceFailure,
  SourceView,
} from '../policies/discovery/discovery-client.ts';
import { discoveryClients } from '../policies/discovery/index.ts';
import { Directory } from './directory.ts';
import type { DiscoverySource, SourceAnswer } from './discovery-source.ts';
import { originIn } from './origin.ts';
import { PolicyTimer } from './policy-timer.ts';
import type { Timers } from './system.ts';
import { makePolicy, type Use } from './use.ts';

export interface DiscoveryParts {
  readonly client: Use<DiscoveryDeps, DiscoveryClient>;
  /** None for clients that ask nobody. */
  readonly source: DiscoverySource | undefined;
  /** Members to begin with. */
  readonly configured: readonly string[];
  readonly clock: Clock;
  readonly timers: Timers;
  readonly rng: Rng;
  /** The members changed to these. */
  update(members: readonly string[]): void;
}

/** A source that holds no questions is asked again this often for clients that want to be told when there is news. */
const POLL_MS: Ms = 1000;
/** For streams, one question after the other is held as long. */
const HELD_MS: Ms = 300_000;

export class Discovery {
  readonly #parts: DiscoveryParts;
  readonly #client: DiscoveryClient;
  readonly #timer: PolicyTimer;
  readonly #directory = new Directory();
  #members: readonly number[] = [];
  /** The question under way; the client has one at a time. */
  #asking: AbortController | undefined;
  #unwatch: (() => void) | undefined;
  /** Of sources without versions: what they said last, and how many different answers there were. */
  #said = '';
  #version = 0;

  constructor(parts: DiscoveryParts) {
    this.#parts = parts;
    this.#client = makePolicy(discoveryClients, parts.client, {
      rng: parts.rng,
      host: { fetch: (request) => this.#fetch(request) },
      sink: { update: (members) => this.#update(members) },
      configured: parts.configured.map((address) => this.#directory.numberOf(address)),
    });
    this.#timer = new PolicyTimer(this.#client, parts.clock, parts.timers);
  }

  start(): void {
    this.#client.start(this.#parts.clock.now());
    this.#unwatch = this.#parts.source?.watch?.(() => {
      this.#client.onSourceChanged?.(this.#parts.clock.now());
      this.#timer.rearm();
    });
    this.#timer.rearm();
  }

  /** A connection is to be made, or one failed. Cheap enough for every request. */
  resolveNow(isFailure: boolean): void {
    if (this.#client.resolveNow === undefined) return;
    this.#client.resolveNow(this.#parts.clock.now(), isFailure);
    this.#timer.rearm();
  }

  /** Time since the members were last known to be what the source had. */
  get ageMs(): Ms {
    return this.#client.ageMs(this.#parts.clock.now());
  }

  /** Whether the source did not answer when it was last asked. */
  get isStale(): boolean {
    return this.#client.isStale(this.#parts.clock.now());
  }

  close(): void {
    this.#timer.stop();
    this.#unwatch?.();
    this.#asking?.abort();
  }

  #fetch(request: FetchRequest): void {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    void this.#answer(request, asking.signal);
  }

  /** Tells the client what comes back, of a stream again and again; nothing once it asks something else. */
  async #answer({ id, index, waitMs }: FetchRequest, signal: AbortSignal): Promise<void> {
    const isStream = waitMs === Infinity;
    let known = index;
    // The first answer of a stream comes at once.
    let heldMs = isStream ? 0 : waitMs;
    for (;;) {
      const answer = await this.#askUntilNews(known, heldMs, signal);
      if (signal.aborted) return;
      const isNews = typeof answer === 'string' || answer.index !== known || heldMs === 0;
      if (isNews || !isStream) this.#client.onFetched(id, answer, this.#parts.clock.now());
      this.#timer.rearm();
      if (!isStream || typeof answer === 'string' || signal.aborted) return;
      known = answer.index;
      heldMs = HELD_MS;
    }
  }

  /** A source may answer before there is news, although it was allowed to wait: it is asked again. */
  async #askUntilNews(index: number, waitMs: Ms, signal: AbortSignal): Promise<SourceView | SourceFailure> {
    const { clock } = this.#parts;
    const untilMs = clock.now() + waitMs;
    for (;;) {
      const answer = await this.#ask(index, Math.max(0, untilMs - clock.now()), signal);
      if (signal.aborted || typeof answer === 'string') return answer;
      if (index === 0 || answer.index !== index || clock.now() >= untilMs) return answer;
      await this.#pause(Math.min(POLL_MS, untilMs - clock.now()), signal);
      if (signal.aborted) return answer;
    }
  }

  async #ask(index: number, waitMs: Ms, signal: AbortSignal): Promise<SourceView | SourceFailure> {
    const { source } = this.#parts;
    if (source === undefined) return 'unreachable';
    try {
      const answer = await source.ask({ index, waitMs }, signal);
      return typeof answer === 'string' ? answer : this.#viewOf(answer);
    } catch {
      return 'unreachable';
    }
  }

  #viewOf({ members: urls, index, ageMs = 0, ttlMs = Infinity }: SourceAnswer): SourceView {
    // What is no endpoint cannot be used, and is no reason to lose the others.
    const origins = urls.map(originIn).filter((origin) => origin !== undefined);
    const members = origins.map((origin) => this.#directory.numberOf(origin));
    const kept = new Set([...members, ...this.#members]);
    this.#directory.keep((number) => kept.has(number));
    return { members, index: index ?? this.#versionOf(origins), ageMs, ttlMs };
  }

  #versionOf(origins: readonly string[]): number {
    const said = origins.toSorted().join(' ');
    if (said !== this.#said || this.#version === 0) this.#version++;
    this.#said = said;
    return this.#version;
  }

  #update(members: readonly number[]): void {
    this.#members = members;
    this.#parts.update(members.map((number) => this.#directory.addressOf(number)!));
  }

  #pause(ms: Ms, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        timer.clear();
        signal.removeEventListener('abort', over);
        resolve();
      };
      const timer = this.#parts.timers.set(ms, over);
      signal.addEventListener('abort', over);
    });
  }
}
