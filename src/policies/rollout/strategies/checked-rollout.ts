/** A strategy whose answers are looked at before anybody acts on them.
 *
 *  For strategies that nobody has tried yet: one that asks for half a replica, for a version that it was never told of, or for replicas where
 *  there are hosts is stopped with a sentence, where its host would ignore it or do something else. It cannot tell whether
 *  an answer is wise. */
import { PolicyFault } from '../../../core/errors.ts';
import { show } from '../../../core/quantity.ts';
import type { Ms } from '../../../core/time.ts';
import {
  type Rollout,
  type RolloutAction,
  type RolloutCommand,
  type RolloutDeps,
  type RolloutObservation,
  type RolloutPhase,
  rolloutPhases,
} from './rollout.ts';

/** Its faults bear the name. */
export const checkedRollout = (rollout: Rollout, name: string, { unit }: RolloutDeps): Rollout =>
  new CheckedRollout(rollout, name, unit);

/** Far more than anybody needs at one moment. */
const STEPS_AT_ONCE = 10_000;

class CheckedRollout implements Rollout {
  readonly #inner: Rollout;
  readonly #name: string;
  readonly #unit: RolloutDeps['unit'];
  /** Versions that it was told of. */
  readonly #versions = new Set<string>();
  #stepsMs: Ms = NaN;
  #steps = 0;

  constructor(inner: Rollout, name: string, unit: RolloutDeps['unit']) {
    this.#inner = inner;
    this.#name = name;
    this.#unit = unit;
  }

  get phase(): RolloutPhase {
    return this.#inner.phase;
  }
  get reason(): string {
    return this.#inner.reason;
  }
  get minReadyMs(): Ms {
    return this.#inner.minReadyMs ?? 0;
  }
  get routes(): boolean {
    return this.#inner.routes === true;
  }
  get leavesReplicas(): boolean {
    return this.#inner.leavesReplicas === true;
  }

  start(from: string | undefined, to: string, nowMs: Ms): void {
    if (from !== undefined) this.#versions.add(from);
    this.#versions.add(to);
    this.#inner.start(from, to, nowMs);
  }

  command(command: RolloutCommand, nowMs: Ms): void {
    this.#inner.command(command, nowMs);
  }

  step(observation: RolloutObservation): readonly RolloutAction[] {
    this.#steps = observation.nowMs === this.#stepsMs ? this.#steps + 1 : 0;
    this.#stepsMs = observation.nowMs;
    if (this.#steps > STEPS_AT_ONCE) throw this.#fault(`wants to go on without end at ${this.#stepsMs} ms`);
    for (const { version } of observation.groups) this.#versions.add(version);
    for (const { version } of observation.hosts) if (version !== undefined) this.#versions.add(version);
    const actions: unknown = this.#inner.step(observation);
    if (!Array.isArray(actions)) throw this.#fault(`answered ${show(actions)}, not a list of actions`);
    for (const action of actions as readonly RolloutAction[]) {
      const wrong = this.#wrong(action, observation);
      if (wrong !== undefined) throw this.#fault(wrong);
    }
    return actions as readonly RolloutAction[];
  }

  nextTimerMs(): Ms {
    const nextMs = this.#inner.nextTimerMs();
    if (typeof nextMs !== 'number' || Number.isNaN(nextMs))
      throw this.#fault(`wants to be woken at ${show(nextMs)}, which is no time`);
    return nextMs;
  }

  snapshot(): unknown {
    return this.#inner.snapshot();
  }

  restore(snapshot: unknown): void {
    this.#inner.restore(snapshot);
  }

  #fault(what: string): PolicyFault {
    return new PolicyFault(this.#name, `${this.#name} ${what}`);
  }

  #wrong(action: RolloutAction, { hosts }: RolloutObservation): string | undefined {
    if (typeof action !== 'object' || action === null) return `answered ${show(action)} among its actions`;
    switch (action.kind) {
      case 'scale':
        if (this.#unit === 'hosts') return 'scales replicas, but what is rolled out is configuration: it has hosts to push to';
        if (!Number.isInteger(action.replicas) || action.replicas < 0) return `asks for ${show(action.replicas)} replicas`;
        return this.#unknown(action.version);
      case 'push':
        if (this.#unit === 'replicas') return 'pushes to hosts, but what is rolled out is a release: it has replicas to scale';
        if (!Array.isArray(action.hosts)) return `pushes to ${show(action.hosts)}, not to a list of hosts`;
        for (const name of action.hosts)
          if (!hosts.some(({ host }) => host === name)) return `pushes to ${show(name)}, which is no host`;
        return this.#unknown(action.version);
      case 'weight':
        return wrongShares(Object.entries(action.weights ?? {}));
      case 'mirror':
        return action.percent >= 0 && action.percent <= 100 ? undefined : `copies ${show(action.percent)} percent of requests`;
      case 'phase':
        if (rolloutPhases.includes(action.phase)) return undefined;
        return `is in phase ${show(action.phase)}; known: ${rolloutPhases.join(', ')}`;
      default:
        return `answered ${show((action as { readonly kind?: unknown } | undefined)?.kind)}; known: scale, weight, mirror, push, phase`;
    }
  }

  #unknown(version: string): string | undefined {
    if (this.#versions.has(version)) return undefined;
    return `asks for version ${show(version)}; it was told of ${[...this.#versions].join(', ')}`;
  }
}

function wrongShares(shares: readonly (readonly [string, number])[]): string | undefined {
  for (const [group, share] of shares)
    if (!(share >= 0 && share <= 100)) return `gives ${show(group)} ${show(share)} percent of traffic`;
  const sum = shares.reduce((total, [, share]) => total + share, 0);
  return Math.abs(sum - 100) < 1e-6 ? undefined : `divides ${show(sum)} percent of traffic, not 100`;
}
