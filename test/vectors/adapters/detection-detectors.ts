/** Kinds about detectors driven by heartbeats and about alarms: `phi.*`, `fd.*`, `k8s.nodeLease`, `k8s.leaseRenew`, `alert.*`, `stat.*`. */
import { defaults } from '../../../src/core/params.ts';
import { CusumAlarm } from '../../../src/policies/detection/alarms/cusum.ts';
import { EwmaAlarm } from '../../../src/policies/detection/alarms/ewma.ts';
import { standardScore } from '../../../src/policies/detection/alarms/parts/scores.ts';
import { robustScore } from '../../../src/policies/detection/alarms/robust-z-score.ts';
import { threshold, ThresholdAlarm, type ThresholdParams } from '../../../src/policies/detection/alarms/threshold.ts';
import { bertier, BertierDetector } from '../../../src/policies/detection/bertier.ts';
import { ChenDetector } from '../../../src/policies/detection/chen.ts';
import { deadline } from '../../../src/policies/detection/deadline.ts';
import type { BeliefSink, Detector } from '../../../src/policies/detection/detector.ts';
import { leaseRenewIntervalMs, podsEvictedAtMs, unknownAtMs } from '../../../src/policies/detection/node-lease.ts';
import { SampleWindow } from '../../../src/policies/detection/parts/sample-window.ts';
import {
  akkaDetectionMs,
  akkaPhi,
  phiAccrual,
  PhiAccrualDetector,
  shareBelowPhi,
} from '../../../src/policies/detection/phi-accrual.ts';
import {
  cassandraConvicts,
  cassandraDetectionMs,
  cassandraPhi,
  phiCassandra,
  PhiCassandraDetector,
} from '../../../src/policies/detection/phi-cassandra.ts';
import { WarmAverage } from '../../../src/policies/resilience/admission/parts/warm-average.ts';
import { detectorQos, exponentialDelay, nfdsQos, qosRelations } from '../../../src/stats/detector-qos.ts';
import { type Adapters, NotCovered, type Row } from '../vector-file.ts';
import { Script } from './stage.ts';

