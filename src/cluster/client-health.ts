/** What one client believes of each of its endpoints, from all it has to judge by: whether discovery knows them, whether the failure
 *  detector trusts them, whether they pass health checks, whether their answers have been bad. An endpoint is used when nothing speaks
 *  against it. */
import type { Ms } from '../core/time.ts';
import { type Health, healthStates } from '../policies/balancing/balancer.ts';
import type { EndpointSet } from '../policies/balancing/endpoint-set.ts';

/** What can speak against an endpoint, as bits. */
export const doubts = { unknown: 1, suspected: 2, unfit: 4, ejected: 8, degraded: 16, absent: 32, elsewhere: 64 } as const;
export type Doubt = (typeof doubts)[keyof typeof doubts];

const AGAINST = doubts.suspected | doubts.unfit | doubts.ejected;
/** It is not there, as far as the client has heard, or the traffic goes to another site: no fault of the endpoint's. */
const OUT_OF_USE = doubts.unknown | doubts.absent | doubts.elsewhere;

export class ClientHealth {
  private readonly endpoints: EndpointSet;
  /** By slot. */
  private readonly against: Uint8Array;
  /** Told when an endpoint begins or ceases to be used. */
  private readonly onChange: (slot: number, isUsed: boolean, doubt: Doubt, nowMs: Ms) => void;

  /** The endpoints after the first `present` are absent. */
  constructor(
    endpoints: EndpointSet,
    count: number,
    present: number,
    onChange: (slot: number, isUsed: boolean, doubt: Doubt, nowMs: Ms) => void,
  ) {
    this.endpoints = endpoints;
    this.against = new Uint8Array(count).fill(doubts.absent, present);
    this.onChange = onChange;
  }

  set(slot: number, doubt: Doubt, holds: boolean, nowMs: Ms): void {
    const before = this.against[slot];
    const after = holds ? before | doubt : before & ~doubt;
    if (after === before) return;
    this.against[slot] = after;
    const wasUsed = isUsed(before);
    if ((after & doubts.absent) === 0) this.endpoints.setHealth(slot, healthOf(after), nowMs);
    if (wasUsed !== isUsed(after)) this.onChange(slot, !wasUsed, doubt, nowMs);
  }

  /** Nothing is held against whoever comes new into a place. */
  forgive(slot: number, nowMs: Ms): void {
    for (const doubt of [doubts.suspected, doubts.unfit, doubts.ejected, doubts.degraded]) this.set(slot, doubt, false, nowMs);
  }

  isUsed(slot: number): boolean {
    return isUsed(this.against[slot]);
  }

  /** Whether it would be used if the traffic went there. */
  isWell(slot: number): boolean {
    return isUsed(this.against[slot] & ~doubts.elsewhere);
  }

  isPresent(slot: number): boolean {
    return (this.against[slot] & (doubts.absent | doubts.unknown)) === 0;
  }

  holds(slot: number, doubt: Doubt): boolean {
    return (this.against[slot] & doubt) !== 0;
  }
}

const isUsed = (against: number): boolean => (against & (AGAINST | OUT_OF_USE)) === 0;

function healthOf(against: number): Health {
  if ((against & OUT_OF_USE) !== 0) return healthStates.excluded;
  if ((against & AGAINST) !== 0) return healthStates.unhealthy;
  return (against & doubts.degraded) !== 0 ? healthStates.degraded : healthStates.healthy;
}
