/** Kinds about outlier detection: Envoy and gRPC. */
import { type EnvoyOutlierDetector, ejectionJitterMs, envoyOutliers } from '../../../src/policies/detection/outliers/envoy.ts';
import { type GrpcOutlierDetector, grpcOutliers } from '../../../src/policies/detection/outliers/grpc.ts';
import { attemptOutcomes, type EjectionReason } from '../../../src/policies/detection/outliers/outlier-detector.ts';
import { CallCounts } from '../../../src/policies/detection/outliers/parts/call-counts.ts';
import { judgeSuccessRates } from '../../../src/policies/detection/success-rate.ts';
import { type Adapters } from '../vector-file.ts';
import { Script } from './stage.ts';

interface Calls {
  readonly ok: number;
  readonly failed: number;
}
interface Step {
  readonly tickAtMs?: number;
  readonly atMs?: number;
  readonly host?: number;
  readonly codes?: readonly number[];
  readonly perHostOk?: number;
  readonly http503?: number;
}
type Config = Readonly<Record<string, unknown>>;

export const outliersAdapters: Adapters = {
  'outlier.successRateThreshold': (input: { readonly successRatesPercent: readonly number[]; readonly stdevFactor: number }) =>
    judged(input.successRatesPercent, input.stdevFactor),
  'outlier.successRateThreshold.table': (input: {
    readonly stdevFactor: number;
    readonly sets: readonly (readonly number[])[];
  }) => ({ rows: input.sets.map((rates) => judged(rates, input.stdevFactor)) }),
  'outlier.singleOutlierEjectable': (input: {
    readonly stdevFactor: number;
    readonly hosts: readonly number[];
    readonly goodRate: number;
    readonly badRate: number;
  }) => ({
    ejected: input.hosts.map((hosts) => {
      const rates = Array.from({ length: hosts }, (_, i) => (i === 0 ? input.badRate : input.goodRate));
      return judgeSuccessRates(rates, input.stdevFactor).ejected.length > 0;
    }),
  }),

  'outlier.failurePercentage': (input: {
    readonly threshold: number;
    readonly minimumHosts: number;
    readonly requestVolume: number;
    readonly hosts: readonly Calls[];
  }) => {
    const rig = new EnvoyRig(input.hosts.length, {
      ...onlyRates,
      enforcingSuccessRate: 0,
      enforcingFailurePercentage: 100,
      failurePercentageThreshold: input.threshold,
      failurePercentageMinimumHosts: input.minimumHosts,
      failurePercentageRequestVolume: input.requestVolume,
    });
    rig.feed(input.hosts);
    rig.tick(10_000);
    const counts = new CallCounts();
    input.hosts.forEach((calls, slot) => {
      counts.start(slot);
      each(calls, (isGood) => counts.add(slot, isGood));
      counts.swap(slot);
    });
    return { failurePercent: input.hosts.map((_, slot) => counts.failurePercent(slot)), ejectIndexes: rig.ejected() };
  },
  'outlier.gates': (input: Config & { readonly hosts: readonly Calls[] }) => {
    const { hosts, ...config } = input;
    const rig = new EnvoyRig(hosts.length, { ...onlyRates, ...config });
    rig.feed(hosts);
    rig.tick(10_000);
    const { comparedHosts, averageSuccessRate, successRateThreshold } = rig.detector.stats();
    return {
      eligibleHosts: comparedHosts,
      average: averageSuccessRate,
      threshold: successRateThreshold,
      ejectIndexes: rig.ejected(),
    };
  },

  'outlier.consecutive': (input: ScenarioInput) => ({ events: scenario(input).events }),
  'outlier.consecutive.scenario': (input: ScenarioInput) => ({ events: scenario(input).events }),
  'outlier.consecutive.count': (input: Config & { readonly sequences: readonly (readonly number[])[] }) => ({
    ejectAtIndex: firstEjections(input).map(({ index }) => index),
  }),
  'outlier.gatewayFailure': (input: Config & { readonly sequences: readonly (readonly number[])[] }) => {
    const found = firstEjections(input);
    return { ejectAtIndex: found.map(({ index }) => index), reason: found.map(({ reason }) => reason) };
  },

  'outlier.ejectionDurations': (input: Config & { readonly intervalMs: number; readonly count: number }) => {
    const { count, reEjectImmediately: _always, ...config } = input;
    const rig = new EnvoyRig(1, { ...config, maxEjectionPercent: 100 });
    const durationsMs: number[] = [];
    for (let nowMs = 0; durationsMs.length < count;) {
      const sinceMs = nowMs;
      rig.codes(0, failures, nowMs);
      while (rig.ejected().length > 0) rig.tick((nowMs += input.intervalMs));
      durationsMs.push(nowMs - sinceMs);
    }
    return { durationsMs };
  },
  'outlier.maxEjections': (input: {
    readonly rows: readonly { readonly hosts: number; readonly maxEjectionPercent: number }[];
  }) => {
    const under = (rule: Config): number[] =>
      input.rows.map(({ hosts, maxEjectionPercent }) => {
        const rig = new EnvoyRig(hosts, { maxEjectionPercent, ...rule });
        for (let host = 0; host < hosts; host++) rig.codes(host, failures, 0);
        return rig.ejected().length;
      });
    return {
      strict: under({}),
      alwaysEjectOneHost: under({ alwaysEjectOneHost: true }),
      legacy: under({ ejectionRule: 'legacy' }),
    };
  },
  'outlier.overflow': (input: {
    readonly rule: string;
    readonly hosts: number;
    readonly maxEjectionPercent: number;
    readonly alwaysEjectOneHost?: boolean;
    readonly ejectAttempts: readonly number[];
  }) => {
    const { rule, hosts, ejectAttempts, ...config } = input;
    const rig = new EnvoyRig(hosts, { ...config, ejectionRule: rule });
    const ejected = ejectAttempts.map((host) => {
      rig.codes(host, failures, 0);
      return rig.ejected().includes(host);
    });
    return { ejected, overflowCount: rig.detector.stats().overflow };
  },
  'outlier.jitter': (input: {
    readonly rows: readonly { readonly random: number; readonly maxEjectionTimeJitterMs: number }[];
  }) => ({
    jitterMs: input.rows.map(({ random, maxEjectionTimeJitterMs }) =>
      ejectionJitterMs(maxEjectionTimeJitterMs, new Script(random)),
    ),
  }),

  'outlier.failurePercentage.scenario': (
    input: Config & {
      readonly intervalMs: number;
      readonly hosts: number;
      readonly ticks: number;
      readonly steps: readonly { readonly beforeTick: number; readonly requests: number; readonly status: number }[];
    },
  ) => {
    const { hosts, ticks, steps, ...config } = input;
    const rig = new EnvoyRig(hosts, config);
    const ejectedAfterTick: boolean[] = [];
    for (let tick = 1; tick <= ticks; tick++) {
      for (const { requests, status } of steps.filter(({ beforeTick }) => beforeTick === tick)) {
        rig.codes(0, repeated(status, requests), (tick - 1) * input.intervalMs);
      }
      rig.tick(tick * input.intervalMs);
      ejectedAfterTick.push(rig.ejected().includes(0));
    }
    return { ejectedAfterTick };
  },
  'outlier.successRate.scenario': (
    input: ScenarioInput & { readonly stdevFactor: number; readonly minimumHosts: number; readonly requestVolume: number },
  ) => {
    const { stdevFactor, minimumHosts, requestVolume, ...rest } = input;
    const { rig, ticks, events } = scenario({
      ...rest,
      ...onlyRates,
      successRateStdevFactor: stdevFactor,
      successRateMinimumHosts: minimumHosts,
      successRateRequestVolume: requestVolume,
    });
    const ejection = events.find(({ event }) => event === 'eject');
    const first = ticks.find(({ atMs }) => atMs === ejection?.atMs);
    const last = ticks.at(-1);
    return {
      ejectedAtMs: ejection?.atMs,
      [`successRateHost${ejection?.host}`]: first?.successPercent[ejection?.host ?? 0],
      average: first?.average,
      threshold: first?.threshold,
      ejectedStillAt: ticks.findLast(({ ejected }) => ejected > 0)?.atMs,
      unejectedAtMs: events.find(({ event }) => event === 'uneject')?.atMs,
      secondRound: { average: last?.average, threshold: last?.threshold, ejected: rig.ejected().length > 0 },
    };
  },

  'outlier.grpc.tick': (input: {
    readonly maxEjectionPercent: number;
    readonly successRate: { readonly stdevFactor: number; readonly minimumHosts: number; readonly requestVolume: number } | null;
    readonly failurePercentage: {
      readonly threshold: number;
      readonly minimumHosts: number;
      readonly requestVolume: number;
    } | null;
    readonly hosts: readonly Calls[];
  }) => {
    const { successRate, failurePercentage, hosts } = input;
    const rig = new GrpcRig(hosts.length, {
      maxEjectionPercent: input.maxEjectionPercent / 100,
      successRateEjection: successRate !== null,
      failurePercentageEjection: failurePercentage !== null,
      ...(successRate === null
        ? {}
        : {
            successRateStdevFactor: successRate.stdevFactor,
            successRateMinimumHosts: successRate.minimumHosts,
            successRateRequestVolume: successRate.requestVolume,
          }),
      ...(failurePercentage === null
        ? {}
        : {
            failurePercentageThreshold: failurePercentage.threshold / 100,
            failurePercentageMinimumHosts: failurePercentage.minimumHosts,
            failurePercentageRequestVolume: failurePercentage.requestVolume,
          }),
    });
    hosts.forEach((calls, slot) => rig.feed(slot, calls));
    rig.detector.tick(10_000);
    return { ejectIndexes: [...rig.ejected].toSorted((a, b) => a - b) };
  },
  'outlier.grpc.multiplier': (input: {
    readonly baseEjectionTimeMs: number;
    readonly maxEjectionTimeMs: number;
    readonly events: readonly { readonly tickAtMs: number; readonly fail?: boolean }[];
  }) => {
    const rig = new GrpcRig(1, {
      baseEjectionTime: input.baseEjectionTimeMs,
      maxEjectionTime: input.maxEjectionTimeMs,
      maxEjectionPercent: 1,
      successRateEjection: false,
      failurePercentageEjection: true,
      failurePercentageMinimumHosts: 1,
      failurePercentageRequestVolume: 1,
    });
    const after = input.events.map(({ tickAtMs, fail }) => {
      if (fail === true) rig.feed(0, { ok: 0, failed: 10 });
      rig.detector.tick(tickAtMs);
      return { atMs: tickAtMs, ejected: rig.ejected.has(0), multiplier: rig.detector.multiplierOf(0) };
    });
    return { after };
  },
};

