/** Kinds about active health checks: Envoy, HAProxy, Kubernetes, Consul, Eureka. */
import {
  ConsulChecker,
  consul,
  consulProbeResult,
  consulStatusOf,
  effectiveDeregisterMs,
  reapedAtMs,
} from '../../../src/policies/detection/checks/consul.ts';
import { envoyHealthCheck, jitteredIntervalMs } from '../../../src/policies/detection/checks/envoy.ts';
import { compensation, eurekaStaleness, Leases } from '../../../src/policies/detection/checks/eureka.ts';
import { evictionCount, isEvictionAllowed, renewsPerMinThreshold } from '../../../src/policies/shared/eureka-rules.ts';
import { haproxyHealth, haproxyIsUp } from '../../../src/policies/detection/checks/haproxy.ts';
import {
  type HealthChecker,
  probeKinds,
  type ProbeResult,
  probeResults,
} from '../../../src/policies/detection/checks/health-checker.ts';
import { kubelet, KubeletChecker, type KubeletParams, probeDetectionMs } from '../../../src/policies/detection/checks/kubelet.ts';
import { type ProbeState, probeStates } from '../../../src/policies/detection/checks/parts/probe-runs.ts';
import { type ConsulStatus, consulStatuses, StatusHandler } from '../../../src/policies/detection/checks/parts/status-handler.ts';
import { defaults } from '../../../src/core/params.ts';
import { type Adapters, NotCovered } from '../vector-file.ts';
import { Script } from './stage.ts';

interface EnvoyInput {
  readonly initiallyFailed: boolean;
  readonly results: readonly string[];
  readonly [param: string]: unknown;
}
type KubernetesProbe = 'liveness' | 'readiness' | 'startup';

