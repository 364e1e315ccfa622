/** The endpoints one client knows: who is a member, how healthy, how heavy, how busy.
 *
 *  The simulator and a live proxy keep one set per client and tell it what they learn; the set filters out who may not be chosen
 *  and passes every change on to the balancer. Slots are stable: a removed endpoint keeps its slot until its last request has
 *  ended, so that a late end is never credited to a newcomer. begin, end and isEligible do not allocate. */
import { invariant } from '../../core/errors.ts';
import { grown } from '../../core/grow.ts';
import type { Ms } from '../../core/time.ts';
import {
  type Balancer,
  type EndpointTable,
  type EndpointView,
  type Health,
  healthStates,
  NO_ENDPOINT,
  type Slot,
} from './balancer.ts';

export interface EndpointOptions {
  /** 1 by default; 0 drains. */
  readonly weight?: number;
  /** 0 by default; 0 is tried first. */
  readonly priority?: number;
  /** Index of the zone, 0 by default. */
  readonly locality?: number;
  /** Healthy by default. */
  readonly health?: Health;
}

export class EndpointSet {
  readonly table: EndpointTable;
  readonly #table: Table;
  readonly #view: View;
  readonly #slotById = new Map<string, Slot>();
  readonly #freeSlots: Slot[] = [];
  #states: Uint8Array;
  #eligible: Uint8Array;
  #slotCount = 0;
  #balancers: readonly Balancer[] = [];
  #nowMs: Ms = 0;
  #stale = false;
  #anybodyGoes = false;
  #batchDepth = 0;
  #unannounced = false;

  constructor(capacity = 16) {
    const size = Math.max(1, capacity);
    this.#table = new Table(size);
    this.table = this.#table;
    this.#view = new View(this.#table, size);
    this.#states = new Uint8Array(size);
    this.#eligible = new Uint8Array(size);
  }

