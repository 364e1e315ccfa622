/** A balancer made of balancers, each with a view of its own. What happens to an endpoint is told to all of them: several may know it,
 *  and which of them picked does not matter to what was learnt. */
import { InputError } from '../../../core/errors.ts';
import { choice, type ChoiceParam } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import {
  type Balancer,
  type EndpointTable,
  type EndpointView,
  type LoadReport,
  NO_ENDPOINT,
  type Outcome,
  type PickContext,
  type Slot,
} from '../balancer.ts';
import { simpleBalancers } from '../simple.ts';
import { SubView } from './sub-view.ts';

export type MakeChild = () => Balancer;

/** The parameter that names the balancer within. */
export const innerParam = (name: string, about: string): ChoiceParam =>
  choice({ default: name, choices: Object.keys(simpleBalancers), about });

/** Makes balancers of this name, with default parameters. */
export function childMaker(name: string, rng: Rng): MakeChild {
  if (!Object.hasOwn(simpleBalancers, name)) {
    throw InputError.of('unknown-inner', `inner: there is no balancer named ${name} that can be put inside another`);
  }
  const definition = simpleBalancers[name];
  return () => definition.make({}, { rng });
}

/** Balancers that send a key to the same endpoint: what is drawn around them must follow the key too. */
export const keepsKeys = (name: string): boolean =>
  ['bounded-load', 'consistent-hash', 'ketama', 'maglev', 'modulo-hash', 'rendezvous', 'ring-hash', 'source-ip-hash'].includes(
    name,
  );

/** A balancer with its view. */
export class Child {
  readonly balancer: Balancer;
  readonly view: SubView;

  constructor(balancer: Balancer, table: EndpointTable) {
    this.balancer = balancer;
    this.view = new SubView(table);
  }
}

export abstract class Composite implements Balancer {
  readonly #makeChild: MakeChild;
  readonly #children: Child[] = [];
  #lastPicking: Child | undefined;

  constructor(makeChild: MakeChild) {
    this.#makeChild = makeChild;
  }

  abstract update(view: EndpointView, nowMs: Ms): void;
  abstract pick(context: PickContext): Slot;

  /** A further child; children are made when they are first needed. */
  protected addChild(table: EndpointTable): Child {
    const child = new Child(this.#makeChild(), table);
    this.#children.push(child);
    return child;
  }

  /** Empties all children's views, to be filled anew. */
  protected resetViews(view: EndpointView): void {
    for (const child of this.#children) child.view.reset(view.table, view.everyone.length);
  }

  protected updateChildren(nowMs: Ms): void {
    for (const child of this.#children) child.balancer.update(child.view, nowMs);
  }

  protected pickFrom(child: Child | undefined, context: PickContext): Slot {
    if (child === undefined) return NO_ENDPOINT;
    this.#lastPicking = child;
    return child.balancer.pick(context);
  }

  onStart(slot: Slot, nowMs: Ms): void {
    for (const child of this.#children) child.balancer.onStart?.(slot, nowMs);
  }

  onEnd(slot: Slot, nowMs: Ms, latencyMs: Ms, outcome: Outcome): void {
    for (const child of this.#children) child.balancer.onEnd?.(slot, nowMs, latencyMs, outcome);
  }

  onReport(slot: Slot, nowMs: Ms, report: LoadReport): void {
    for (const child of this.#children) child.balancer.onReport?.(slot, nowMs, report);
  }

  probes(out: Int32Array, nowMs: Ms): number {
    return this.#lastPicking?.balancer.probes?.(out, nowMs) ?? 0;
  }

  nextTimerMs(): Ms {
    let next = Infinity;
    for (const child of this.#children) next = Math.min(next, child.balancer.nextTimerMs?.() ?? Infinity);
    return next;
  }

  onTimer(nowMs: Ms): void {
    for (const child of this.#children) child.balancer.onTimer?.(nowMs);
  }
}
