/** Emptying nodes that are lost: instances on a node that is not ready any more are given up, so that they are replaced elsewhere.
 *
 *  One object per cluster; nodes, zones and instances by number. It is told which nodes are ready (a detector's belief) and where
 *  instances are, and hands marks and evictions to its host. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Ms } from '../../../core/time.ts';
import type { ZoneState } from './zone-state.ts';

export interface EvictionHost {
  /** `node` is to take no new instances, or may again. */
  taint(node: number, isTainted: boolean, nowMs: Ms): void;
  /** `instance` is given up. The host says `unplace` when it is gone. */
  evict(instance: number, node: number, nowMs: Ms): void;
  /** Every zone was down and one is back: whoever judges nodes should give all of them their grace period anew. */
  resetGrace?(nowMs: Ms): void;
}

export interface NodeEviction {
  /** A node that is ready. */
  addNode(node: number, zone: number, nowMs: Ms): void;
  removeNode(node: number, nowMs: Ms): void;
  setReady(node: number, isReady: boolean, nowMs: Ms): void;
  /** `tolerationMs`: how long it stays on a tainted node; by default the policy's own, Infinity for ever. */
  place(instance: number, node: number, nowMs: Ms, tolerationMs?: Ms): void;
  unplace(instance: number): void;
  zoneState(zone: number): ZoneState;
  isTainted(node: number): boolean;
  /** When `onTimer` must be called at the latest; Infinity for never. A call at an earlier time does no harm. */
  nextTimerMs(): Ms;
  onTimer(nowMs: Ms): void;
}

export interface EvictionDeps {
  readonly host: EvictionHost;
}

export type NodeEvictionDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, EvictionDeps, NodeEviction>;

type Describe<Specs extends ParamSpecs> = Omit<NodeEvictionDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: EvictionDeps): NodeEviction;
};

/** Declares a policy for the family's table. */
export const defineNodeEviction = <const Specs extends ParamSpecs>(description: Describe<Specs>): NodeEvictionDefinition<Specs> =>
  definePolicy<Specs, EvictionDeps, NodeEviction>({ family: 'eviction', ...description });
