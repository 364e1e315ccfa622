/** Clients with nothing but their part of a router: instances in groups, and a balancer that takes them in turn. */
import { ClientSplits } from '../../../src/cluster/change/client-splits.ts';
import { setKey } from '../../../src/cluster/request-keys.ts';
import type { Streams } from '../../../src/core/streams.ts';
import { type Balancer, NO_ENDPOINT, type PickContext } from '../../../src/policies/balancing/balancer.ts';
import { EndpointSet } from '../../../src/policies/balancing/endpoint-set.ts';
import type { Pipeline } from '../../../src/policies/pipeline/pipeline.ts';
import { inTurn } from '../world-builder.ts';

/** Two of v1, then two of v2. */
export const groups: readonly string[] = ['v1', 'v1', 'v2', 'v2'];

export class SplitClient {
  readonly splits: ClientSplits;
  readonly streams: Streams;
  /** Balancers as they were made, one per configuration. */
  readonly balancers: Balancer[];

  constructor(clock: { readonly time: number }, streams: Streams, number = 0) {
    this.streams = streams;
    this.balancers = [];
    this.splits = new ClientSplits(clock, streams, `web/${number}`, groups.length, 'v1');
    groups.forEach((group, slot) => this.splits.setGroup(slot, group));
    this.configure();
  }

  /** One more configuration. */
  configure(): void {
    const endpoints = new EndpointSet(groups.length);
    groups.forEach((_, slot) => endpoints.addAt(slot, `api/${slot}`, {}, 0));
    const rng = this.streams.stream(`balancer/${this.balancers.length}`);
    const balancer = this.splits.make({ rng }, inTurn);
    endpoints.bind(balancer, 0);
    this.balancers.push(balancer);
  }

  /** Where a request with this key goes; −1 for one without. */
  pick(key = -1, configuration = this.balancers.length - 1): number {
    return this.balancers[configuration].pick(contextOf(key));
  }

  version(key = -1, configuration = this.balancers.length - 1): string {
    const slot = this.pick(key, configuration);
    return slot === NO_ENDPOINT ? '' : groups[slot];
  }

  /** Share of requests without a key that go to v2. */
  share(times = 4000): number {
    return Array.from({ length: times }, () => this.version()).filter((name) => name === 'v2').length / times;
  }
}

/** As a pipeline would say it. */
export function contextOf(key: number): PickContext {
  const context = { nowMs: 0, attempt: 0, previous: NO_ENDPOINT, hasHash: false, hashHigh: 0, hashLow: 0 };
  const pipeline: Pick<Pipeline, 'setHash' | 'clearHash'> = {
    setHash: (hashHigh, hashLow) => Object.assign(context, { hasHash: true, hashHigh, hashLow }),
    clearHash: () => undefined,
  };
  setKey(pipeline, key);
  return context;
}
