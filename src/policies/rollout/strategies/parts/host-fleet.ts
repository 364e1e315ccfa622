/** A strategy that scales groups of replicas, made to work on hosts that have one version each: as many hosts as the new group shall have
 *  replicas are pushed the new version, the rest keep the old one. Hosts cannot be had twice, so there is no surge: those a group gives
 *  up serve on with their version until they are pushed another.
 *
 *  Which hosts: one failure domain after the other, by name; those that do not do well first, because they are no loss. */
import type { Ms } from '../../../../core/time.ts';
import type {
  GroupStatus,
  HostStatus,
  Rollout,
  RolloutAction,
  RolloutCommand,
  RolloutDeps,
  RolloutObservation,
  RolloutPhase,
} from '../rollout.ts';

/** The strategy itself for replicas, the strategy over hosts for hosts. */
export const onHosts = (rollout: Rollout, { unit }: RolloutDeps): Rollout =>
  unit === 'hosts' ? new HostFleet(rollout) : rollout;

interface FleetState {
  readonly from: string | null;
  readonly to: string | null;
  /** Sizes of groups, as the strategy last asked for them. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly inner: unknown;
}

class HostFleet implements Rollout {
  readonly #inner: Rollout;
  #from: string | null = null;
  #to: string | null = null;
  /** In order of creation. */
  readonly #sizes = new Map<string, number>();

  constructor(inner: Rollout) {
    this.#inner = inner;
  }

  get phase(): RolloutPhase {
    return this.#inner.phase;
  }
  get reason(): string {
    return this.#inner.reason;
  }
  get minReadyMs(): Ms {
    return this.#inner.minReadyMs;
  }

  start(from: string | undefined, to: string, nowMs: Ms): void {
    this.#from = from ?? null;
    this.#to = to;
    this.#inner.start(from, to, nowMs);
  }

  command(command: RolloutCommand, nowMs: Ms): void {
    this.#inner.command(command, nowMs);
  }

  step(observation: RolloutObservation): readonly RolloutAction[] {
    const { hosts } = observation;
    const targets = new Map(hosts.map(({ host, told, version }) => [host, told ?? version]));
    this.#adopt(targets);
    const said: RolloutAction[] = [];
    // Sizes are numbers here and change at once, so one step of the strategy may make room for its next.
    for (let isChanged = true, steps = 0; isChanged && steps < MOST_STEPS; steps++) {
      const groups = [...this.#sizes].map(([version, size]) => this.#group(version, size, hosts, targets));
      const actions = this.#inner.step({ ...observation, desired: hosts.length, groups, weights: undefined });
      isChanged = false;
      for (const action of actions) {
        if (action.kind === 'scale') {
          this.#sizes.set(action.group, action.replicas);
          isChanged = true;
        } else if (action.kind === 'phase' || action.kind === 'mirror') said.push(action);
      }
    }
    return [...this.#pushes(hosts, targets), ...said];
  }

  nextTimerMs(): Ms {
    return this.#inner.nextTimerMs();
  }

  snapshot(): unknown {
    const state: FleetState = {
      from: this.#from,
      to: this.#to,
      sizes: Object.fromEntries(this.#sizes),
      inner: this.#inner.snapshot(),
    };
    return state;
  }

  restore(snapshot: unknown): void {
    const { from, to, sizes, inner } = snapshot as FleetState;
    this.#from = from;
    this.#to = to;
    this.#sizes.clear();
    for (const [version, size] of Object.entries(sizes)) this.#sizes.set(version, size);
    this.#inner.restore(inner);
  }

  /** Versions that hosts have and nobody asked for yet: the ones that serve at the start. */
  #adopt(targets: ReadonlyMap<string, string | undefined>): void {
    for (const version of targets.values())
      if (version !== undefined && !this.#sizes.has(version)) this.#sizes.set(version, count(targets, version));
  }

  #group(
    version: string,
    spec: number,
    hosts: readonly HostStatus[],
    targets: ReadonlyMap<string, string | undefined>,
  ): GroupStatus {
    const own = hosts.filter(({ host }) => targets.get(host) === version);
    const arrived = own.filter((host) => host.version === version);
    const healthy = arrived.filter(({ isHealthy }) => isHealthy).length;
    const within = (number: number): number => Math.min(spec, number);
    return {
      group: version,
      version,
      spec,
      created: version === this.#to ? own.length : within(own.length),
      ready: within(healthy),
      available: within(healthy),
    };
  }

  /** Versions get hosts from those that have more than they shall: the new one first, the old one back when it gives up. */
  #pushes(hosts: readonly HostStatus[], targets: Map<string, string | undefined>): readonly RolloutAction[] {
    const actions: RolloutAction[] = [];
    const order = [...hosts].sort(
      (a, b) => Number(a.isHealthy) - Number(b.isHealthy) || compare(a.domain, b.domain) || compare(a.host, b.host),
    );
    for (const version of [this.#to, this.#from]) {
      if (version === null) continue;
      const missing = (this.#sizes.get(version) ?? 0) - count(targets, version);
      if (missing <= 0) continue;
      const free = order.filter(({ host }) => {
        const target = targets.get(host);
        if (target === version) return false;
        // A host without a version is nobody's.
        return target === undefined || count(targets, target) > (this.#sizes.get(target) ?? 0) || target !== this.#to;
      });
      const chosen = free.slice(0, missing).map(({ host }) => host);
      for (const host of chosen) targets.set(host, version);
      if (chosen.length > 0) actions.push({ kind: 'push', version, hosts: chosen });
    }
    return actions;
  }
}

/** Far more than any strategy needs between two looks at the hosts. */
const MOST_STEPS = 50;

const count = (targets: ReadonlyMap<string, string | undefined>, version: string): number =>
  [...targets.values()].filter((target) => target === version).length;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