export const detectorsAdapters: Adapters = {
  'fd.deadline.scenario': (input: {
    readonly heartbeatIntervalMs: number;
    readonly acceptableHeartbeatPauseMs: number;
    readonly steps: readonly Step[];
  }) => {
    const scene = new Scene((sink) =>
      deadline.make(
        {
          heartbeatInterval: input.heartbeatIntervalMs,
          acceptableHeartbeatPause: input.acceptableHeartbeatPauseMs,
          expectedResponseAfter: Infinity,
        },
        { rng: new Script(), sink },
      ),
    );
    return { results: scene.run(input.steps) };
  },

  'phi.akka.cdf': (input: { readonly rows: readonly NormalRow[] }) => ({
    cdf: input.rows.map((row) => shareBelowPhi(phiOf(row))),
  }),
  'phi.akka.phi': (input: { readonly rows: readonly NormalRow[] }) => ({ phi: input.rows.map((row) => inJson(phiOf(row))) }),
  'phi.akka.monotone': (input: {
    readonly elapsedMsFrom: number;
    readonly elapsedMsTo: number;
    readonly stepMs: number;
    readonly meanMs: number;
    readonly stdDevMs: number;
  }) => {
    const phis: number[] = [];
    for (let elapsedMs = input.elapsedMsFrom; elapsedMs <= input.elapsedMsTo; elapsedMs += input.stepMs) {
      phis.push(phiOf({ ...input, elapsedMs }));
    }
    return { strictlyIncreasing: phis.every((phi, i) => i === 0 || phi > phis[i - 1]) };
  },
  'phi.akka.scenario': (input: { readonly config: AkkaConfig; readonly steps: readonly Step[] }) => ({
    results: akkaScene(input.config).run(input.steps),
  }),
  'phi.akka.scenario.compact': (input: {
    readonly config: AkkaConfig;
    readonly prefix: { readonly heartbeats: number; readonly everyMs: number; readonly firstAtMs: number };
    readonly thenSteps: readonly Step[];
  }) => {
    const { heartbeats, everyMs, firstAtMs } = input.prefix;
    const prefix = Array.from({ length: heartbeats }, (_, beat) => ({ op: 'hb', atMs: firstAtMs + beat * everyMs }));
    return { results: akkaScene(input.config).run([...prefix, ...input.thenSteps]) };
  },
  'phi.akka.history': (input: { readonly maxSampleSize: number; readonly intervalsMs: readonly number[] }) => {
    const history = new SampleWindow(input.maxSampleSize);
    for (const ms of input.intervalsMs) history.add(ms);
    return { meanMs: history.mean, variance: history.variance };
  },
  'phi.akka.history.incremental': (input: {
    readonly maxSampleSize: number;
    readonly addGroups: readonly (readonly number[])[];
  }) => {
    const history = new SampleWindow(input.maxSampleSize);
    return {
      after: input.addGroups.map((group) => {
        for (const ms of group) history.add(ms);
        return { meanMs: history.mean, variance: history.variance };
      }),
    };
  },
  'phi.akka.detectionTime': (input: {
    readonly rows: readonly {
      readonly meanMs: number;
      readonly stdDevMs: number;
      readonly acceptableHeartbeatPauseMs: number;
      readonly threshold: number;
    }[];
  }) => ({
    elapsedMs: input.rows.map(({ meanMs, stdDevMs, acceptableHeartbeatPauseMs, threshold }) =>
      akkaDetectionMs(meanMs, stdDevMs, { threshold, acceptableHeartbeatPause: acceptableHeartbeatPauseMs }),
    ),
  }),

  'phi.cassandra.log10': (input: {
    readonly windowSize: number;
    readonly arrivalsMs: readonly number[];
    readonly queryAtMs: number;
  }) => {
    const detector = cassandraAfter(input.arrivalsMs, { sampleSize: input.windowSize });
    return { phi: detector.suspicion(0, input.queryAtMs) };
  },
  'phi.cassandra.convict': (input: {
    readonly meanIntervalMs: number;
    readonly threshold: number;
    readonly elapsedMs: readonly number[];
  }) => {
    const scaledPhi = input.elapsedMs.map((ms) => cassandraPhi(ms, input.meanIntervalMs));
    return { scaledPhi, convict: scaledPhi.map((phi) => cassandraConvicts(phi, input.threshold)) };
  },
  'phi.cassandra.detectionTime': (input: {
    readonly rows: readonly { readonly meanIntervalMs: number; readonly threshold: number }[];
  }) => ({ elapsedMs: input.rows.map(({ meanIntervalMs, threshold }) => cassandraDetectionMs(meanIntervalMs, threshold)) }),
  'phi.cassandra.window': (input: {
    readonly initialIntervalMs: number;
    readonly maxIntervalMs: number;
    readonly windowSize: number;
    readonly cases: readonly { readonly arrivalsMs: readonly number[]; readonly queryAtMs: number }[];
  }) => {
    const answers = input.cases.map(({ arrivalsMs, queryAtMs }) => {
      const detector = cassandraAfter(arrivalsMs, {
        sampleSize: input.windowSize,
        fdInitialValue: input.initialIntervalMs,
        fdMaxInterval: input.maxIntervalMs,
      });
      return { meanMs: detector.meanMs(0), phi: detector.rawPhi(0, queryAtMs), scaledPhi: detector.suspicion(0, queryAtMs) };
    });
    return {
      meanMs: answers.map(({ meanMs }) => meanMs),
      phi: answers.map(({ phi }) => phi),
      scaledPhi: answers.map(({ scaledPhi }) => scaledPhi),
    };
  },

  'fd.nfde': (input: {
    readonly heartbeatIntervalMs: number;
    readonly alphaMs: number;
    readonly windowSize: number;
    readonly arrivals: readonly Arrival[];
  }) => {
    const detector = new ChenDetector(input.heartbeatIntervalMs, input.alphaMs, input.windowSize, deafSink);
    detector.watch(0, 0);
    const steps = input.arrivals.map(({ seq, atMs }) => {
      detector.onHeartbeat(0, atMs, seq);
      return { expectedMs: detector.expectedArrivalMs(0), freshMs: detector.freshnessPointMs(0) };
    });
    return {
      expectedArrivalMs: steps.map(({ expectedMs }) => expectedMs),
      freshnessPointMs: steps.map(({ freshMs }) => freshMs),
    };
  },
  'fd.bertier': (input: {
    readonly heartbeatIntervalMs: number;
    readonly windowSize: number;
    readonly beta: number;
    readonly phi: number;
    readonly gamma: number;
    readonly arrivals: readonly Arrival[];
  }) => {
    const { heartbeatIntervalMs: heartbeatInterval, windowSize, beta, phi, gamma } = input;
    const params = { ...defaults(bertier.params), heartbeatInterval, windowSize, beta, phi, gamma, minMargin: 0 };
    const detector = new BertierDetector(params, deafSink);
    detector.watch(0, 0);
    return {
      steps: input.arrivals.map(({ seq, atMs }) => {
        detector.onHeartbeat(0, atMs, seq);
        const { expectedMs, delayMs, varMs, alphaMs } = detector.estimate(0)!;
        return { ea: expectedMs, delay: delayMs, var: varMs, alpha: alphaMs, tau: detector.freshnessPointMs(0) };
      }),
    };
  },

  'fd.qos': (input: {
    readonly trace: readonly { readonly atMs: number; readonly output: string }[];
    readonly crashAtMs: number;
    readonly startMs: number;
  }) => {
    const beliefs = input.trace.map(({ atMs, output }) => ({ atMs, alive: output === 'trust' }));
    const qos = detectorQos({
      startMs: input.startMs,
      endMs: Math.max(input.crashAtMs, beliefs.at(-1)?.atMs ?? 0),
      believedAtStart: beliefs.find(({ atMs }) => atMs <= input.startMs)?.alive ?? true,
      beliefs,
      outages: [{ fromMs: input.crashAtMs }],
    });
    return { ...qos, detectionTimeMs: inJson(qos.detectionTimesMs[0]) };
  },
  'fd.qosRelations': (input: {
    readonly rows: readonly { readonly meanMistakeRecurrenceMs: number; readonly meanMistakeDurationMs: number }[];
  }) => {
    const relations = input.rows.map((row) => qosRelations(row.meanMistakeRecurrenceMs, row.meanMistakeDurationMs));
    return {
      queryAccuracyProbability: relations.map((row) => row.queryAccuracyProbability),
      meanGoodPeriodMs: relations.map((row) => row.meanGoodPeriodMs),
      mistakeRatePerMs: relations.map((row) => row.mistakeRatePerMs),
    };
  },
  'fd.nfds.analytic': (input: {
    readonly rows: readonly {
      readonly etaMs: number;
      readonly deltaMs: number;
      readonly meanDelayMs: number;
      readonly lossProbability: number;
    }[];
  }) => {
    const qos = input.rows.map((row) => nfdsQos({ ...row, delayExceeds: exponentialDelay(row.meanDelayMs) }));
    return {
      k: qos.map((row) => row.k),
      pS: qos.map((row) => row.pS),
      meanMistakeRecurrenceMs: qos.map((row) => row.meanMistakeRecurrenceMs),
      meanMistakeDurationMs: qos.map((row) => row.meanMistakeDurationMs),
      queryAccuracyProbability: qos.map((row) => row.queryAccuracyProbability),
      maxDetectionTimeMs: qos.map((row) => row.maxDetectionTimeMs),
    };
  },

  'k8s.nodeLease': (input: {
    readonly nodeMonitorPeriodMs: number;
    readonly ticksAtMultiplesOfPeriod: boolean;
    readonly tolerationSeconds: number;
    readonly rows: readonly { readonly graceMs: number; readonly lastObservedRenewAtMs: number }[];
  }) => {
    if (!input.ticksAtMultiplesOfPeriod) throw new NotCovered('looks at other times than multiples of the period');
    const unknownMs = input.rows.map((row) =>
      unknownAtMs(row.lastObservedRenewAtMs, {
        nodeMonitorGracePeriod: row.graceMs,
        nodeMonitorPeriod: input.nodeMonitorPeriodMs,
      }),
    );
    return { unknownAtMs: unknownMs, podsEvictedAtMs: unknownMs.map((ms) => podsEvictedAtMs(ms, input.tolerationSeconds)) };
  },
  'k8s.leaseRenew': (input: { readonly leaseDurationSeconds: readonly number[] }) => ({
    renewIntervalMs: input.leaseDurationSeconds.map((seconds) => leaseRenewIntervalMs(seconds * 1000)),
  }),

  'alert.prometheus': (input: {
    readonly expr: string;
    readonly forMs: number;
    readonly keepFiringForMs: number;
    readonly evaluationIntervalMs: number;
    readonly values: readonly number[];
  }) => {
    const [metric, operator, limit] = input.expr.split(' ');
    if (metric !== 'value' || !isOperator(operator)) throw new NotCovered(input.expr);
    const alarm = new ThresholdAlarm({
      operator,
      threshold: Number(limit),
      for: input.forMs,
      keepFiringFor: input.keepFiringForMs,
    });
    return {
      states: input.values.map((value, i) => {
        alarm.update(value, i * input.evaluationIntervalMs);
        return alarm.state;
      }),
    };
  },

  'stat.ewma': (input: Baseline & { readonly lambda: number; readonly L: number; readonly values: readonly number[] }) => {
    const chart = new EwmaAlarm({
      lambda: input.lambda,
      limitWidth: input.L,
      learnFrom: 0,
      mean: input.mean,
      stdDev: input.stdDev,
    });
    return {
      steps: input.values.map((value) => {
        const alarm = chart.update(value);
        return { z: chart.z, ucl: chart.upper, lcl: chart.lower, alarm };
      }),
    };
  },
  'stat.cusum': (input: Baseline & { readonly k: number; readonly h: number; readonly values: readonly number[] }) => {
    const chart = new CusumAlarm({ k: input.k, h: input.h, learnFrom: 0, mean: input.mean, stdDev: input.stdDev });
    return {
      steps: input.values.map((value) => {
        const alarm = chart.update(value);
        return { cPlus: chart.plus, cMinus: chart.minus, alarm };
      }),
    };
  },
  'stat.zscore': (
    input: { readonly window: readonly number[]; readonly value: number; readonly robustWindow: readonly number[] },
    row: Row,
  ) => {
    const window = new SampleWindow(input.window.length);
    for (const value of input.window) window.add(value);
    const { median, mad, z: robustZ } = robustScore(input.robustWindow, input.value);
    // Rows keep a remark among their expectations.
    const { note } = row.expect as { readonly note?: string };
    return { z: standardScore(input.value, window.mean, window.stdDeviation), median, mad, robustZ, note };
  },
  'stat.expAvg': (input: { readonly window: number; readonly warmup: number; readonly values: readonly number[] }) => {
    const average = new WarmAverage(input.window, input.warmup);
    return { averages: input.values.map((value) => average.add(value)) };
  },
};