export const checksAdapters: Adapters = {
  'hc.envoy': (input: EnvoyInput) => ({ healthy: envoyRun(input).healthy }),
  'hc.envoy.interval': (input: EnvoyInput) => envoyRun(input),
  'hc.envoy.jitter': (input: {
    readonly intervalMs: number;
    readonly intervalJitterPercent?: number;
    readonly intervalJitterMs?: number;
    readonly random: readonly number[];
  }) => ({
    intervalMs: input.random.map((draw) =>
      jitteredIntervalMs(
        input.intervalMs,
        input.intervalJitterMs ?? 0,
        (input.intervalJitterPercent ?? 0) / 100,
        new Script(draw, draw),
      ),
    ),
  }),

  'hc.haproxy': (input: {
    readonly rise: number;
    readonly fall: number;
    readonly initialHealth: number;
    readonly results: readonly string[];
  }) => {
    let current = input.initialHealth;
    const health = input.results.map((result) => (current = haproxyHealth(current, result === 'pass', input.rise, input.fall)));
    return { health, up: health.map((value) => haproxyIsUp(value, input.rise)) };
  },

  'hc.consul.statusHandler': (input: {
    readonly successBeforePassing: number;
    readonly failuresBeforeWarning: number;
    readonly failuresBeforeCritical: number;
    readonly results: readonly ConsulName[];
  }) => {
    const handler = new StatusHandler(input);
    handler.start(0);
    let updates = 0;
    let status: string | null = null;
    const after = input.results.map((result) => {
      const published = handler.record(0, consulStatuses[result]);
      if (published !== -1) {
        updates++;
        status = consulName(published);
      }
      return { updates, status };
    });
    return { after };
  },
  'hc.consul.http': (input: { readonly statusCodes: readonly number[] }) => ({
    status: input.statusCodes.map((code) => consulName(consulStatusOf(consulProbeResult(code)))),
  }),
  'hc.consul.ttl': (input: {
    readonly ttlMs: number;
    readonly updates: readonly { readonly atMs: number; readonly status: ConsulName }[];
    readonly queryAtMs: readonly number[];
  }) => {
    const checker = new ConsulChecker({ ...defaults(consul.params), check: 'ttl', ttl: input.ttlMs }, silentDeps());
    checker.watch(0, 0);
    const updates = [...input.updates];
    const status = input.queryAtMs.map((atMs) => {
      while (updates.length > 0 && updates[0].atMs <= atMs) {
        const update = updates.shift()!;
        checker.onTimer(update.atMs);
        checker.onReport(0, resultOfConsul[update.status], update.atMs);
      }
      checker.onTimer(atMs);
      return consulName(checker.statusOf(0));
    });
    return { status };
  },
  'hc.consul.deregister': (input: {
    readonly deregisterCriticalServiceAfterMs: readonly number[];
    readonly criticalSinceMs: number;
    readonly reapTicksMs: number;
  }) => ({
    effectiveAfterMs: input.deregisterCriticalServiceAfterMs.map((afterMs) => effectiveDeregisterMs(afterMs)),
    removedAtTickMs: input.deregisterCriticalServiceAfterMs.map((afterMs) =>
      reapedAtMs(input.criticalSinceMs, afterMs, input.reapTicksMs),
    ),
  }),

  'k8s.probe': (input: {
    readonly probeType: KubernetesProbe;
    readonly successThreshold: number;
    readonly failureThreshold: number;
    readonly results: readonly string[];
  }) => {
    const rig = new KubernetesRig(input.probeType, {
      readinessSuccessThreshold: input.successThreshold,
      [`${input.probeType}FailureThreshold`]: input.failureThreshold,
    });
    const states = input.results.map((result) => {
      rig.next(result === 'Success' ? probeResults.ok : probeResults.failure);
      return rig.state();
    });
    return { states, onHoldAfter: rig.isOnHold() };
  },
  'k8s.initialDelay': (input: {
    readonly initialDelaySeconds: number;
    readonly cases: readonly {
      readonly probeType: KubernetesProbe;
      readonly containerAgeSeconds: number;
      readonly probeResult: string;
    }[];
  }) => ({
    state: input.cases.map(({ probeType, containerAgeSeconds, probeResult }) => {
      const rig = new KubernetesRig(probeType, { [`${probeType}InitialDelay`]: input.initialDelaySeconds * 1000 });
      rig.advanceTo(containerAgeSeconds * 1000, probeResult === 'Success' ? probeResults.ok : probeResults.failure);
      return rig.state();
    }),
  }),
  'k8s.probeDetection': (input: {
    readonly periodSeconds: number;
    readonly timeoutSeconds: number;
    readonly failureThreshold: number;
    readonly failureMode: readonly string[];
  }) => {
    const ranges = input.failureMode.map((mode) =>
      probeDetectionMs(input.periodSeconds * 1000, input.timeoutSeconds * 1000, input.failureThreshold, mode === 'fast-fail'),
    );
    return {
      minDetectionSeconds: ranges.map(({ minMs }) => minMs / 1000),
      maxDetectionSeconds: ranges.map(({ maxMs }) => maxMs / 1000),
    };
  },

  'eureka.renewThreshold': (input: {
    readonly expectedClientRenewalIntervalSeconds: number;
    readonly renewalPercentThreshold: number;
    readonly expectedClients: readonly number[];
  }) => ({
    renewsPerMinThreshold: input.expectedClients.map((clients) =>
      renewsPerMinThreshold(clients, input.expectedClientRenewalIntervalSeconds * 1000, input.renewalPercentThreshold),
    ),
  }),
  'eureka.evictionAllowed': (input: {
    readonly renewalPercentThreshold: number;
    readonly renewalIntervalSeconds: number;
    readonly rows: readonly { readonly expectedClients: number; readonly renewsLastMin: number }[];
  }) => {
    const threshold = input.rows.map(({ expectedClients }) =>
      renewsPerMinThreshold(expectedClients, input.renewalIntervalSeconds * 1000, input.renewalPercentThreshold),
    );
    return {
      threshold,
      evictionAllowed: input.rows.map(({ renewsLastMin }, i) => isEvictionAllowed(threshold[i], renewsLastMin)),
    };
  },
  'eureka.evictionLimit': (input: {
    readonly renewalPercentThreshold: number;
    readonly rows: readonly { readonly registrySize: number; readonly expired: number }[];
  }) => ({
    evicted: input.rows.map(({ registrySize, expired }) => evictionCount(registrySize, expired, input.renewalPercentThreshold)),
  }),
  'eureka.compensation': (input: { readonly evictionIntervalMs: number; readonly ticksNs: readonly number[] }) => ({
    // In nanoseconds, which are whole; the answer in whole milliseconds, as there.
    compensationMs: input.ticksNs.map((nowNs, i) =>
      Math.trunc(compensation(input.ticksNs[i - 1], nowNs, input.evictionIntervalMs * 1e6) / 1e6),
    ),
  }),
  'eureka.leaseExpired': (input: {
    readonly leaseDurationMs: number;
    readonly registeredAtMs: number;
    readonly cases: readonly { readonly renewsAtMs: readonly number[]; readonly nowMs: number }[];
  }) => ({
    expired: input.cases.map(({ renewsAtMs, nowMs }) => {
      const leases = new Leases(input.leaseDurationMs);
      leases.register(0, input.registeredAtMs);
      for (const atMs of renewsAtMs) leases.renew(0, atMs);
      return leases.isExpired(0, nowMs);
    }),
  }),
  'eureka.staleness': (input: {
    readonly effectiveExpirySeconds: number;
    readonly evictionIntervalSeconds: number;
    readonly responseCacheUpdateSeconds: number;
    readonly registryFetchIntervalSeconds: number;
    readonly clientLoadBalancerRefreshSeconds: number;
  }) => {
    const { visibleAfterMs, routedForMs } = eurekaStaleness({
      effectiveExpiryMs: input.effectiveExpirySeconds * 1000,
      evictionIntervalMs: input.evictionIntervalSeconds * 1000,
      responseCacheUpdateMs: input.responseCacheUpdateSeconds * 1000,
      registryFetchIntervalMs: input.registryFetchIntervalSeconds * 1000,
      loadBalancerRefreshMs: input.clientLoadBalancerRefreshSeconds * 1000,
    });
    return {
      newInstanceVisibleWorstSeconds: visibleAfterMs / 1000,
      crashedInstanceStillRoutedWorstSeconds: routedForMs / 1000,
    };
  },
};

