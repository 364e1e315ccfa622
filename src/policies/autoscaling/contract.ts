/** What every autoscaler owes its host, as checks that can be run on one. Each rule returns the violations it found, in words; none is
 *  good. */
import { fmix32 } from '../../core/hash.ts';
import type { Ms } from '../../core/time.ts';
import type { Autoscaler, AutoscalerDeps, MetricSample, ReplicaPhase, ReplicaSample, ScaleObservation } from './autoscaler.ts';
import { HashedDraws } from '../shared/fixed-draws.ts';

/** How to make one, and the bounds it is made with: `min` below 3, `max` at least 8. */
export interface AutoscalerSubject {
  readonly min: number;
  readonly max: number;
  make(deps: AutoscalerDeps): Autoscaler;
}

export interface AutoscalerRule {
  /** A sentence that the autoscaler should make true. */
  readonly name: string;
  check(subject: AutoscalerSubject): readonly string[];
}

/** Every violation found, each with the rule it breaks. `exempt` are names of rules that an autoscaler breaks on purpose. */
export const checkAutoscaler = (subject: AutoscalerSubject, exempt: readonly string[] = []): readonly string[] =>
  autoscalerRules
    .filter(({ name }) => !exempt.includes(name))
    .flatMap((rule) => rule.check(subject).map((violation) => `${rule.name}: ${violation}`));

export const autoscalerRules: readonly AutoscalerRule[] = [
  {
    name: 'asks to be asked at a period above 0',
    check: ({ make }) => {
      const { decideEveryMs, sampleEveryMs = Infinity, sample } = make(depsOf(0));
      const violations: string[] = [];
      if (!(decideEveryMs > 0 && decideEveryMs < Infinity)) violations.push(`decideEveryMs is ${decideEveryMs}`);
      if (!(sampleEveryMs > 0)) violations.push(`sampleEveryMs is ${sampleEveryMs}`);
      if (sampleEveryMs < Infinity && sample === undefined) violations.push('has a period of samples and takes none');
      return violations;
    },
  },
  {
    name: 'answers with nothing, or with a whole number within its bounds and a reason',
    check: ({ make, min, max }) => {
      const autoscaler = make(depsOf(0));
      for (let step = 0; step < 2000; step++) {
        const observation = anyObservation(step, max);
        autoscaler.sample?.(observation);
        const { replicas, reason } = autoscaler.decide(observation);
        if (typeof reason !== 'string') return [`its reason is ${String(reason)}`];
        if (replicas === undefined) continue;
        if (!Number.isInteger(replicas) || replicas < min || replicas > max)
          return [`wants ${replicas} replicas, between ${min} and ${max}, after ${step + 1} decisions`];
        autoscaler.onScaled?.(observation.specReplicas, replicas, observation.nowMs);
      }
      return [];
    },
  },
  {
    name: 'goes up within a quarter of an hour of overload',
    check: (subject) => {
      const trial = new ScalingTrial(subject, 2);
      trial.run(900_000, 5 * 2 * RATE_PER_REPLICA);
      return trial.count > 2 ? [] : [`has ${trial.count} replicas after a quarter of an hour of five times what two can do`];
    },
  },
  {
    name: 'comes down within two hours of nothing to do',
    check: (subject) => {
      const trial = new ScalingTrial(subject, 8);
      trial.run(300_000, 6 * RATE_PER_REPLICA);
      const busy = trial.count;
      trial.run(7_200_000, 0);
      const least = Math.max(1, subject.min);
      return trial.count <= least ? [] : [`has ${trial.count} replicas two hours after it had ${busy} and the load ended`];
    },
  },
  {
    name: 'does not go down for want of metrics',
    check: (subject) => {
      const trial = new ScalingTrial(subject, 6);
      trial.run(600_000, 5 * RATE_PER_REPLICA);
      const before = trial.count;
      trial.isBlind = true;
      trial.run(3_600_000, 5 * RATE_PER_REPLICA);
      return trial.least >= before ? [] : [`goes from ${before} to ${trial.least} while it sees nothing`];
    },
  },
  {
    name: 'brings a count above its maximum back',
    check: (subject) => {
      const trial = new ScalingTrial(subject, subject.max + 5);
      trial.run(900_000, RATE_PER_REPLICA);
      return trial.count <= subject.max ? [] : [`leaves ${trial.count} replicas, at most ${subject.max} are allowed`];
    },
  },
  {
    name: 'gives the same answers to the same history',
    check: (subject) => differing(historyOf(subject), historyOf(subject)),
  },
  {
    name: 'changes nothing of what it is shown, and is not changed by being looked at',
    check: (subject) => {
      const look = ({ decideEveryMs, sampleEveryMs, holdsRequests }: Autoscaler): unknown[] => [
        decideEveryMs,
        sampleEveryMs,
        holdsRequests,
      ];
      return differing(historyOf(subject), historyOf(subject, { onDecided: look, isFrozen: true }));
    },
  },
  {
    name: 'shares nothing with another autoscaler',
    check: (subject) => {
      const other = subject.make(depsOf(3));
      let step = 0;
      const disturb = (): void => {
        const observation = anyObservation(step++ * 7 + 3, subject.max);
        other.sample?.(observation);
        other.decide(observation);
      };
      return differing(historyOf(subject), historyOf(subject, { onDecided: disturb }));
    },
  },
  {
    name: 'does not mind when the clock starts',
    check: (subject) => differing(historyOf(subject), historyOf(subject, { startMs: LATE })),
  },
];

