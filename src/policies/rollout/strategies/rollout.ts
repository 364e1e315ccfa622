/** Roll-outs: how a new version takes the place of the one that serves, of code as of configuration.
 *
 *  One object per service, for as long as the service lives. It is level-triggered: each time something changed, or its timer is due, it is
 *  shown what there is (`step`) and answers with what there shall be. Answers are absolute, so one that was lost or done twice does no harm,
 *  and where everything is as it should be there is no answer. Nothing is done by the object itself; in particular it does not choose which
 *  replica goes (the replica controller's business) nor where one runs (the placement's).
 *
 *  Code runs in groups of replicas, one group per version; configuration is on hosts, each of which has one version. A roll-out is made
 *  for one of the two (`RolloutDeps.unit`): it then scales groups, or pushes versions to hosts. All that it must remember is plain data
 *  (`snapshot`), so that another controller can go on where one left off. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Ms } from '../../../core/time.ts';
import type { FlagHashName } from '../flags/flag-hashes.ts';

export interface GroupStatus {
  /** The version, except where one version runs in two groups; then it is what the roll-out named in its `scale`. */
  readonly group: string;
  readonly version: string;
  /** Replicas asked for. */
  readonly spec: number;
  /** Replicas that exist, those on their way out included. */
  readonly created: number;
  readonly ready: number;
  /** Ready for `minReadyMs` or longer; see `isAvailable`. */
  readonly available: number;
}

export interface HostStatus {
  readonly host: string;
  /** What it shares its fate with: a zone, a rack, a cluster. */
  readonly domain: string;
  /** What it uses; undefined for nothing yet. */
  readonly version: string | undefined;
  /** What it was last told to use; undefined if it was never told. */
  readonly told: string | undefined;
  readonly isHealthy: boolean;
}

export interface MetricQuery {
  readonly name: string;
  /** Of which group, or of the hosts with which version. */
  readonly group: string;
  readonly windowMs: Ms;
}

export interface RolloutObservation {
  readonly nowMs: Ms;
  /** Replicas that the service shall have in all. */
  readonly desired: number;
  /** In order of creation, oldest first. Groups without replicas may be left out. */
  readonly groups: readonly GroupStatus[];
  /** Shares of traffic by group, in percent, as the router has them now; undefined if there is no router. */
  readonly weights: Readonly<Record<string, number>> | undefined;
  /** Where copies of requests go now; undefined: nowhere. */
  readonly mirror: { readonly group: string; readonly percent: number } | undefined;
  readonly hosts: readonly HostStatus[];
  /** Undefined: it cannot be read. Every host of a roll-out has `requests` and `errors` (counts within the window), `error-rate` (fraction),
   *  `latency.p50` and `latency.p99` (ms). */
  metric(query: MetricQuery): number | undefined;
}

export const rolloutPhases = [
  /** Nothing to do yet. */
  'idle',
  'progressing',
  /** Waiting for a time, or for somebody. */
  'paused',
  /** The new version is accepted and takes over. */
  'promoting',
  /** Going back to the old version. */
  'rolling-back',
  /** No progress within the deadline; it goes on as soon as it can. */
  'stalled',
  /** Given up with both versions in place. */
  'halted',
  /** Given up, the old version serves. */
  'aborted',
  'succeeded',
] as const;
export type RolloutPhase = (typeof rolloutPhases)[number];

export type RolloutAction =
  | { readonly kind: 'scale'; readonly group: string; readonly version: string; readonly replicas: number }
  /** Shares of traffic by group, in percent; groups that are not named get none. With `hash` users are divided by it and not by chance. */
  | { readonly kind: 'weight'; readonly weights: Readonly<Record<string, number>>; readonly hash?: UserHash }
  /** Copies of so many percent of all requests go to this group, whose answers nobody sees; undefined: to none. */
  | { readonly kind: 'mirror'; readonly group: string | undefined; readonly percent: number }
  | { readonly kind: 'push'; readonly version: string; readonly hosts: readonly string[] }
  | { readonly kind: 'phase'; readonly phase: RolloutPhase; readonly reason: string };

export interface UserHash {
  readonly name: FlagHashName;
  readonly flag: string;
  readonly salt: string;
}

/** What people do: go on after a pause, go on to the end, give up, start over, hold, go on from there. */
export const rolloutCommands = ['promote', 'promote-full', 'abort', 'retry', 'pause', 'resume'] as const;
export type RolloutCommand = (typeof rolloutCommands)[number];

export interface Rollout {
  readonly phase: RolloutPhase;
  /** The official word for why, where there is one: `CanaryPauseStep`. */
  readonly reason: string;
  /** How long a replica must be ready to be available. */
  readonly minReadyMs: Ms;
  /** Whether it divides traffic by a router, where there is one; if not, every ready replica gets its share. */
  readonly routes?: boolean;
  /** Whether replicas are not its business: both versions have to be there before it begins. */
  readonly leavesReplicas?: boolean;
  /** `to` shall take the place of `from`, which serves now; undefined if nothing does. Also in the middle of another roll-out. */
  start(from: string | undefined, to: string, nowMs: Ms): void;
  /** Takes effect with the next step. Strategies ignore what they have no use for. */
  command(command: RolloutCommand, nowMs: Ms): void;
  step(observation: RolloutObservation): readonly RolloutAction[];
  /** When `step` must be called at the latest; Infinity for never. A call at an earlier time does no harm. */
  nextTimerMs(): Ms;
  /** All that must be remembered, as plain data for `restore` of another object made with the same parameters. */
  snapshot(): unknown;
  restore(snapshot: unknown): void;
}

export const rolloutUnits = ['replicas', 'hosts'] as const;

export interface RolloutDeps {
  readonly unit: (typeof rolloutUnits)[number];
}

export type RolloutDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, RolloutDeps, Rollout>;

type Describe<Specs extends ParamSpecs> = Omit<RolloutDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: RolloutDeps): Rollout;
};

/** Declares a roll-out strategy for the family's table. */
export const defineRollout = <const Specs extends ParamSpecs>(description: Describe<Specs>): RolloutDefinition<Specs> =>
  definePolicy<Specs, RolloutDeps, Rollout>({ family: 'rollouts', ...description });
