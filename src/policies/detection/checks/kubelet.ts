/** Kubernetes' container probes: readiness decides whether an endpoint gets traffic, liveness whether its container is killed and
 *  started anew, startup keeps the other two quiet until the application is up.
 *
 *  Use readiness to keep traffic from what cannot serve, and liveness only against hangs that a restart cures. Liveness fails in
 *  overload: slow answers time out, containers are killed, the rest gets their load, and so on round. Readiness fails when it
 *  checks a shared dependency: all endpoints leave together.
 *
 *  Thresholds count identical results in a row. Probes run at fixed ticks after the start; one that takes longer than a period
 *  delays the next, which then runs at once, and further ticks are lost. The initial delay is compared in whole seconds, and a
 *  startup probe that succeeds triggers a readiness probe at once. A container that liveness or startup has failed is not
 *  probed any more: the driver restarts it and watches it again. How long it takes until clients hear of readiness is the
 *  driver's to add. */
import { boolean, duration, int, type ParamValues, set } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { grown, grownFloats } from '../../../core/grow.ts';
import {
  defineHealthChecker,
  type HealthChecker,
  type HealthCheckerDeps,
  type HealthSink,
  isGood,
  probeKind,
  probeKinds,
  type Prober,
  type ProbeResult,
} from './health-checker.ts';
import { ProbeRuns, type ProbeState, probeStates } from './parts/probe-runs.ts';
import { SlotTimers } from './parts/slot-timers.ts';

const official = (probe: string, field: string): string => `Kubernetes ${probe}Probe.${field}`;
const initialDelay = (probe: string) =>
  duration({
    default: 0,
    about: 'How long after the start of the container the probe begins, in whole seconds.',
    official: official(probe, 'initialDelaySeconds'),
  });
const period = (probe: string) =>
  duration({ default: 10_000, min: 1000, about: 'From one probe to the next.', official: official(probe, 'periodSeconds') });
const timeout = (probe: string) =>
  duration({ default: 1000, min: 1, about: 'How long to wait for an answer.', official: official(probe, 'timeoutSeconds') });
const failureThreshold = (probe: string) =>
  int({
    default: 3,
    min: 1,
    about: 'Failed probes in a row until the probe counts as failed.',
    official: official(probe, 'failureThreshold'),
  });

const params = {
  probes: set({ default: ['readiness'], choices: ['liveness', 'readiness', 'startup'], about: 'Which probes there are.' }),
  livenessInitialDelay: initialDelay('liveness'),
  livenessPeriod: period('liveness'),
  livenessTimeout: timeout('liveness'),
  livenessFailureThreshold: failureThreshold('liveness'),
  readinessInitialDelay: initialDelay('readiness'),
  readinessPeriod: period('readiness'),
  readinessTimeout: timeout('readiness'),
  readinessFailureThreshold: failureThreshold('readiness'),
  readinessSuccessThreshold: int({
    default: 1,
    min: 1,
    about: 'Good probes in a row until an endpoint is ready; for the other probes this is always 1.',
    official: official('readiness', 'successThreshold'),
  }),
  startupInitialDelay: initialDelay('startup'),
  startupPeriod: period('startup'),
  startupTimeout: timeout('startup'),
  startupFailureThreshold: failureThreshold('startup'),
  recentKubeletStart: boolean({
    default: false,
    about: 'The kubelet has just started: each probe begins after a random part of its period.',
  }),
};
export type KubeletParams = ParamValues<typeof params>;

export const kubelet = defineHealthChecker({
  name: 'kubelet',
  summary: 'Probes readiness, liveness and startup; failed liveness asks for a restart (Kubernetes).',
  useWhen: 'Instances run in Kubernetes; readiness always, liveness only against hangs that a restart cures.',
  failsWhen: 'Overload makes liveness probes time out and restarts take capacity away; or readiness checks what all share.',
  cost: 'O(log n) per probe',
  sources: [
    'kubernetes/kubernetes: pkg/kubelet/prober/worker.go, doProbe',
    'kubernetes/kubernetes: pkg/apis/core/v1/defaults.go, SetDefaults_Probe',
  ],
  aliases: [
    { system: 'Kubernetes', name: 'readinessProbe' },
    { system: 'Kubernetes', name: 'livenessProbe' },
    { system: 'Kubernetes', name: 'startupProbe' },
  ],
  params,
  create: (values, deps) => new KubeletChecker(values, deps),
});

