/** A small world for trying roll-outs: replicas that take their time to start and to stop, hosts that take theirs to change, a router, and
 *  somebody who promotes what waits for somebody. Everything happens at fixed times, so that two runs can be compared. */
import { fmix32 } from '../../../core/hash.ts';
import type { Ms } from '../../../core/time.ts';
import { isAvailable } from './parts/deployment-progress.ts';
import type { GroupStatus, HostStatus, MetricQuery, Rollout, RolloutAction, RolloutDeps, RolloutObservation } from './rollout.ts';

export interface TrialOptions {
  readonly unit: RolloutDeps['unit'];
  /** Replicas, or hosts. */
  readonly size?: number;
  readonly startMs?: Ms;
  /** Share of answers that get lost; steps are then repeated every few seconds. */
  readonly lossShare?: number;
  /** Called after every step; what it returns goes on in place of the roll-out. */
  readonly onStepped?: (rollout: Rollout) => Rollout;
  /** False: nobody promotes. */
  readonly isPromoted?: boolean;
}

interface TrialReplica {
  readonly createdMs: Ms;
  /** Infinity: never. */
  readonly readyMs: Ms;
  /** When it is gone; Infinity while it is not told to go. */
  goneMs: Ms;
}

interface TrialGroup {
  readonly version: string;
  spec: number;
  readonly replicas: TrialReplica[];
}

interface TrialHost {
  readonly host: string;
  readonly domain: string;
  version: string | undefined;
  told: string | undefined;
  changesMs: Ms;
}

export class RolloutTrial {
  rollout: Rollout;
  readonly violations: string[] = [];
  /** All answers, with the time since the start. */
  readonly log: string[] = [];
  desired: number;
  nowMs: Ms;
  /** Fewest available replicas, and most that existed, since the last `start`. */
  leastAvailable = Infinity;
  mostCreated = 0;
  /** How long a version takes to start; Infinity for one that never becomes ready. */
  startMs: (version: string) => Ms = () => 7000;
  stopMs: Ms = 4000;
  /** Hosts refuse versions of which this is true. */
  refuses: (version: string) => boolean = () => false;
  errorRate: (version: string) => number | undefined = () => 0.001;
  readonly groups = new Map<string, TrialGroup>();
  readonly hosts: TrialHost[];
  weights: Readonly<Record<string, number>> | undefined;
  mirror: RolloutObservation['mirror'];
  readonly #options: TrialOptions;
  readonly #epochMs: Ms;
  #pausedMs: Ms | undefined;
  #draws = 0;
  #retryMs: Ms = Infinity;
  /** It was seen to go round in a circle; there is no more to be learned. */
  #isEndless = false;

  constructor(rollout: Rollout, options: TrialOptions) {
    this.rollout = rollout;
    this.#options = options;
    this.#epochMs = options.startMs ?? 0;
    this.nowMs = this.#epochMs;
    this.desired = options.size ?? 10;
    const hosts = options.unit === 'hosts' ? this.desired : 0;
    this.hosts = Array.from({ length: hosts }, (_, at) => ({
      host: `host-${String(at).padStart(4, '0')}`,
      domain: `zone-${'abc'[at % 3]}`,
      version: undefined,
      told: undefined,
      changesMs: Infinity,
    }));
    this.weights = options.unit === 'hosts' ? undefined : {};
  }

