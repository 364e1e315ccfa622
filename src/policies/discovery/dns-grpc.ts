/** DNS as gRPC asks it: once at the start, and then only when a connection fails, at most every 30 seconds.
 *
 *  Cheap, and enough where instances that leave close their connections. It fails to find newcomers: as long as every connection is
 *  well, nobody looks. Times to live play no part.
 *
 *  After an answer the resolver waits for a demand, and then until the minimum interval since the answer has passed. Demands have one
 *  place to wait in, so one that comes while another is being served leads to a further look-up. After a failure it asks again by
 *  itself, with the back-off that gRPC uses for connections. */
import { duration, fraction, number } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';
import {
  defineDiscoveryClient,
  type DiscoveryDeps,
  emptyUpdates,
  type SourceFailure,
  type SourceView,
} from './discovery-client.ts';
import { AskingClient } from './parts/asking-client.ts';

export const dnsGrpcDiscovery = defineDiscoveryClient({
  name: 'dns-grpc',
  summary: 'Looks its name up at the start and when connections fail, at most every 30 seconds.',
  useWhen: 'Instances that leave close their connections, and newcomers may wait.',
  failsWhen: 'Instances are added: nobody looks while all connections are well.',
  cost: 'one look-up per demand, at most one per minimum interval',
  sources: ['grpc/grpc-go: internal/resolver/dns/dns_resolver.go', 'grpc/grpc-go: internal/backoff/backoff.go'],
  aliases: [{ system: 'gRPC', name: 'dns' }],
  params: {
    minResolutionInterval: duration({
      default: 30_000,
      min: 0,
      about: 'At least this passes between an answer and the next look-up.',
      official: 'gRPC MinResolutionInterval',
    }),
    baseDelay: duration({ default: 1000, min: 1, about: 'Unit of the back-off after failures.', official: 'gRPC BaseDelay' }),
    multiplier: number({
      default: 1.6,
      min: 1,
      max: 100,
      about: 'Each wait is this times the last.',
      official: 'gRPC Multiplier',
    }),
    jitter: fraction({ default: 0.2, about: 'Share of a wait by which it may be longer or shorter.', official: 'gRPC Jitter' }),
    maxDelay: duration({ default: 120_000, min: 1, about: 'No wait is longer, jitter aside.', official: 'gRPC MaxDelay' }),
    resolvingTimeout: duration({
      default: 30_000,
      min: 1,
      about: 'A look-up without an answer has failed after this.',
      official: 'gRPC ResolvingTimeout',
    }),
    emptyUpdates,
  },
  create: (params, deps) => new DnsGrpcDiscovery(params, deps),
});

/** The wait after the n-th failure in a row, n from 1: gRPC counts this back-off from its second step. `u` in [0, 1) places it. */
export function grpcResolverBackoffMs(failures: number, params: BackoffParams, u: number): Ms {
  let ms = params.baseDelay;
  for (let step = 0; step < failures && ms < params.maxDelay; step++) ms *= params.multiplier;
  return Math.max(0, Math.min(ms, params.maxDelay) * (1 + params.jitter * (2 * u - 1)));
}

interface BackoffParams {
  readonly baseDelay: Ms;
  readonly multiplier: number;
  readonly jitter: number;
  readonly maxDelay: Ms;
}

interface DnsGrpcParams extends BackoffParams {
  readonly minResolutionInterval: Ms;
  readonly resolvingTimeout: Ms;
  readonly emptyUpdates: 'keep' | 'apply';
}

class DnsGrpcDiscovery extends AskingClient {
  readonly #params: DnsGrpcParams;
  readonly #rng: Rng;
  #isDemanded = false;
  /** Nobody asks yet; `askAtMs` is then the earliest next look-up. */
  #isIdle = false;
  #failures = 0;

  constructor(params: DnsGrpcParams, deps: DiscoveryDeps) {
    super(deps, params.emptyUpdates);
    this.#params = params;
    this.#rng = deps.rng;
  }

  /** A channel that works has no reason to look again. */
  resolveNow(nowMs: Ms, isFailure = true): void {
    if (!isFailure) return;
    this.#isDemanded = true;
    this.#serveDemand();
    if (this.askAtMs <= nowMs) this.onTimer(nowMs);
  }

  onFetched(id: number, answer: SourceView | SourceFailure, nowMs: Ms): void {
    if (!this.requester.settle(id)) return;
    if (typeof answer === 'string') {
      this.fail(nowMs);
      return;
    }
    this.#failures = 0;
    this.#isIdle = true;
    this.askAtMs = nowMs + this.#params.minResolutionInterval;
    this.#serveDemand();
    this.view.accept(answer, nowMs);
  }

  override nextTimerMs(): Ms {
    return this.#isIdle ? Infinity : super.nextTimerMs();
  }

  override onTimer(nowMs: Ms): void {
    if (!this.#isIdle) super.onTimer(nowMs);
  }

  #serveDemand(): void {
    if (!this.#isIdle || !this.#isDemanded) return;
    this.#isIdle = false;
    this.#isDemanded = false;
  }

  protected fail(nowMs: Ms): void {
    this.#failures++;
    this.view.fail();
    this.askAtMs = nowMs + grpcResolverBackoffMs(this.#failures, this.#params, this.#rng.next());
  }

  protected ask(nowMs: Ms): void {
    this.askAtMs = Infinity;
    this.requester.ask(0, 0, this.#params.resolvingTimeout, nowMs);
  }
}
