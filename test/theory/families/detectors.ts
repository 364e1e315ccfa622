/** Failure detectors, told of heartbeats that are lost or late by chance: mistakes are so rare that it takes millions of heartbeats, which a
 *  whole cluster around them would not make more telling, so the modules are driven here. What a detector's own formulas say is asked of
 *  them directly. */
import { Streams } from '../../../src/core/streams.ts';
import type { Xoshiro128 } from '../../../src/core/xoshiro.ts';
import { type BeliefSink, type Detector, detectors as all } from '../../../src/policies/detection/index.ts';
import { SampleWindow } from '../../../src/policies/detection/parts/sample-window.ts';
import { akkaPhi } from '../../../src/policies/detection/phi-accrual.ts';
import { cassandraPhi } from '../../../src/policies/detection/phi-cassandra.ts';
import { type Belief, detectorQos, exponentialDelay, nfdsQos } from '../../../src/stats/detector-qos.ts';
import { type Case, numberOf } from '../cases.ts';
import type { Observation } from '../judgement.ts';
import { meanOf, standardError } from '../readers.ts';
import type { Adapter, Adapters, Effort } from '../trial.ts';

const SLOT = 0;
/** A unit of the cases without milliseconds is a second. */
const SECOND_MS = 1000;
const FEWEST_EVENTS = 40;

const newDetector = (name: string, params: Readonly<Record<string, number>>, sink: BeliefSink, rng: Xoshiro128): Detector => {
  const detector = all[name].make(params, { rng, sink });
  detector.watch(SLOT, 0);
  return detector;
};

function runTimers(detector: Detector, untilMs: number): void {
  for (let due = detector.nextTimerMs(); due <= untilMs; due = detector.nextTimerMs()) detector.onTimer(due);
}

/** Losses only, no delay: how many heartbeats until the first false alarm? One that is due at the deadline comes in time. */
function untilFalseAlarm({ id, params, expect }: Case, effort: Effort): Record<string, Observation | undefined> {
  const [misses, loss] = ['k', 'loss'].map((key) => numberOf(params, key));
  const often = Math.floor((HEARTBEATS * effort.requests[0]) / (expect.mean_heartbeats_to_false_alarm.value ?? 1));
  if (often < FEWEST_EVENTS) return {};
  const rng = new Streams(`${effort.seed} ${id}`).stream('loss');
  const counts = Array.from({ length: Math.min(often, 20_000) }, () => {
    let isAlarm = false;
    const sink = { believe: (_slot: number, alive: boolean) => (isAlarm ||= !alive) };
    const detector = newDetector('heartbeat', { every: SECOND_MS, misses }, sink, rng);
    let sent = 0;
    while (!isAlarm) {
      sent++;
      if (rng.next() >= loss) detector.onHeartbeat(SLOT, sent * SECOND_MS, sent);
      runTimers(detector, sent * SECOND_MS);
    }
    return sent;
  });
  return {
    mean_heartbeats_to_false_alarm: { value: meanOf(counts), se: standardError(counts), replications: counts.length },
  };
}

/** Heartbeats per request of the effort: they cost far less. */
const HEARTBEATS = 4;
const LINES = 20;
/** Long enough that the arrival that is expected is the arrival to be expected: NFD-E then is NFD-S. */
const WINDOW = 5000;

/** Where delays are as long as intervals, heartbeats overtake each other. The detector that estimates arrivals leaves those out that come
 *  after a later one, as it must, and so expects the rest a little early: it is NFD-S no more, and there its closed form is asked. */
const SHORT_DELAY = 0.05;

const nfds: Adapter = (each, effort) => {
  const { params } = each;
  const [eta, delta, loss] = ['eta', 'delta', 'loss'].map((key) => numberOf(params, key));
  const delay = meanDelay(each);
  if (delay <= SHORT_DELAY * eta) return [{ answers: async () => freshnessPoints(each, effort) }];
  const qos = nfdsQos({ etaMs: eta, deltaMs: delta, lossProbability: loss, delayExceeds: exponentialDelay(delay) });
  return [
    {
      answers: {
        mean_time_between_mistakes: { value: qos.meanMistakeRecurrenceMs },
        mean_mistake_duration: { value: qos.meanMistakeDurationMs },
        query_accuracy: { value: qos.queryAccuracyProbability },
        detection_time_bound: { value: qos.maxDetectionTimeMs },
      },
    },
  ];
};

/** `exp(0.02)` */
const meanDelay = ({ params }: Case): number => Number(/^exp\((.+)\)$/.exec(String(params.delay))?.[1]);

/** Chen's detector that estimates arrivals, with the margin that puts its freshness points where the one with synchronised clocks has them:
 *  delta after each sending. */