/** A month, in whole hours: the clock of a machine that was not started for this run. */
const LATE: Ms = 30 * 86_400_000;
/** A Monday. */
const EPOCH_MS: Ms = 1_767_571_200_000;

const depsOf = (replicas: number, startMs: Ms = 0): AutoscalerDeps => ({
  rng: new HashedDraws(),
  epochMs: EPOCH_MS - startMs,
  specReplicas: replicas,
  readyReplicas: replicas,
});

/** Whatever may be shown, the same for the same number: counts inside and outside of the bounds, gaps, nonsense that samples can hold. */
function anyObservation(choice: number, max: number): ScaleObservation {
  const word = (salt: number): number => fmix32((choice + 1) * 31 + salt) >>> 0;
  const nowMs = choice * 5000;
  const specReplicas = word(1) % 5 === 0 ? word(2) % (2 * max) : word(2) % (max + 1);
  const values = [0, 0.001, 0.4, 1, 3.5, 80, 1e4, 1e9];
  const sample = (salt: number): MetricSample | undefined =>
    word(salt) % 6 === 0
      ? undefined
      : { value: values[word(salt + 1) % values.length], atMs: nowMs - (word(salt) % 60_000), windowMs: 15_000 };
  const phases: readonly ReplicaPhase[] = ['running', 'running', 'running', 'pending', 'failed'];
  const replicas = Array.from({ length: specReplicas }, (_, replica): ReplicaSample => {
    const salt = replica * 64;
    const startedAtMs = word(salt + 5) % 9 === 0 ? undefined : nowMs - (word(salt + 6) % 600_000);
    return {
      replica,
      phase: phases[word(salt + 7) % phases.length],
      isReady: [true, true, false, undefined][word(salt + 8) % 4],
      startedAtMs,
      readyChangedAtMs: startedAtMs,
      isDeleting: word(salt + 9) % 11 === 0,
      request: () => (word(salt + 10) % 20 === 0 ? undefined : 1),
      metric: (name) => sample(salt + 11 + name.length),
    };
  });
  const readyReplicas = replicas.filter(({ isReady, phase }) => isReady === true && phase === 'running').length;
  return {
    nowMs,
    specReplicas,
    statusReplicas: specReplicas,
    readyReplicas,
    replicas,
    metric: (name) => sample(40 + name.length),
  };
}

interface HistoryOptions {
  readonly startMs?: Ms;
  readonly isFrozen?: boolean;
  readonly onDecided?: (autoscaler: Autoscaler) => unknown;
}

/** All answers, while the load rises, ends, hides and comes back. */
function historyOf(subject: AutoscalerSubject, options: HistoryOptions = {}): readonly string[] {
  const trial = new ScalingTrial(subject, 2, options);
  trial.run(300_000, 1.5 * RATE_PER_REPLICA);
  trial.run(300_000, 20 * RATE_PER_REPLICA);
  trial.run(900_000, 0.2 * RATE_PER_REPLICA);
  trial.isBlind = true;
  trial.run(120_000, 3 * RATE_PER_REPLICA);
  trial.isBlind = false;
  trial.run(600_000, 3 * RATE_PER_REPLICA);
  return trial.answers;
}

function differing(one: readonly string[], other: readonly string[]): readonly string[] {
  const at = one.findIndex((answer, index) => answer !== other[index]);
  if (at !== -1) return [`decision ${at + 1} is ${other[at] ?? 'missing'} instead of ${one[at]}`];
  return one.length === other.length ? [] : [`decides ${other.length} times instead of ${one.length}`];
}

/** What one replica can do: requests of ten milliseconds on one core, one at a time. */
const RATE_PER_REPLICA = 100;
const SERVICE_MS: Ms = 10;
const START_MS: Ms = 10_000;
const STEP_MS: Ms = 500;
/** What waits beyond this is turned away, so that an overload can end. */
const LONGEST_QUEUE = 20_000;

interface TrialReplica {
  readonly replica: number;
  readonly createdAtMs: Ms;
}

