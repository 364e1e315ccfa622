/** Worlds in which versions are rolled out, in few words. Messages take no time unless a test says so. Times in ms. */
import { agents } from '../../../src/policies/rollout/propagation/index.ts';
import { electors } from '../../../src/policies/rollout/elections/index.ts';
import { stores } from '../../../src/policies/rollout/store/index.ts';
import { type Rollout, type RolloutDeps, rollouts } from '../../../src/policies/rollout/strategies/index.ts';
import { replicaSet } from '../../../src/policies/recovery/replicas/index.ts';
import type { ClusterMakers, ServiceMakers } from '../../../src/scenario/makers.ts';
import type { ChangeSpec, DeliverySpec, VersionEffect, VersionSpec } from '../../../src/scenario/spec.ts';
import type { ChangeResult, RolloutResult, VersionTraffic } from '../../../src/stats/result.ts';
import { buildWorld, constant, type Played, playWorld, type PlaySetup, type World } from '../world-builder.ts';

type Always = 'afterMs' | 'load' | 'zones';
type Sometimes<Effect extends VersionEffect> = Effect extends VersionEffect
  ? Omit<Effect, Always> & Partial<Pick<Effect, Always>>
  : never;

export const effect = (rest: Sometimes<VersionEffect>): VersionEffect => ({ afterMs: 0, load: 0, zones: [], ...rest });

export const version = (
  name: string,
  effects: readonly Sometimes<VersionEffect>[] = [],
  rest: Partial<VersionSpec> = {},
): VersionSpec => ({
  name,
  isBad: false,
  isMalformed: false,
  ...rest,
  effects: effects.map((each) => effect(each)),
});

export const release = (to: string, atMs: number, rest: Partial<ChangeSpec> = {}): ChangeSpec => ({
  ...{ kind: 'release', atMs, service: 0, version: to },
  ...rest,
});
export const config = (to: string, atMs: number, rest: Partial<ChangeSpec> = {}): ChangeSpec =>
  release(to, atMs, { kind: 'config', ...rest });

export const atOnceDelivery: DeliverySpec = {
  ...{ controllers: 1, isFenced: true, latency: constant(0), loss: 0, distributors: [] },
  ...{ pushesPerSecond: Infinity, ackTimeoutMs: 5000 },
};

/** A strategy of the table by name. */
export const strategy =
  (name: string, params: object = {}) =>
  (deps: RolloutDeps): Rollout =>
    rollouts[name].make(params, deps);

export const deciding: ClusterMakers = {
  store: (deps) => stores['etcd'].make({}, deps),
  election: (deps) => electors['session-lock'].make({}, deps),
  propagation: (deps) => agents['push'].make({}, deps),
};

export interface ChangeSetup extends PlaySetup {
  readonly versions: readonly VersionSpec[];
  readonly changes?: readonly ChangeSpec[];
  readonly delivery?: Partial<DeliverySpec>;
  /** Defaults to everything at once. */
  readonly rollout?: (deps: RolloutDeps) => Rollout;
}

export interface PlayedChange extends Played {
  readonly change: ChangeResult;
}

/** A service `api` with these versions, of which the first is there at first. */
export function playChange(setup: ChangeSetup): PlayedChange {
  const { versions, ...rest } = setup;
  const base = buildWorld(rest);
  return playChanges({ ...base, services: base.services.map((service) => ({ ...service, versions })) }, setup);
}

/** Any world, with what is rolled out in it. */
export function playChanges(world: World, setup: Omit<ChangeSetup, 'versions'>): PlayedChange {
  const { changes = [], delivery, rollout = strategy('all-at-once'), service, services, cluster } = setup;
  const makersOf = (number: number): ServiceMakers => {
    const isReleased = changes.some(({ kind, service: of }) => kind === 'release' && of === number);
    const replaced: ServiceMakers = isReleased ? { replicas: (deps) => replicaSet.make({}, deps) } : {};
    return { rollout, ...replaced, ...service, ...services?.[number] };
  };
  const played = playWorld(
    { ...world, changes, delivery: { ...atOnceDelivery, ...delivery } },
    {
      ...setup,
      services: Object.fromEntries(world.services.map((_, number) => [number, makersOf(number)])),
      cluster: { ...deciding, ...cluster },
    },
  );
  if (played.change === undefined) throw new Error('nothing was rolled out');
  return { ...played, change: played.change };
}

/** The roll-out that was asked for first, or later. */
export const rolloutOf = ({ change }: PlayedChange, which = 0): RolloutResult => change.rollouts[which];
/** What was measured of the first service and kind, or of others. */
export const trafficOf = ({ change }: PlayedChange, which = 0): VersionTraffic => change.traffic[which];

/** Whoever came to which version, and when; without those that were there at first. */
export const moves = ({ change }: PlayedChange): (readonly [atMs: number, host: string, version: string])[] =>
  change.hosts.flatMap(({ atMs, host, version: to }) => (atMs === 0 ? [] : [[atMs, host, to] as const]));

/** Phases as told, with their times. */
export const phases = ({ change }: PlayedChange): (readonly [atMs: number, phase: string])[] =>
  change.phases.map(({ atMs, phase }) => [atMs, phase] as const);

/** Instants of one request every `everyMs`, from `fromMs` to before `toMs`. */
export const each = (everyMs: number, fromMs: number, toMs: number): number[] =>
  Array.from({ length: Math.ceil((toMs - fromMs) / everyMs) }, (_, index) => fromMs + index * everyMs);
