/** Failover between sites: which of several zones or clusters takes the traffic, when there is an order of preference.
 *
 *  One object per decision maker (a global balancer, a DNS service). It is told how healthy each site is and hands every change to a
 *  sink. What it decides on are observations; two decision makers may disagree for a while. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Ms } from '../../../core/time.ts';

export interface FailoverSink {
  /** Traffic goes to this site from now on. */
  switchTo(site: number, nowMs: Ms): void;
}

export interface Failover {
  /** The site that takes the traffic: its place in the order of preference, from 0. */
  readonly active: number;
  /** Share of `site` that is healthy, from 0 to 1. */
  report(site: number, healthyShare: number, nowMs: Ms): void;
  /** When `onTimer` must be called at the latest; Infinity for never. A call at an earlier time does no harm. */
  nextTimerMs(): Ms;
  onTimer(nowMs: Ms): void;
}

export interface FailoverDeps {
  /** How many sites there are; all are taken for healthy at first, and the first is active. */
  readonly sites: number;
  readonly sink: FailoverSink;
}

export type FailoverDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, FailoverDeps, Failover>;

type Describe<Specs extends ParamSpecs> = Omit<FailoverDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: FailoverDeps): Failover;
};

/** Declares a failover policy for the family's table. */
export const defineFailover = <const Specs extends ParamSpecs>(description: Describe<Specs>): FailoverDefinition<Specs> =>
  definePolicy<Specs, FailoverDeps, Failover>({ family: 'failover', ...description });
