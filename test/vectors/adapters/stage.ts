/** A balancer with its endpoints, as rows describe them: endpoint i of the row lives in slot i. */
import type { Rng } from '../../../src/core/rng.ts';
import {
  type Balancer,
  type Health,
  healthStates,
  NO_ENDPOINT,
  type PickContext,
  type Slot,
} from '../../../src/policies/balancing/balancer.ts';
import { EndpointSet } from '../../../src/policies/balancing/endpoint-set.ts';

export class Stage {
  readonly set = new EndpointSet();
  readonly context: PickContext = { nowMs: 0, attempt: 0, previous: NO_ENDPOINT, hasHash: false, hashHigh: 0, hashLow: 0 };
  #balancer: Balancer | undefined;

  constructor(weights: readonly number[], names?: readonly string[]) {
    weights.forEach((weight, i) => this.set.add(names?.[i] ?? `endpoint-${i}`, { weight }, 0));
  }

  static of(count: number): Stage {
    return new Stage(Array.from({ length: count }, () => 1));
  }

  bind(balancer: Balancer, nowMs = 0): this {
    this.#balancer = balancer;
    this.set.bind(balancer, nowMs);
    return this;
  }

  get balancer(): Balancer {
    if (this.#balancer === undefined) throw new Error('no balancer yet');
    return this.#balancer;
  }

  setActive(active: readonly number[]): this {
    active.forEach((wanted, slot) => {
      while (this.set.table.active[slot] < wanted) this.set.begin(slot);
      while (this.set.table.active[slot] > wanted) this.set.end(slot);
    });
    return this;
  }

  setWeights(weights: readonly number[]): void {
    this.set.batch(0, () => weights.forEach((weight, slot) => this.set.setWeight(slot, weight)));
  }

  setHealth(slots: readonly number[], health: Health): this {
    this.set.batch(0, () => slots.forEach((slot) => this.set.setHealth(slot, health, 0)));
    return this;
  }

  setDown(slots: readonly number[]): this {
    return this.setHealth(slots, healthStates.unhealthy);
  }

  pick(): Slot {
    return this.balancer.pick(this.context);
  }

  picks(count: number): Slot[] {
    return Array.from({ length: count }, () => this.pick());
  }

  /** A pick for a request with this 64-bit hash. */
  pickByHash(hash: bigint, attempt = 0): Slot {
    this.context.hasHash = true;
    this.context.hashHigh = Number(hash >> 32n);
    this.context.hashLow = Number(hash & 0xffffffffn);
    this.context.attempt = attempt;
    return this.pick();
  }
}

/** Answers with the scripted numbers in turn, `below(n)` modulo n; counts what was used. */
export class Script implements Rng {
  used = 0;
  readonly #draws: readonly number[];

  constructor(...draws: readonly number[]) {
    this.#draws = draws;
  }

  uint32(): number {
    if (this.used >= this.#draws.length) throw new Error('more random numbers were drawn than scripted');
    return this.#draws[this.used++];
  }

  next(): number {
    return this.uint32();
  }

  below(n: number): number {
    return this.uint32() % n;
  }
}

/** The exact distribution of an answer: runs `trial` once for every way its draws `below(n)` can fall. */
export function distribution(size: number, trial: (rng: Rng) => number): number[] {
  const shares = Array.from({ length: size }, () => 0);
  const path: { draw: number; of: number }[] = [];
  do {
    let depth = 0;
    let probability = 1;
    const below = (of: number): number => {
      if (depth === path.length) path.push({ draw: 0, of });
      probability /= of;
      return path[depth++].draw;
    };
    const refuse = (): never => {
      throw new Error('only draws of whole numbers can be enumerated');
    };
    shares[trial({ below, next: refuse, uint32: refuse })] += probability;
    while (path.length > 0 && path[path.length - 1].draw === path[path.length - 1].of - 1) path.pop();
    if (path.length > 0) path[path.length - 1].draw++;
  } while (path.length > 0);
  return shares;
}