  /** All of it has this version already. */
  populate(version: string): this {
    if (this.#options.unit === 'hosts') for (const host of this.hosts) host.version = version;
    else {
      const replica = { createdMs: this.#epochMs - 3_600_000, readyMs: this.#epochMs - 3_600_000 };
      const replicas = Array.from({ length: this.desired }, () => ({ ...replica, goneMs: Infinity }));
      this.groups.set(version, { version, spec: this.desired, replicas });
      this.weights = { [version]: 100 };
    }
    return this;
  }

  start(from: string | undefined, to: string): this {
    this.leastAvailable = Infinity;
    this.mostCreated = 0;
    this.rollout.start(from, to, this.nowMs);
    return this;
  }

  /** Until `forMs` have passed, or until the phase is one of those. */
  run(forMs: Ms, ...until: readonly string[]): this {
    const untilMs = this.nowMs + forMs;
    for (let guard = 0; guard < 100_000; guard++) {
      this.settle();
      if (this.#isEndless) return this;
      if (until.includes(this.rollout.phase)) return this;
      const nextMs = Math.min(this.#nextMs(), untilMs);
      if (nextMs >= untilMs) {
        this.nowMs = untilMs;
        this.#advance();
        return this;
      }
      this.nowMs = Math.max(this.nowMs, nextMs);
      this.#advance();
    }
    this.violations.push('does not come to rest');
    return this;
  }

  /** Steps until there is nothing more to do at this moment. */
  settle(): void {
    for (let guard = 0; guard < 60; guard++) {
      if (this.step() === 0) {
        if (this.rollout.nextTimerMs() > this.nowMs) return;
        if (guard <= 5) continue;
        this.violations.push(`wants to be woken at ${this.rollout.nextTimerMs()} again, at ${this.nowMs}`);
        this.#isEndless = true;
        return;
      }
    }
    this.violations.push('answers anew without end, although nothing changes');
    this.#isEndless = true;
  }

  /** One step; the number of answers that were not lost, phases aside. */
  step(): number {
    const actions = this.rollout.step(this.observe());
    this.rollout = this.#options.onStepped?.(this.rollout) ?? this.rollout;
    for (const action of actions) this.#check(action);
    const lost = this.#options.lossShare ?? 0;
    const kept = actions.filter(({ kind }) => kind === 'phase' || fmix32(++this.#draws) >>> 0 >= lost * 0x1_0000_0000);
    if (kept.length < actions.length) this.#retryMs = this.nowMs + 3000;
    for (const action of kept) this.#apply(action);
    this.#promote();
    this.#measure();
    return kept.filter(({ kind }) => kind !== 'phase').length;
  }

  observe(): RolloutObservation {
    const groups = [...this.groups].map(([group, { version, spec, replicas }]): GroupStatus => {
      const ready = replicas.filter(({ readyMs, goneMs }) => readyMs <= this.nowMs && goneMs === Infinity);
      const available = ready.filter(({ readyMs }) => isAvailable(readyMs, this.rollout.minReadyMs, this.nowMs));
      return { group, version, spec, created: replicas.length, ready: ready.length, available: available.length };
    });
    const hosts = this.hosts.map(({ host, domain, version, told }): HostStatus => ({
      host,
      domain,
      version,
      told,
      isHealthy: version !== undefined && (this.errorRate(version) ?? 0) < 0.5,
    }));
    const { nowMs, desired, weights, mirror } = this;
    return { nowMs, desired, groups, weights, mirror, hosts, metric: (query) => this.#metric(query) };
  }

  /** How many replicas or hosts serve with this version. */
  serving(version: string): number {
    if (this.#options.unit === 'hosts') return this.hosts.filter((host) => host.version === version).length;
    return this.observe()
      .groups.filter((group) => group.version === version)
      .reduce((sum, { available }) => sum + available, 0);
  }

  /** Versions of which anything is left. */
  versions(): readonly string[] {
    const versions =
      this.#options.unit === 'hosts'
        ? this.hosts.flatMap(({ version }) => (version === undefined ? [] : [version]))
        : [...this.groups.values()].flatMap(({ version, replicas }) => (replicas.length > 0 ? [version] : []));
    return [...new Set(versions)].sort();
  }

  #metric({ name, group }: MetricQuery): number | undefined {
    const rate = this.errorRate(this.groups.get(group)?.version ?? group);
    if (rate === undefined) return undefined;
    const requests = ((this.weights?.[group] ?? 50) + 1) * 100;
    const values: Readonly<Record<string, number>> = {
      requests,
      errors: rate * requests,
      'error-rate': rate,
      'latency.p50': 10,
      'latency.p99': rate < 0.5 ? 100 : 5000,
    };
    return values[name];
  }

  #apply(action: RolloutAction): void {
    if (action.kind === 'scale') this.#scale(action.group, action.version, action.replicas);
    if (action.kind === 'weight') this.weights = action.weights;
    if (action.kind === 'mirror')
      this.mirror = action.group === undefined ? undefined : { group: action.group, percent: action.percent };
    if (action.kind !== 'push') return;
    for (const host of this.hosts) {
      if (!action.hosts.includes(host.host)) continue;
      host.told = action.version;
      host.changesMs = this.refuses(action.version) ? Infinity : this.nowMs + this.startMs(action.version);
    }
  }

  #scale(name: string, version: string, spec: number): void {
    const group = this.groups.get(name) ?? { version, spec: 0, replicas: [] };
    this.groups.set(name, group);
    group.spec = spec;
    const staying = group.replicas.filter(({ goneMs }) => goneMs === Infinity);
    for (let at = staying.length; at < spec; at++)
      group.replicas.push({ createdMs: this.nowMs, readyMs: this.nowMs + this.startMs(version), goneMs: Infinity });
    // Those that do not serve yet go first, as with every replica controller.
    const order = [...staying].sort((a, b) => Number(a.readyMs <= this.nowMs) - Number(b.readyMs <= this.nowMs));
    for (const replica of order.slice(0, Math.max(0, staying.length - spec))) replica.goneMs = this.nowMs + this.stopMs;
  }

  #check(action: RolloutAction): void {
    this.log.push(JSON.stringify([this.nowMs - this.#epochMs, action]));
    if (action.kind === 'scale' && !(Number.isInteger(action.replicas) && action.replicas >= 0))
      this.violations.push(`asks for ${action.replicas} replicas`);
    if (action.kind === 'weight') {
      const sum = Object.values(action.weights).reduce((total, weight) => total + weight, 0);
      if (!(Math.abs(sum - 100) < 1e-6)) this.violations.push(`divides ${sum} percent of traffic`);
    }
    if (action.kind === 'push' && action.hosts.length === 0) this.violations.push('pushes to nobody');
  }

  /** Whoever waits for somebody gets an answer after ten minutes. */
  #promote(): void {
    if (this.rollout.phase !== 'paused') this.#pausedMs = undefined;
    else this.#pausedMs ??= this.nowMs;
    const isOver = this.#pausedMs !== undefined && this.nowMs >= this.#pausedMs + PATIENCE_MS;
    if (!isOver || this.#options.isPromoted === false) return;
    this.#pausedMs = undefined;
    this.rollout.command('promote', this.nowMs);
  }

  #measure(): void {
    if (this.#options.unit === 'hosts') return;
    const { groups } = this.observe();
    this.leastAvailable = Math.min(
      this.leastAvailable,
      groups.reduce((sum, { available }) => sum + available, 0),
    );
    this.mostCreated = Math.max(
      this.mostCreated,
      groups.reduce((sum, { spec }) => sum + spec, 0),
    );
  }

  #nextMs(): Ms {
    let nextMs = this.rollout.nextTimerMs();
    const offer = (atMs: Ms): void => {
      if (atMs > this.nowMs && atMs < nextMs) nextMs = atMs;
    };
    for (const { replicas } of this.groups.values()) {
      for (const { readyMs, goneMs } of replicas) {
        offer(readyMs);
        offer(Math.floor(readyMs + this.rollout.minReadyMs) + 1);
        offer(goneMs);
      }
    }
    for (const { changesMs } of this.hosts) offer(changesMs);
    if (this.#pausedMs !== undefined && this.#options.isPromoted !== false) offer(this.#pausedMs + PATIENCE_MS);
    offer(this.#retryMs);
    return nextMs;
  }

  #advance(): void {
    for (const group of this.groups.values()) {
      const left = group.replicas.filter(({ goneMs }) => goneMs > this.nowMs);
      group.replicas.splice(0, group.replicas.length, ...left);
    }
    for (const host of this.hosts) {
      if (host.changesMs > this.nowMs) continue;
      host.version = host.told;
      host.changesMs = Infinity;
    }
  }
}

const PATIENCE_MS = 600_000;