interface Schedule {
  readonly isUsed: boolean;
  readonly initialDelayMs: Ms;
  readonly periodMs: Ms;
  readonly timeoutMs: Ms;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

export class KubeletChecker implements HealthChecker {
  readonly reportEveryMs = Infinity;
  readonly startsAlive: boolean;
  readonly #schedules: readonly Schedule[];
  readonly #randomPhase: boolean;
  readonly #rng: Rng;
  readonly #prober: Prober;
  readonly #sink: HealthSink;
  // By slot.
  #states: Uint8Array = new Uint8Array(16);
  #isReady: Uint8Array = new Uint8Array(16);
  #startedAtMs: Float64Array = new Float64Array(16);
  // By slot and kind of probe, 4 · slot + kind.
  readonly #ticks = new SlotTimers();
  readonly #runs = new ProbeRuns();
  #tickMs: Float64Array = new Float64Array(64);
  #awaited: Float64Array = new Float64Array(64);
  #hasMissedTick: Uint8Array = new Uint8Array(64);
  #sent = 0;

  constructor(values: KubeletParams, { rng, prober, sink }: HealthCheckerDeps) {
    this.#schedules = schedulesOf(values);
    this.#randomPhase = values.recentKubeletStart;
    this.#rng = rng;
    this.#prober = prober;
    this.#sink = sink;
    this.startsAlive = !this.#uses(probeKinds.readiness) && !this.#uses(probeKinds.startup);
  }

