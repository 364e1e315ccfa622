/** One client's part of the router: divides its requests among groups of instances, whatever configuration it has. Each configuration has
 *  balancers of its own; those of earlier ones go on with the requests that began with them. */
import type { Ms } from '../../core/time.ts';
import type { Streams } from '../../core/streams.ts';
import type { Balancer, BalancerDeps } from '../../policies/balancing/balancer.ts';
import { type BucketOf, TrafficSplit } from '../../policies/balancing/traffic-split.ts';
import type { EdgeMakers } from '../../scenario/makers.ts';
import type { EdgeSpec, Scenario } from '../../scenario/spec.ts';
import { isChanged } from './is-changed.ts';
import type { Weights } from './router.ts';

export class ClientSplits {
  private readonly clock: { readonly time: Ms };
  private readonly streams: Streams;
  /** The client's, as its streams have it. */
  private readonly name: string;
  /** By slot. */
  private readonly groups: string[];
  private readonly made: TrafficSplit[];
  private shares: Weights | undefined;
  private bucketOf: BucketOf | undefined;

  constructor(clock: { readonly time: Ms }, streams: Streams, name: string, slots: number, group: string) {
    this.clock = clock;
    this.streams = streams;
    this.name = name;
    this.groups = Array<string>(slots).fill(group);
    this.made = [];
    this.shares = undefined;
    this.bucketOf = undefined;
  }

  /** The balancer of one more configuration, around what that configuration picks with. */
  make(deps: BalancerDeps, makeInner: (deps: BalancerDeps) => Balancer): Balancer {
    const { clock, streams, name, groups } = this;
    const turn = this.made.length === 0 ? '' : `/${this.made.length}`;
    const split = new TrafficSplit({
      rng: streams.stream(`split/${name}${turn}`),
      makeBalancer: (group) =>
        makeInner(group === undefined ? deps : { ...deps, rng: streams.stream(`balancer/${name}${turn}/${group}`) }),
    });
    groups.forEach((group, slot) => split.setGroup(slot, group, clock.time));
    split.setShares(this.shares, clock.time, this.bucketOf);
    this.made.push(split);
    return split;
  }

  setGroup(slot: number, group: string): void {
    this.groups[slot] = group;
    for (const split of this.made) split.setGroup(slot, group, this.clock.time);
  }

  setShares(shares: Weights, bucketOf: BucketOf | undefined): void {
    this.shares = shares;
    this.bucketOf = bucketOf;
    for (const split of this.made) split.setShares(shares, this.clock.time, bucketOf);
  }
}

/** Where instances of the called service are released, its clients divide requests among the versions. */
export function splitsOf(
  scenario: Omit<Scenario, 'variants'>,
  { service, queue, name }: EdgeSpec,
  ordinal: number,
  clock: { readonly time: Ms },
  streams: Streams,
): ClientSplits | undefined {
  if (!isChanged(scenario, service, 'release') || queue >= 0) return undefined;
  const { versions = [], instances } = scenario.services[service];
  return new ClientSplits(clock, streams, `${name}/${ordinal}`, instances.length, versions[0].name);
}

/** The same makers, with balancers that divide. */
export function divided(makers: EdgeMakers, splits: ClientSplits | undefined): EdgeMakers {
  if (splits === undefined) return makers;
  return { ...makers, balancer: (deps) => splits.make(deps, makers.balancer) };
}
