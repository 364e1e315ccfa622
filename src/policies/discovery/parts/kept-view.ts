/** The list a client goes by: the last good answer, how old it is, and whether the source has failed since. */
import type { Ms } from '../../../core/time.ts';
import type { DiscoveryDeps, DiscoverySink, SourceView } from '../discovery-client.ts';

export class KeptView {
  readonly #sink: DiscoverySink;
  readonly #configured: readonly number[];
  readonly #keepsOnEmpty: boolean;
  #members: readonly number[] = [];
  /** When the view was right at the source; −Infinity while nothing is known. */
  #trueAtMs: Ms = -Infinity;
  #isStale = true;

  constructor(deps: DiscoveryDeps, emptyUpdates: 'keep' | 'apply') {
    this.#sink = deps.sink;
    this.#configured = deps.configured;
    this.#keepsOnEmpty = emptyUpdates === 'keep';
  }

  /** Shows the configured list. It is nobody's answer, so the view stays stale and without age. */
  start(nowMs: Ms): void {
    this.#show(this.#configured, nowMs);
  }

  /** An answer. One that takes everybody away counts as a failure, unless such answers are to be believed. */
  accept(view: SourceView, nowMs: Ms): void {
    if (view.members.length === 0 && this.#members.length > 0 && this.#keepsOnEmpty) {
      this.fail();
      return;
    }
    this.#trueAtMs = nowMs - view.ageMs;
    this.#isStale = false;
    this.#show(view.members, nowMs);
  }

  /** The source did not answer, or not usefully. */
  fail(): void {
    this.#isStale = true;
  }

  get isStale(): boolean {
    return this.#isStale;
  }

  ageMs(nowMs: Ms): Ms {
    return nowMs - this.#trueAtMs;
  }

  #show(members: readonly number[], nowMs: Ms): void {
    const next = [...new Set(members)].sort((a, b) => a - b);
    if (next.length === this.#members.length && next.every((member, i) => member === this.#members[i])) return;
    this.#members = next;
    this.#sink.update(next, nowMs);
  }
}
