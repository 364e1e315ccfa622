/** The router of a service whose instances are released version by version: which share of the requests goes to which group of instances. Every
 *  client of the service has its part of it and is told of new shares as it is told of new endpoints: after a time of its own. */
import type { Streams } from '../../core/streams.ts';
import type { Xoshiro128 } from '../../core/xoshiro.ts';
import type { BucketOf } from '../../policies/balancing/traffic-split.ts';
import { flagHashes } from '../../policies/rollout/flags/flag-hashes.ts';
import type { UserHash } from '../../policies/rollout/strategies/rollout.ts';
import type { ServiceSpec } from '../../scenario/spec.ts';
import { makeSampler, type Sampler } from '../../stats/samplers.ts';
import type { Client } from '../client.ts';
import type { Errands } from '../orchestration/errands.ts';
import type { ClientSplits } from './client-splits.ts';

/** Percent by group. */
export type Weights = Readonly<Record<string, number>>;

export interface RouterParts {
  readonly errands: Errands;
  readonly streams: Streams;
  readonly service: ServiceSpec;
  readonly clients: readonly { readonly client: Client; readonly splits: ClientSplits }[];
  /** A client's balancer may want to be woken at another time. */
  readonly changed: (client: Client) => void;
}

export class Router {
  /** As it was told last. */
  weights: Weights;
  private readonly parts: RouterParts;
  private readonly delay: Sampler;
  private readonly rng: Xoshiro128;
  /** By client: the latest news heard. Later news may overtake earlier ones. */
  private readonly heard: number[];
  private count: number;
  private hash: UserHash | undefined;
  private bucketOf: BucketOf | undefined;

  /** All clients have known the first weights for long. */
  constructor(parts: RouterParts, weights: Weights) {
    this.parts = parts;
    this.delay = makeSampler(parts.service.elastic.endpointDelay);
    this.rng = parts.streams.stream(`router/${parts.service.name}`);
    this.heard = parts.clients.map(() => 0);
    this.count = 0;
    this.weights = weights;
    this.hash = undefined;
    this.bucketOf = undefined;
    for (const { splits } of parts.clients) splits.setShares(weights, undefined);
  }

  divide(weights: Weights, hash: UserHash | undefined): void {
    const { errands, clients, changed } = this.parts;
    this.weights = weights;
    const number = ++this.count;
    // What it answered is remembered by the clients, as long as it is the same.
    if (JSON.stringify(hash) !== JSON.stringify(this.hash)) this.bucketOf = hash && bucketsOf(hash);
    this.hash = hash;
    const { bucketOf } = this;
    clients.forEach(({ client, splits }, index) => {
      errands.later(this.delay.sample(this.rng), () => {
        if (this.heard[index] > number) return;
        this.heard[index] = number;
        splits.setShares(weights, bucketOf);
        changed(client);
      });
    });
  }
}

/** Percentages are told apart to a thousandth, as by those hashes that do so at all. */
const STEPS = 100_000;

/** Where a user stands between 0 and 1, from a hash that only says who is in at which percentage. Roll-outs name the old version first, so
 *  whoever is in first stands last. */
function bucketsOf({ name, flag, salt }: UserHash): BucketOf {
  return (hashHigh, hashLow) => {
    const user = `${hashHigh.toString(16)}-${hashLow.toString(16)}`;
    let from = 1;
    let to = STEPS;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (flagHashes[name].isOn(flag, salt, user, (100 * middle) / STEPS)) to = middle;
      else from = middle + 1;
    }
    return 1 - (from - 0.5) / STEPS;
  };
}