interface ScenarioInput extends Config {
  readonly hosts: number;
  readonly steps: readonly Step[];
}
interface Event {
  readonly atMs: number;
  readonly host: number;
  readonly event: 'eject' | 'uneject';
  readonly reason?: string;
}

const judged = (rates: readonly number[], stdevFactor: number): object => {
  const { mean, threshold, ejected } = judgeSuccessRates(rates, stdevFactor);
  return { average: mean, threshold, ejectIndexes: ejected };
};

/** Ticks come when the row says, not when the detector asks for them. */
function scenario({ hosts, steps, ...config }: ScenarioInput) {
  const rig = new EnvoyRig(hosts, config);
  const ticks: { atMs: number; ejected: number; average: number; threshold: number; successPercent: readonly number[] }[] = [];
  for (const { tickAtMs, atMs = 0, host = 0, codes = [], perHostOk = 0, http503 = 0 } of steps) {
    if (tickAtMs !== undefined) {
      rig.tick(tickAtMs);
      const { ejected, averageSuccessRate: average, successRateThreshold: threshold } = rig.detector.stats();
      const successPercent = Array.from({ length: hosts }, (_, slot) => rig.detector.successPercentOf(slot));
      ticks.push({ atMs: tickAtMs, ejected, average, threshold, successPercent });
      continue;
    }
    for (let slot = 0; slot < hosts; slot++) rig.codes(slot, repeated(200, perHostOk), atMs);
    rig.codes(host, [...codes, ...repeated(503, http503)], atMs);
  }
  return { rig, ticks, events: rig.events };
}