  watch(slot: number, nowMs: Ms, isAlive: boolean = this.startsAlive): void {
    if (slot >= this.#states.length) this.#grow(slot + 1);
    // A container that is known to serve started long ago, as far as delays are concerned.
    const isOld = isAlive && !this.startsAlive;
    this.#states[slot] = isAlive || !this.#uses(probeKinds.startup) ? STARTED : STARTING;
    this.#isReady[slot] = isAlive ? 1 : 0;
    this.#startedAtMs[slot] = isOld ? -Infinity : nowMs;
    for (const kind of kinds) {
      const index = 4 * slot + kind;
      this.#runs.start(index, isOld ? probeStates.success : initialStates[kind]);
      this.#awaited[index] = 0;
      this.#hasMissedTick[index] = 0;
      const { isUsed, periodMs } = this.#schedules[kind];
      if (!isUsed) continue;
      this.#tickMs[index] = nowMs + (this.#randomPhase ? this.#rng.next() * periodMs : 0);
      this.#ticks.set(index, this.#tickMs[index]);
    }
  }

  unwatch(slot: number): void {
    if (slot >= this.#states.length) return;
    this.#states[slot] = UNWATCHED;
    this.#stop(slot);
  }

  onResult(slot: number, probe: number, result: ProbeResult, nowMs: Ms): void {
    const kind = probeKind(probe);
    const index = 4 * slot + kind;
    if (!(slot < this.#states.length) || probe === 0 || this.#awaited[index] !== probe) return;
    this.#awaited[index] = 0;
    const { successThreshold, failureThreshold: mayFail } = this.#schedules[kind];
    const good = isGood(result);
    if (this.#runs.record(index, good, successThreshold, mayFail)) {
      if (kind === probeKinds.readiness) this.#setReady(slot, good, nowMs);
      else if (!good) this.#fail(slot, nowMs);
      else if (kind === probeKinds.startup) this.#started(slot, nowMs);
    }
    if (this.#hasMissedTick[index] === 1) {
      this.#hasMissedTick[index] = 0;
      this.#probe(slot, kind, nowMs);
    }
  }

  nextTimerMs(): Ms {
    return this.#ticks.nextMs();
  }

  onTimer(nowMs: Ms): void {
    while (this.#ticks.nextMs() <= nowMs) {
      const index = this.#ticks.first();
      const kind = probeKind(index);
      const { periodMs } = this.#schedules[kind];
      // A ticker remembers one tick that nobody took.
      do this.#tickMs[index] += periodMs;
      while (this.#tickMs[index] <= nowMs);
      this.#ticks.set(index, this.#tickMs[index]);
      if (this.#awaited[index] === 0) this.#probe((index - kind) / 4, kind, nowMs);
      else this.#hasMissedTick[index] = 1;
    }
  }

  /** What is published of one probe, for reports. */
  stateOf(slot: number, kind: (typeof kinds)[number]): ProbeState {
    return this.#runs.state(4 * slot + kind);
  }

  #probe(slot: number, kind: ProbeKindUsed, nowMs: Ms): void {
    const state = this.#states[slot];
    if (state !== (kind === probeKinds.startup ? STARTING : STARTED)) return;
    const { initialDelayMs, timeoutMs } = this.#schedules[kind];
    if (isWithinInitialDelay(nowMs - this.#startedAtMs[slot], initialDelayMs)) return;
    const probe = 4 * ++this.#sent + kind;
    this.#awaited[4 * slot + kind] = probe;
    this.#prober.probe(slot, probe, timeoutMs);
  }

  #started(slot: number, nowMs: Ms): void {
    if (this.#states[slot] !== STARTING) return;
    this.#states[slot] = STARTED;
    if (!this.#uses(probeKinds.readiness)) this.#setReady(slot, true, nowMs);
    else if (this.#awaited[4 * slot + probeKinds.readiness] === 0) this.#probe(slot, probeKinds.readiness, nowMs);
  }

  #fail(slot: number, nowMs: Ms): void {
    this.#states[slot] = ON_HOLD;
    this.#stop(slot);
    this.#setReady(slot, false, nowMs);
    // The sink may have done something about the slot when it heard that it is not ready.
    if (this.#states[slot] === ON_HOLD) this.#sink.restart?.(slot, nowMs);
  }

  #setReady(slot: number, isReady: boolean, nowMs: Ms): void {
    if ((this.#isReady[slot] === 1) === isReady) return;
    this.#isReady[slot] = isReady ? 1 : 0;
    this.#sink.believe(slot, isReady, nowMs);
  }

  #stop(slot: number): void {
    for (const kind of kinds) {
      const index = 4 * slot + kind;
      this.#ticks.clear(index);
      this.#awaited[index] = 0;
      this.#hasMissedTick[index] = 0;
    }
  }

  #uses(kind: ProbeKindUsed): boolean {
    return this.#schedules[kind].isUsed;
  }

  #grow(needed: number): void {
    const size = Math.max(needed, 2 * this.#states.length);
    this.#states = grown(this.#states, new Uint8Array(size));
    this.#isReady = grown(this.#isReady, new Uint8Array(size));
    this.#startedAtMs = grownFloats(this.#startedAtMs, size);
    this.#tickMs = grownFloats(this.#tickMs, 4 * size);
    this.#awaited = grownFloats(this.#awaited, 4 * size);
    this.#hasMissedTick = grown(this.#hasMissedTick, new Uint8Array(4 * size));
  }
}

/** The kubelet compares whole seconds. */
export const isWithinInitialDelay = (ageMs: Ms, initialDelayMs: Ms): boolean => Math.floor(ageMs / 1000) * 1000 < initialDelayMs;

/** How long after a crash the probe counts as failed: at best the crash comes just before a probe, at worst just after one.
 *  `failsFast`: a probe of a dead container fails at once, as with a refused connection; otherwise it runs into its timeout. */
export function probeDetectionMs(
  periodMs: Ms,
  timeoutMs: Ms,
  failures: number,
  failsFast: boolean,
): { readonly minMs: Ms; readonly maxMs: Ms } {
  const lastMs = failsFast ? 0 : timeoutMs;
  return { minMs: (failures - 1) * periodMs + lastMs, maxMs: failures * periodMs + lastMs };
}

const kinds = [probeKinds.liveness, probeKinds.readiness, probeKinds.startup] as const;
type ProbeKindUsed = ReturnType<typeof probeKind>;

/** What is published before the first probe, by kind: alive, but not ready. */
const initialStates: readonly ProbeState[] = [probeStates.unknown, probeStates.success, probeStates.failure, probeStates.unknown];

const unused: Schedule = {
  isUsed: false,
  initialDelayMs: 0,
  periodMs: Infinity,
  timeoutMs: 0,
  successThreshold: 1,
  failureThreshold: 1,
};

function schedulesOf(values: KubeletParams): readonly Schedule[] {
  return [
    unused,
    {
      isUsed: values.probes.includes('liveness'),
      initialDelayMs: values.livenessInitialDelay,
      periodMs: values.livenessPeriod,
      timeoutMs: values.livenessTimeout,
      successThreshold: 1,
      failureThreshold: values.livenessFailureThreshold,
    },
    {
      isUsed: values.probes.includes('readiness'),
      initialDelayMs: values.readinessInitialDelay,
      periodMs: values.readinessPeriod,
      timeoutMs: values.readinessTimeout,
      successThreshold: values.readinessSuccessThreshold,
      failureThreshold: values.readinessFailureThreshold,
    },
    {
      isUsed: values.probes.includes('startup'),
      initialDelayMs: values.startupInitialDelay,
      periodMs: values.startupPeriod,
      timeoutMs: values.startupTimeout,
      successThreshold: 1,
      failureThreshold: values.startupFailureThreshold,
    },
  ];
}

const UNWATCHED = 0;
/** The startup probe has not succeeded yet. */
const STARTING = 1;
const STARTED = 2;
/** Failed for good: nothing happens until the container is replaced. */
const ON_HOLD = 3;