interface Step {
  readonly op: string;
  readonly atMs: number;
}
interface NormalRow {
  readonly elapsedMs: number;
  readonly meanMs: number;
  readonly stdDevMs: number;
}
interface AkkaConfig {
  readonly threshold: number;
  readonly maxSampleSize: number;
  readonly minStdDeviationMs: number;
  readonly acceptableHeartbeatPauseMs: number;
  readonly firstHeartbeatEstimateMs: number;
}
interface Arrival {
  readonly seq: number;
  readonly atMs: number;
}
interface Baseline {
  readonly mean: number;
  readonly stdDev: number;
}

/** One endpoint under a detector's eyes: heartbeats (`hb`) and questions (`avail`, `phi`) in order of time. */
class Scene {
  readonly #detector: Detector;
  readonly #phi: (atMs: number) => number;
  #isAvailable = true;

  constructor(make: (sink: BeliefSink) => Detector, phi?: (detector: Detector, atMs: number) => number) {
    this.#detector = make({ believe: (_slot, alive) => (this.#isAvailable = alive) });
    this.#phi = (atMs) => {
      if (phi === undefined) throw new NotCovered('phi');
      return phi(this.#detector, atMs);
    };
  }

  run(steps: readonly Step[]): (boolean | number | string)[] {
    const answers: (boolean | number | string)[] = [];
    this.#detector.watch(0, steps[0]?.atMs ?? 0);
    steps.forEach(({ op, atMs }, i) => {
      this.#detector.onTimer(atMs);
      if (op === 'hb') this.#detector.onHeartbeat(0, atMs, i);
      else if (op === 'avail') answers.push(this.#isAvailable);
      else if (op === 'phi') answers.push(inJson(this.#phi(atMs)));
      else throw new NotCovered(op);
    });
    return answers;
  }
}

function akkaScene(config: AkkaConfig): Scene {
  const params = {
    ...defaults(phiAccrual.params),
    heartbeatInterval: config.firstHeartbeatEstimateMs,
    threshold: config.threshold,
    maxSampleSize: config.maxSampleSize,
    minStdDeviation: config.minStdDeviationMs,
    acceptableHeartbeatPause: config.acceptableHeartbeatPauseMs,
    // Rows are about the detector alone: nobody takes a first heartbeat for granted.
    expectedResponseAfter: Infinity,
  };
  let detector: PhiAccrualDetector;
  return new Scene(
    (sink) => (detector = new PhiAccrualDetector(params, sink)),
    (_, atMs) => detector.phi(0, atMs),
  );
}

function cassandraAfter(
  arrivalsMs: readonly number[],
  params: Partial<ReturnType<typeof cassandraDefaults>>,
): PhiCassandraDetector {
  const detector = new PhiCassandraDetector({ ...cassandraDefaults(), ...params }, deafSink);
  const [firstMs, ...laterMs] = arrivalsMs;
  detector.watch(0, firstMs);
  for (const atMs of laterMs) detector.onHeartbeat(0, atMs);
  return detector;
}
const cassandraDefaults = () => defaults(phiCassandra.params);

const phiOf = ({ elapsedMs, meanMs, stdDevMs }: NormalRow): number => akkaPhi(elapsedMs, meanMs, stdDevMs);
/** JSON has no infinity: rows write its name. */
const inJson = (value: number): number | string => (value === Infinity ? 'Infinity' : value);
const isOperator = (text: string | undefined): text is ThresholdParams['operator'] =>
  text !== undefined && (threshold.params.operator.choices as readonly string[]).includes(text);
const deafSink: BeliefSink = { believe: () => undefined };