const envoyResults: Readonly<Record<string, ProbeResult>> = {
  ok: probeResults.ok,
  degraded: probeResults.degraded,
  timeout: probeResults.timeout,
  network: probeResults.network,
  http5xx: probeResults.unhealthy,
  retriable: probeResults.failure,
};

/** One endpoint, checked as often as there are results. */
function envoyRun({ initiallyFailed, results, ...config }: EnvoyInput): { healthy: boolean[]; nextIntervalMs: number[] } {
  const params = Object.fromEntries(Object.entries(config).map(([name, value]) => [name.replace(/Ms$/, ''), value]));
  let isHealthy = !initiallyFailed;
  let sent = 0;
  const checker: HealthChecker = envoyHealthCheck.make(params, {
    rng: new Script(),
    prober: { probe: (_slot, probe) => (sent = probe) },
    sink: { believe: (_slot, alive) => (isHealthy = alive) },
  });
  checker.onTraffic?.(0);
  checker.watch(0, 0, isHealthy);
  const healthy: boolean[] = [];
  const nextIntervalMs: number[] = [];
  for (const name of results) {
    const result = envoyResults[name];
    if (result === undefined) throw new NotCovered(name);
    const nowMs = checker.nextTimerMs();
    checker.onTimer(nowMs);
    checker.onResult(0, sent, result, nowMs);
    healthy.push(isHealthy);
    nextIntervalMs.push(checker.nextTimerMs() - nowMs);
  }
  return { healthy, nextIntervalMs };
}

/** One container with one kind of probe, which answers at once. */
class KubernetesRig {
  readonly #checker: KubeletChecker;
  readonly #kind: 1 | 2 | 3;
  #sent = 0;

  constructor(probe: KubernetesProbe, params: Partial<KubeletParams>) {
    this.#kind = probeKinds[probe];
    this.#checker = new KubeletChecker(
      { ...defaults(kubelet.params), ...params, probes: [probe] },
      { ...silentDeps(), prober: { probe: (_slot, number) => (this.#sent = number) } },
    );
    this.#checker.watch(0, 0);
  }

  state(): string {
    const state = this.#checker.stateOf(0, this.#kind);
    return stateNames[state];
  }

  /** Whether nothing is probed any more. */
  isOnHold(): boolean {
    return this.#checker.nextTimerMs() === Infinity;
  }

  next(result: ProbeResult): void {
    if (!this.isOnHold()) this.#tick(result);
  }

  advanceTo(atMs: number, result: ProbeResult): void {
    while (this.#checker.nextTimerMs() <= atMs) this.#tick(result);
  }

  #tick(result: ProbeResult): void {
    const nowMs = this.#checker.nextTimerMs();
    this.#sent = 0;
    this.#checker.onTimer(nowMs);
    if (this.#sent !== 0) this.#checker.onResult(0, this.#sent, result, nowMs);
  }
}

const stateNames: Readonly<Record<ProbeState, string>> = {
  [probeStates.unknown]: 'Unknown',
  [probeStates.failure]: 'Failure',
  [probeStates.success]: 'Success',
};

type ConsulName = keyof typeof consulStatuses;
const resultOfConsul: Readonly<Record<ConsulName, ProbeResult>> = {
  passing: probeResults.ok,
  warning: probeResults.degraded,
  critical: probeResults.unhealthy,
};
const consulName = (status: ConsulStatus): string => Object.keys(consulStatuses)[status];

const silentDeps = () => ({ rng: new Script(), prober: { probe: () => {} }, sink: { believe: () => {} } });