/** A service whose requests wait in one queue, and an autoscaler that is obeyed at once. */
class ScalingTrial {
  readonly answers: string[] = [];
  isBlind = false;
  readonly #autoscaler: Autoscaler;
  readonly #options: HistoryOptions;
  #replicas: TrialReplica[];
  #created: number;
  #nowMs: Ms;
  #nextDecisionMs: Ms;
  #nextSampleMs: Ms;
  #backlog = 0;
  #rate = 0;
  #least = Infinity;

  constructor(subject: AutoscalerSubject, count: number, options: HistoryOptions = {}) {
    const { startMs = 0 } = options;
    this.#options = options;
    this.#nowMs = startMs;
    this.#autoscaler = subject.make(depsOf(count, startMs));
    // They have been there for long.
    this.#replicas = Array.from({ length: count }, (_, replica) => ({ replica, createdAtMs: startMs - 3_600_000 }));
    this.#created = count;
    this.#nextDecisionMs = startMs + this.#autoscaler.decideEveryMs;
    this.#nextSampleMs = startMs + (this.#autoscaler.sampleEveryMs ?? Infinity);
  }

  get count(): number {
    return this.#replicas.length;
  }

  /** Of the last run. */
  get least(): number {
    return this.#least;
  }

  run(lastsMs: Ms, rate: number): void {
    this.#rate = rate;
    this.#least = this.count;
    for (const endMs = this.#nowMs + lastsMs; this.#nowMs < endMs;) {
      this.#nowMs += STEP_MS;
      const surplus = ((rate - this.#ready.length * RATE_PER_REPLICA) * STEP_MS) / 1000;
      this.#backlog = Math.min(Math.max(0, this.#backlog + surplus), LONGEST_QUEUE);
      for (; this.#nowMs >= this.#nextSampleMs; this.#nextSampleMs += this.#autoscaler.sampleEveryMs!)
        this.#autoscaler.sample!(this.#observe());
      for (; this.#nowMs >= this.#nextDecisionMs; this.#nextDecisionMs += this.#autoscaler.decideEveryMs) this.#decide();
      this.#least = Math.min(this.#least, this.count);
    }
  }

  #decide(): void {
    const { replicas, reason } = this.#autoscaler.decide(this.#observe());
    this.answers.push(`${replicas} (${reason})`);
    this.#options.onDecided?.(this.#autoscaler);
    const from = this.count;
    if (replicas === undefined || replicas === from) return;
    while (this.count < replicas) this.#replicas.push({ replica: this.#created++, createdAtMs: this.#nowMs });
    this.#replicas = this.#replicas.slice(0, replicas);
    this.#autoscaler.onScaled?.(from, replicas, this.#nowMs);
  }

  get #ready(): readonly TrialReplica[] {
    return this.#replicas.filter(({ createdAtMs }) => this.#nowMs >= createdAtMs + START_MS);
  }

  #observe(): ScaleObservation {
    const ready = this.#ready.length;
    const frozen = <Value extends object>(value: Value): Value =>
      this.#options.isFrozen === true ? Object.freeze(value) : value;
    const served = Math.min(this.#rate + this.#backlog, ready * RATE_PER_REPLICA);
    const share = ready === 0 ? 0 : served / ready / RATE_PER_REPLICA;
    const waitMs = ready === 0 ? 60_000 : (this.#backlog / ready) * SERVICE_MS;
    const totals: Readonly<Record<string, number>> = {
      concurrency: this.#backlog + (served * SERVICE_MS) / 1000,
      'requests-per-second': this.#rate,
      'service-time': SERVICE_MS,
      utilization: share,
      'latency.p50': SERVICE_MS + waitMs / 2,
      'latency.p99': SERVICE_MS + waitMs,
      'error-rate': 0,
    };
    const each: Readonly<Record<string, number>> = {
      cpu: share,
      memory: 1e8,
      concurrency: ready === 0 ? 0 : totals.concurrency / ready,
      'requests-per-second': ready === 0 ? 0 : served / ready,
    };
    const sample = (value: number | undefined): MetricSample | undefined =>
      value === undefined || this.isBlind ? undefined : frozen({ value, atMs: this.#nowMs, windowMs: 15_000 });
    const replicas = this.#replicas.map(({ replica, createdAtMs }): ReplicaSample => {
      const isReady = this.#nowMs >= createdAtMs + START_MS;
      return frozen({
        replica,
        phase: 'running',
        isReady,
        startedAtMs: createdAtMs,
        readyChangedAtMs: isReady ? createdAtMs + START_MS : createdAtMs,
        isDeleting: false,
        request: (resource) => (resource === 'cpu' ? 1 : 2e8),
        metric: (name) => sample(isReady ? each[name] : undefined),
      });
    });
    return frozen({
      nowMs: this.#nowMs,
      specReplicas: this.count,
      statusReplicas: this.count,
      readyReplicas: ready,
      replicas: frozen(replicas),
      metric: (name) => sample(name.startsWith('queue/') ? this.#backlog : totals[name]),
    });
  }
}