function firstEjections(
  input: Config & { readonly sequences: readonly (readonly number[])[] },
): { index: number | null; reason: string | null }[] {
  const { sequences, ...config } = input;
  return sequences.map((sequence) => {
    const rig = new EnvoyRig(1, { maxEjectionPercent: 100, ...config });
    const index = sequence.findIndex((code) => {
      rig.codes(0, [code], 0);
      return rig.events.length > 0;
    });
    return { index: index === -1 ? null : index, reason: rig.events[0]?.reason ?? null };
  });
}

/** Envoy's detector over hosts 0 to n − 1, its parameters as rows write them: times end in Ms and shares are percentages. */
class EnvoyRig {
  readonly detector: EnvoyOutlierDetector;
  readonly events: Event[] = [];
  readonly #ejected = new Set<number>();

  constructor(hosts: number, config: Config) {
    const entries = Object.entries(config).map(([name, value]): [string, unknown] => {
      const isShare = /^enforcing|^maxEjectionPercent$|^failurePercentageThreshold$/.test(name);
      return [name.replace(/Ms$/, ''), isShare ? (value as number) / 100 : value];
    });
    this.detector = envoyOutliers.make(Object.fromEntries(entries), {
      rng: new Script(),
      sink: { eject: (host, isEjected, atMs, reason) => this.#note(host, isEjected, atMs, reason) },
    }) as EnvoyOutlierDetector;
    for (let host = 0; host < hosts; host++) this.detector.watch(host, 0);
  }

  codes(host: number, codes: readonly number[], atMs: number): void {
    for (const code of codes) this.detector.onStatus(host, code, atMs);
  }

  feed(hosts: readonly Calls[]): void {
    hosts.forEach((calls, host) => each(calls, (isGood) => this.codes(host, [isGood ? 200 : 500], 0)));
  }

  tick(atMs: number): void {
    this.detector.tick(atMs);
  }

  ejected(): readonly number[] {
    return [...this.#ejected].toSorted((a, b) => a - b);
  }

  #note(host: number, isEjected: boolean, atMs: number, reason: EjectionReason): void {
    if (isEjected) this.#ejected.add(host);
    else this.#ejected.delete(host);
    const camelCase = reason.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    this.events.push({ atMs, host, event: isEjected ? 'eject' : 'uneject', reason: camelCase });
  }
}

class GrpcRig {
  readonly detector: GrpcOutlierDetector;
  readonly ejected = new Set<number>();

  constructor(hosts: number, params: Parameters<typeof grpcOutliers.make>[0]) {
    this.detector = grpcOutliers.make(params, {
      rng: new Script(),
      sink: { eject: (host, isEjected) => (isEjected ? this.ejected.add(host) : this.ejected.delete(host)) },
    }) as GrpcOutlierDetector;
    for (let host = 0; host < hosts; host++) this.detector.watch(host, 0);
  }

  feed(host: number, calls: Calls): void {
    each(calls, (isGood) => this.detector.onEnd(host, isGood ? attemptOutcomes.ok : attemptOutcomes.error));
  }
}

function each({ ok, failed }: Calls, call: (isGood: boolean) => void): void {
  for (let i = 0; i < ok; i++) call(true);
  for (let i = 0; i < failed; i++) call(false);
}

const repeated = (code: number, count: number): readonly number[] => Array.from({ length: count }, () => code);
/** Enough in a row for the default rule. */
const failures = repeated(500, 5);
/** Rows about rates know no rule for failures in a row. */
const onlyRates: Config = { enforcingConsecutive5xx: 0, enforcingConsecutiveGatewayFailure: 0, maxEjectionPercent: 100 };