function freshnessPoints(each: Case, effort: Effort): Record<string, Observation | undefined> {
  const { id, params } = each;
  const delay = meanDelay(each);
  const [eta, delta, loss] = ['eta', 'delta', 'loss'].map((key) => numberOf(params, key));
  const perLine = Math.round((HEARTBEATS * effort.requests[0]) / 2 / LINES);
  const settings = { heartbeatInterval: eta * SECOND_MS, alpha: (delta - delay) * SECOND_MS, windowSize: WINDOW };
  const streams = new Streams(`${effort.seed} ${id}`);
  const lines = Array.from({ length: LINES }, (_, line) => {
    const rng = streams.stream(`line ${line}`);
    const beliefs: Belief[] = [];
    const sink = { believe: (_slot: number, alive: boolean, atMs: number) => void beliefs.push({ atMs, alive }) };
    const detector = newDetector('chen', settings, sink, rng);
    for (const { sequence, atMs } of arrivals(2 * WINDOW + perLine, eta * SECOND_MS, loss, delay * SECOND_MS, rng)) {
      // A freshness point looks at what has come before it.
      runTimers(detector, atMs);
      detector.onHeartbeat(SLOT, atMs, sequence);
    }
    return detectorQos({
      startMs: 2 * WINDOW * eta * SECOND_MS,
      endMs: (2 * WINDOW + perLine) * eta * SECOND_MS,
      beliefs,
      outages: [],
    });
  });
  if (lines.reduce((sum, { mistakes }) => sum + mistakes, 0) < FEWEST_EVENTS) return {};
  const rates = lines.map(({ mistakeRatePerMs }) => mistakeRatePerMs * SECOND_MS);
  const durations = lines.flatMap(({ mistakeDurationsMs }) => mistakeDurationsMs.map((ms) => ms / SECOND_MS));
  const accuracies = lines.map(({ queryAccuracyProbability }) => queryAccuracyProbability);
  const rate = meanOf(rates);
  return {
    mean_time_between_mistakes: { value: 1 / rate, se: standardError(rates) / rate / rate, replications: LINES },
    mean_mistake_duration: { value: meanOf(durations), se: standardError(durations), replications: durations.length },
    query_accuracy: { value: meanOf(accuracies), se: standardError(accuracies), replications: LINES },
    detection_time_bound: { value: latestDetection(eta * SECOND_MS, delay * SECOND_MS, settings) / SECOND_MS },
  };
}

interface Arrival {
  readonly sequence: number;
  readonly atMs: number;
}

/** Heartbeat i leaves at i·η; exponential delays may change their order. */
function arrivals(count: number, etaMs: number, loss: number, delayMs: number, rng: Xoshiro128): Arrival[] {
  const own: Arrival[] = [];
  for (let sequence = 1; sequence <= count; sequence++) {
    const [isLost, lateMs] = [rng.next() < loss, -delayMs * Math.log(1 - rng.next())];
    if (!isLost) own.push({ sequence, atMs: sequence * etaMs + lateMs });
  }
  return own.sort((a, b) => a.atMs - b.atMs);
}

/** A crash right after a heartbeat has left is detected last. */
function latestDetection(etaMs: number, delayMs: number, settings: Readonly<Record<string, number>>): number {
  let suspectedMs = NaN;
  const sink = { believe: (_slot: number, _alive: boolean, nowMs: number) => void (suspectedMs = nowMs) };
  const detector = newDetector('chen', settings, sink, new Streams('crash').stream('detector'));
  const last = 100;
  for (let sequence = 1; sequence <= last; sequence++) detector.onHeartbeat(SLOT, sequence * etaMs + delayMs, sequence);
  runTimers(detector, 2 * last * etaMs);
  return suspectedMs - last * etaMs;
}

/** How long a silence the detectors take that were fed intervals of exactly this mean and deviation. What follows for intervals that are
 *  normal belongs to the exact normal tail, which neither Akka nor Cassandra computes. */
function silences({ params }: Case): Record<string, Observation> {
  const [mean, deviation, threshold] = ['mean_interval_ms', 'sd_ms', 'threshold'].map((key) => numberOf(params, key));
  const akka = { heartbeatInterval: mean, threshold, minStdDeviation: 0.001, acceptableHeartbeatPause: 0, maxSampleSize: 100 };
  const cassandra = {
    gossipInterval: mean,
    phiConvictThreshold: threshold,
    fdMaxInterval: 2 * mean,
    sampleSize: 100,
    maxLocalPause: 1e9,
  };
  return {
    timeout_ms_logistic_approx: { value: silenceUntilSuspected('phi-accrual', akka, mean, deviation) },
    timeout_ms_exponential_model: { value: silenceUntilSuspected('phi-cassandra', cassandra, mean, deviation) },
  };
}

function silenceUntilSuspected(
  name: string,
  params: Readonly<Record<string, number>>,
  meanMs: number,
  deviationMs: number,
): number {
  let suspectedMs = NaN;
  const sink = { believe: (_slot: number, alive: boolean, nowMs: number) => void (suspectedMs = alive ? NaN : nowMs) };
  const detector = newDetector(name, params, sink, new Streams('silence').stream('detector'));
  let nowMs = 0;
  // By turns a deviation more and less than the mean.
  for (let k = 0; k < 1000; k++) {
    nowMs += meanMs + (k % 2 === 0 ? deviationMs : -deviationMs);
    runTimers(detector, nowMs);
    detector.onHeartbeat(SLOT, nowMs, k);
  }
  while (Number.isNaN(suspectedMs)) detector.onTimer(detector.nextTimerMs());
  return suspectedMs - nowMs;
}

const phi: Adapter = (each) => {
  const { params } = each;
  if ('mean_interval_ms' in params) return [{ answers: silences(each) }];
  if ('samples' in params) {
    const window = new SampleWindow(1000);
    for (const sample of params.samples as readonly number[]) window.add(sample);
    return [{ answers: { mean: { value: window.mean }, population_variance: { value: window.variance } } }];
  }
  if (!('t_ms' in params)) return [];
  const [silence, mean, deviation] = ['t_ms', 'mean_ms', 'sd_ms'].map((key) => numberOf(params, key));
  return [
    {
      answers: {
        phi_logistic: { value: akkaPhi(silence, mean, deviation) },
        phi_exponential: { value: cassandraPhi(silence, mean) },
      },
    },
  ];
};

export const detectors: Adapters = {
  'heartbeat: k consecutive misses': (each, effort) => [{ answers: async () => untilFalseAlarm(each, effort) }],
  'Chen NFD-S': nfds,
  'phi accrual detector': phi,
};