  /** Who may be chosen now: weight above zero and healthy, or degraded where nobody is healthy. One object for the set's life. */
  get view(): EndpointView {
    if (this.#stale) this.#filter();
    return this.#view;
  }

  add(id: string, options: EndpointOptions, nowMs: Ms): Slot {
    const slot = this.#freeSlots.pop() ?? this.#newSlot();
    this.#occupy(slot, id, options, nowMs);
    return slot;
  }

  /** The same in a certain slot, which no member holds: for those who number endpoints themselves. */
  addAt(slot: Slot, id: string, options: EndpointOptions, nowMs: Ms): void {
    while (this.#slotCount <= slot) this.#freeSlots.push(this.#newSlot());
    invariant(this.#states[slot] !== MEMBER, `slot ${slot} holds a member`);
    const position = this.#freeSlots.indexOf(slot);
    if (position >= 0) this.#freeSlots.splice(position, 1);
    this.#occupy(slot, id, options, nowMs);
  }

  #occupy(slot: Slot, id: string, options: EndpointOptions, nowMs: Ms): void {
    invariant(!this.#slotById.has(id), `endpoint ${id} is already a member`);
    const table = this.#table;
    table.ids[slot] = id;
    table.weight[slot] = checkedWeight(options.weight ?? 1);
    table.health[slot] = options.health ?? healthStates.healthy;
    table.priority[slot] = options.priority ?? 0;
    table.locality[slot] = options.locality ?? 0;
    // Whoever held the slot may still have work in flight; it ends as what it was.
    if (this.#states[slot] !== LEAVING) table.active[slot] = 0;
    table.healthySinceMs[slot] = nowMs;
    table.generation[slot]++;
    this.#states[slot] = MEMBER;
    this.#slotById.set(id, slot);
    this.#view.append(slot);
    this.#changed(nowMs);
  }

  /** The endpoint may not be chosen any more; what it is working on goes on. */
  remove(slot: Slot, nowMs: Ms): void {
    this.#expectMember(slot);
    this.#slotById.delete(this.#table.ids[slot]);
    this.#view.drop(slot);
    if (this.#table.active[slot] === 0) this.#free(slot);
    else this.#states[slot] = LEAVING;
    this.#changed(nowMs);
  }

  setHealth(slot: Slot, health: Health, nowMs: Ms): void {
    this.#expectMember(slot);
    const before = this.#table.health[slot];
    if (before === health) return;
    // A degraded endpoint answers, so passing between healthy and degraded does not restart the slow-start clock.
    if (isUsable(health) && !isUsable(before)) this.#table.healthySinceMs[slot] = nowMs;
    this.#table.health[slot] = health;
    this.#changed(nowMs);
  }

  /** Without a time, the balancer is told the time of the latest change. */
  setWeight(slot: Slot, weight: number, nowMs: Ms = this.#nowMs): void {
    this.#expectMember(slot);
    if (this.#table.weight[slot] === checkedWeight(weight)) return;
    this.#table.weight[slot] = weight;
    this.#changed(nowMs);
  }

  /** Makes several changes that the balancer sees as one. */
  batch(nowMs: Ms, changes: () => void): void {
    this.#batchDepth++;
    try {
      changes();
    } finally {
      this.#batchDepth--;
      if (this.#batchDepth === 0 && this.#unannounced) this.#announce(nowMs);
    }
  }

  /** An attempt was sent to `slot`. */
  begin(slot: Slot): void {
    this.#table.active[slot]++;
  }

  /** An attempt at `slot` ended. */
  end(slot: Slot): void {
    const active = this.#table.active;
    invariant(active[slot] > 0, 'an attempt ended that never began');
    active[slot]--;
    if (active[slot] === 0 && this.#states[slot] === LEAVING) this.#free(slot);
  }

  /** Whether the balancer may pick this slot: a member of the view, or anybody not removed if it judges health itself. Where several are
   *  bound the latest is meant, unless it is said whether the balancer in question does that. */
  isEligible(slot: Slot, judgesHealth: boolean = this.#anybodyGoes): boolean {
    if (this.#stale) this.#filter();
    return this.#eligible[slot] === 1 || (judgesHealth && this.#states[slot] === MEMBER);
  }

  /** The member's slot, or NO_ENDPOINT. */
  find(id: string): Slot {
    return this.#slotById.get(id) ?? NO_ENDPOINT;
  }

  /** Attaches the balancer in the place of any before and shows it the members; from now on it hears of every change, once. */
  bind(balancer: Balancer, nowMs: Ms): void {
    this.#balancers = [];
    this.bindAlso(balancer, nowMs);
  }

  /** The same beside those that are bound, which go on hearing of every change: while one takes over from another. */
  bindAlso(balancer: Balancer, nowMs: Ms): void {
    const isKnown = this.#balancers.includes(balancer);
    this.#balancers = [...this.#balancers.filter((other) => other !== balancer), balancer];
    this.#anybodyGoes = balancer.judgesHealth === true;
    if (isKnown) return;
    this.#nowMs = nowMs;
    balancer.update(this.view, nowMs);
  }

  /** It hears of nothing any more. */
  unbind(balancer: Balancer): void {
    this.#balancers = this.#balancers.filter((other) => other !== balancer);
    this.#anybodyGoes = this.#balancers.at(-1)?.judgesHealth === true;
  }

  #changed(nowMs: Ms): void {
    this.#nowMs = nowMs;
    this.#stale = true;
    if (this.#batchDepth === 0) this.#announce(nowMs);
    else this.#unannounced = true;
  }

  #announce(nowMs: Ms): void {
    this.#nowMs = nowMs;
    this.#unannounced = false;
    // While nobody listens the filter waits, so that building a large set is linear.
    for (const balancer of this.#balancers) balancer.update(this.view, nowMs);
  }

  #filter(): void {
    this.#stale = false;
    this.#eligible.fill(0);
    if (!this.#collect(healthStates.healthy)) this.#collect(healthStates.degraded);
  }

  /** Makes the members of this health the view; false if there are none. */
  #collect(health: Health): boolean {
    const { weight, health: healths } = this.#table;
    const view = this.#view;
    view.count = 0;
    for (let i = 0; i < view.everyoneCount; i++) {
      const slot = view.everyone[i];
      if (healths[slot] !== health || !(weight[slot] > 0)) continue;
      view.members[view.count++] = slot;
      this.#eligible[slot] = 1;
    }
    return view.count > 0;
  }

  #free(slot: Slot): void {
    this.#states[slot] = FREE;
    this.#freeSlots.push(slot);
  }

  #newSlot(): Slot {
    if (this.#slotCount === this.#states.length) {
      const size = 2 * this.#slotCount;
      this.#table.resize(size);
      this.#view.resize(size);
      this.#states = grown(this.#states, new Uint8Array(size));
      this.#eligible = grown(this.#eligible, new Uint8Array(size));
    }
    return this.#slotCount++;
  }

  #expectMember(slot: Slot): void {
    invariant(this.#states[slot] === MEMBER, `slot ${slot} holds no member`);
  }
}

const FREE = 0;
const MEMBER = 1;
/** Removed, with work in flight. */
const LEAVING = 2;

const isUsable = (health: number | undefined): boolean => health === healthStates.healthy || health === healthStates.degraded;

function checkedWeight(weight: number): number {
  invariant(weight >= 0 && weight < Infinity, `an endpoint cannot weigh ${weight}`);
  return weight;
}

class Table implements EndpointTable {
  readonly ids: string[] = [];
  weight: Float64Array;
  health: Uint8Array;
  priority: Uint8Array;
  locality: Uint16Array;
  active: Uint32Array;
  healthySinceMs: Float64Array;
  generation: Uint32Array;

  constructor(size: number) {
    this.weight = new Float64Array(size);
    this.health = new Uint8Array(size);
    this.priority = new Uint8Array(size);
    this.locality = new Uint16Array(size);
    this.active = new Uint32Array(size);
    this.healthySinceMs = new Float64Array(size);
    this.generation = new Uint32Array(size);
  }

  resize(size: number): void {
    this.weight = grown(this.weight, new Float64Array(size));
    this.health = grown(this.health, new Uint8Array(size));
    this.priority = grown(this.priority, new Uint8Array(size));
    this.locality = grown(this.locality, new Uint16Array(size));
    this.active = grown(this.active, new Uint32Array(size));
    this.healthySinceMs = grown(this.healthySinceMs, new Float64Array(size));
    this.generation = grown(this.generation, new Uint32Array(size));
  }
}

class View implements EndpointView {
  readonly table: EndpointTable;
  members: Int32Array;
  count = 0;
  everyone: Int32Array;
  everyoneCount = 0;

  constructor(table: EndpointTable, size: number) {
    this.table = table;
    this.members = new Int32Array(size);
    this.everyone = new Int32Array(size);
  }

  append(slot: Slot): void {
    this.everyone[this.everyoneCount++] = slot;
  }

  drop(slot: Slot): void {
    const position = this.everyone.indexOf(slot);
    this.everyone.copyWithin(position, position + 1, this.everyoneCount);
    this.everyoneCount--;
  }

  resize(size: number): void {
    this.members = grown(this.members, new Int32Array(size));
    this.everyone = grown(this.everyone, new Int32Array(size));
  }
}
