/** What one client believes of each of its endpoints, from all it has to judge by: whether discovery knows them, whether the failure
 *  detector trusts them, whether they pass health checks, whether their answers have been bad, and what whoever runs it says of them. An
 *  endpoint is used when nothing speaks against it.
 *
 *  Use it wherever more than one judge speaks about the same endpoints: each sets and clears its own doubt, so that nobody lets an endpoint
 *  back that somebody else put out. It fails by adding up: every judge that errs takes endpoints away, and none sees what the others took. */
import { grown } from '../../core/grow.ts';
import type { Ms } from '../../core/time.ts';
import { type Health, healthStates } from './balancer.ts';
import type { EndpointSet } from './endpoint-set.ts';

/** What can speak against an endpoint, as bits. */
export const doubts = { unknown: 1, suspected: 2, unfit: 4, ejected: 8, degraded: 16, absent: 32, elsewhere: 64 } as const;
export type Doubt = (typeof doubts)[keyof typeof doubts];

/** What whoever runs the client says of an endpoint, besides. */
const SAID_EXCLUDED = 128;
const SAID_UNHEALTHY = 256;
const SAID_DEGRADED = 512;
const SAID = SAID_EXCLUDED | SAID_UNHEALTHY | SAID_DEGRADED;

/** It is not there, as far as the client has heard, or the traffic goes to another site: no fault of the endpoint's. */
const EXCLUDED = doubts.unknown | doubts.absent | doubts.elsewhere | SAID_EXCLUDED;
const AGAINST = doubts.suspected | doubts.unfit | doubts.ejected | SAID_UNHEALTHY;
const SPARED = doubts.degraded | SAID_DEGRADED;

/** `isWell`: whether it would be used if the traffic went there; `doubt`: what made the difference, if it was one doubt. */
export type HealthListener = (slot: number, isUsed: boolean, nowMs: Ms, isWell: boolean, doubt: Doubt | undefined) => void;

export class EndpointHealth {
  private readonly endpoints: EndpointSet;
  /** By slot. */
  private against: Uint16Array;
  /** Told when an endpoint begins or ceases to be used, or to be well. */
  private readonly onChange: HealthListener;

  /** Slots from `present` on hold nobody yet. */
  constructor(endpoints: EndpointSet, count: number, onChange: HealthListener, present = count) {
    this.endpoints = endpoints;
    this.against = new Uint16Array(count).fill(doubts.absent, present);
    this.onChange = onChange;
  }

  /** The slot is a newcomer's, added to the endpoints in this health: nothing else is known of it. */
  begin(slot: number, health: Health = healthStates.healthy): void {
    if (slot >= this.against.length) this.against = grown(this.against, new Uint16Array(2 * slot + 2));
    this.against[slot] = saying(health);
  }

  set(slot: number, doubt: Doubt, holds: boolean, nowMs: Ms): void {
    const before = this.against[slot];
    this.become(slot, holds ? before | doubt : before & ~doubt, nowMs, doubt);
  }

  /** What whoever runs the client says takes the place of what was said before; doubts stay. */
  say(slot: number, health: Health, nowMs: Ms): void {
    this.become(slot, (this.against[slot] & ~SAID) | saying(health), nowMs);
  }

  holds(slot: number, doubt: Doubt): boolean {
    return (this.against[slot] & doubt) !== 0;
  }

  /** Nothing is held against whoever comes new into a place. */
  forgive(slot: number, nowMs: Ms): void {
    const judged = doubts.suspected | doubts.unfit | doubts.ejected | doubts.degraded;
    this.become(slot, this.against[slot] & ~judged, nowMs);
  }

  /** Whether it would be used if the traffic went there. */
  isWell(slot: number): boolean {
    return isUsed(this.against[slot] & ~doubts.elsewhere);
  }

  /** Whether there is somebody, as far as the client has heard. */
  isPresent(slot: number): boolean {
    return (this.against[slot] & (doubts.absent | doubts.unknown)) === 0;
  }

  /** Whether nothing speaks against it. */
  isUsed(slot: number): boolean {
    return isUsed(this.against[slot]);
  }

  private become(slot: number, after: number, nowMs: Ms, doubt?: Doubt): void {
    const before = this.against[slot];
    if (after === before) return;
    this.against[slot] = after;
    // An empty slot is no member.
    if ((after & doubts.absent) === 0) this.endpoints.setHealth(slot, healthOf(after), nowMs);
    const isWell = this.isWell(slot);
    if (isUsed(before) !== isUsed(after) || isUsed(before & ~doubts.elsewhere) !== isWell) {
      this.onChange(slot, isUsed(after), nowMs, isWell, doubt);
    }
  }
}

const isUsed = (against: number): boolean => (against & (AGAINST | EXCLUDED)) === 0;

function healthOf(against: number): Health {
  if ((against & EXCLUDED) !== 0) return healthStates.excluded;
  if ((against & AGAINST) !== 0) return healthStates.unhealthy;
  return (against & SPARED) !== 0 ? healthStates.degraded : healthStates.healthy;
}

function saying(health: Health): number {
  if (health === healthStates.excluded) return SAID_EXCLUDED;
  if (health === healthStates.unhealthy) return SAID_UNHEALTHY;
  return health === healthStates.degraded ? SAID_DEGRADED : 0;
}
