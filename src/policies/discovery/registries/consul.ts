/** Consul: every instance has a check that expires, and queries can wait for changes.
 *
 *  Use it where clients must hear of changes at once and instances report their own health. It fails when many instances or clients
 *  change together: each change wakes every waiting query. An instance whose reports are delayed beyond its time to live is taken out
 *  although it serves.
 *
 *  A check without a report for its time to live turns critical at that instant, and the next report revives it. An instance
 *  critical for longer than `deregisterCriticalServiceAfter` (at least a minute) is removed, found on a tick of 30 s; then it has to
 *  register again. Queries are answered as in `parts/blocking-queries.ts`. */
import { boolean, choice, duration } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { BlockingQueries, grantedWaitMs } from '../../shared/blocking-queries.ts';
import { Catalog } from '../parts/catalog.ts';
import { Deadlines } from '../../shared/deadlines.ts';
import { defineRegistry, type HealthStatus, healthStatuses, type Registry, type RegistryDeps } from './registry.ts';

export const consulRegistry = defineRegistry({
  name: 'consul',
  summary: 'Turns silent instances critical, revives them with their next report, and lets queries wait for changes.',
  useWhen: 'Changes must reach clients at once, and instances report their health.',
  failsWhen: 'Very many clients wait on one service, or reports are delayed beyond their time to live.',
  cost: 'O(1) per report, O(open queries) per change',
  sources: [
    'hashicorp/consul: agent/checks/check.go, CheckTTL; agent/agent.go, reapServices',
    'hashicorp/consul: agent/consul/rpc.go, blocking queries',
  ],
  aliases: [{ system: 'HashiCorp', name: 'Consul' }],
  params: {
    ttl: duration({
      default: 30_000,
      min: 1,
      about: 'A check without a report for this long is critical.',
      official: 'Consul ttl',
    }),
    renewEvery: duration({ default: 10_000, min: 1, about: 'How often instances report.' }),
    initialStatus: choice({
      choices: healthStatuses,
      default: 'critical',
      about: 'Status from registration until the first report.',
      official: 'Consul status',
    }),
    onlyPassing: boolean({
      default: false,
      about: 'Whether queries leave out instances with warnings too; critical ones are always left out.',
      official: 'Consul dns_config.only_passing, ?passing',
    }),
    deregisterCriticalServiceAfter: duration({
      default: 0,
      min: 0,
      about: 'An instance critical for longer is removed; 0: never. Below a minute it means a minute.',
      official: 'Consul deregister_critical_service_after',
    }),
    defaultQueryTime: duration({
      default: 300_000,
      min: 1,
      about: 'Wait of a query that names none.',
      official: 'Consul default_query_time',
    }),
    maxQueryTime: duration({ default: 600_000, min: 1, about: 'No wait is longer.', official: 'Consul max_query_time' }),
  },
  create: (params, deps) => new ConsulRegistry(params, deps),
});

/** How long an instance must have been critical to be removed, given what was asked for. */
export const deregisterAfterMs = (requestedMs: Ms): Ms => Math.max(requestedMs, 60_000);

interface ConsulParams {
  readonly ttl: Ms;
  readonly renewEvery: Ms;
  readonly initialStatus: HealthStatus;
  readonly onlyPassing: boolean;
  readonly deregisterCriticalServiceAfter: Ms;
  readonly defaultQueryTime: Ms;
  readonly maxQueryTime: Ms;
}

class ConsulRegistry implements Registry {
  readonly renewEveryMs: Ms;
  readonly #params: ConsulParams;
  readonly #catalog: Catalog;
  readonly #queries: BlockingQueries;
  readonly #expiries = new Deadlines();
  readonly #criticalSinceMs = new Map<number, Ms>();
  #nextReapMs: Ms = Infinity;

  constructor(params: ConsulParams, deps: RegistryDeps) {
    this.renewEveryMs = params.renewEvery;
    this.#params = params;
    this.#queries = new BlockingQueries(deps.rng, (query, nowMs) =>
      deps.host.answer(query, { members: this.#catalog.members(), index: this.#catalog.index, ageMs: 0, ttlMs: Infinity }, nowMs),
    );
    this.#catalog = new Catalog(
      (status) => status === 'passing' || (status === 'warning' && !params.onlyPassing),
      (nowMs) => this.#queries.changed(this.#catalog.index, nowMs),
    );
  }

  get index(): number {
    return this.#catalog.index;
  }

  register(instance: number, nowMs: Ms): void {
    this.#expiries.set(instance, nowMs + this.#params.ttl);
    // Registering again keeps the status that the check has.
    if (this.#catalog.status(instance) === undefined) this.#become(instance, this.#params.initialStatus, nowMs);
  }

  renew(instance: number, status: HealthStatus, nowMs: Ms): boolean {
    if (this.#catalog.status(instance) === undefined) return false;
    this.#expiries.set(instance, nowMs + this.#params.ttl);
    this.#become(instance, status, nowMs);
    return true;
  }

  deregister(instance: number, nowMs: Ms): void {
    this.#expiries.delete(instance);
    this.#criticalSinceMs.delete(instance);
    this.#catalog.delete(instance, nowMs);
  }

  status(instance: number): HealthStatus | undefined {
    return this.#catalog.status(instance);
  }

  query(query: number, index: number, waitMs: Ms, nowMs: Ms): void {
    const { defaultQueryTime, maxQueryTime } = this.#params;
    this.#queries.ask(query, index, grantedWaitMs(waitMs, defaultQueryTime, maxQueryTime), this.index, nowMs);
  }

  forget(query: number): void {
    this.#queries.forget(query);
  }

  nextTimerMs(): Ms {
    return Math.min(this.#expiries.nextMs(), this.#queries.nextTimerMs(), this.#nextReapMs);
  }

  onTimer(nowMs: Ms): void {
    for (const instance of this.#expiries.takeDue(nowMs)) this.#become(instance, 'critical', nowMs);
    if (nowMs >= this.#nextReapMs) this.#reap(nowMs);
    this.#queries.onTimer(nowMs);
  }

  #become(instance: number, status: HealthStatus, nowMs: Ms): void {
    if (status !== 'critical') this.#criticalSinceMs.delete(instance);
    else if (!this.#criticalSinceMs.has(instance)) {
      this.#criticalSinceMs.set(instance, nowMs);
      if (this.#params.deregisterCriticalServiceAfter > 0) this.#nextReapMs = Math.min(this.#nextReapMs, nextTick(nowMs));
    }
    this.#catalog.set(instance, status, nowMs);
  }

  #reap(nowMs: Ms): void {
    const afterMs = deregisterAfterMs(this.#params.deregisterCriticalServiceAfter);
    const due = [...this.#criticalSinceMs].filter(([, sinceMs]) => nowMs - sinceMs > afterMs);
    for (const [instance] of due) this.deregister(instance, nowMs);
    this.#nextReapMs = this.#criticalSinceMs.size === 0 ? Infinity : nextTick(nowMs);
  }
}

const REAP_INTERVAL_MS = 30_000;
/** The first tick of the reaper after `nowMs`. */
const nextTick = (nowMs: Ms): Ms => (Math.floor(nowMs / REAP_INTERVAL_MS) + 1) * REAP_INTERVAL_MS;
