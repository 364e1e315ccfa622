/** How the roll-outs of one kind to one service went: what they exposed to whom, what was decided and when, and when nothing was left of the
 *  version that lost. */
import type { Ms } from '../../core/time.ts';
import { type RequestResult, results } from '../../policies/pipeline/results.ts';
import type { RolloutRequest } from '../../policies/rollout/rollout-controller.ts';
import type { RolloutPhase } from '../../policies/rollout/strategies/rollout.ts';
import type { ChangeSpec, VersionSpec } from '../../scenario/spec.ts';
import { Histogram } from '../../stats/histogram.ts';
import type { RolloutKind, RolloutResult } from '../../stats/result.ts';

const MINUTE: Ms = 60_000;
const SLOW_QUANTILE = 0.99;
const SLOW_FACTOR = 2;

const givingUp: readonly RolloutPhase[] = ['rolling-back', 'halted', 'aborted'];

/** One roll-out, as `RolloutResult` has it. */
export interface RolloutRun {
  readonly change: ChangeSpec;
  readonly from: string;
  readonly to: string;
  /** What served when it was asked for, and does again if it is given up. */
  readonly base: string;
  /** Index of `to` among the versions. */
  readonly version: number;
  readonly isBad: boolean;
  /** Goes back to what was there before: nobody is exposed to anything new. */
  readonly isReturn: boolean;
  readonly startedMs: Ms;
  readonly slowMs: Ms;
  exposedMs: Ms;
  decidedMs: Ms;
  endedMs: Ms;
  /** When it ceased to be counted who met what: at its end, but if a bad version was accepted, when nothing is left of that. */
  closedMs: Ms;
  verdict: 'accepted' | 'given-up' | undefined;
  phase: RolloutPhase;
  isSuperseded: boolean;
  offered: number;
  allFailed: number;
  exposed: number;
  failed: number;
  slow: number;
  anonymous: number;
  readonly userMinutes: Set<string>;
}

export interface RecordOptions {
  readonly service: string;
  readonly kind: RolloutKind;
  readonly versions: readonly VersionSpec[];
  /** How many hosts have, or will have, the version. */
  count(version: string): number;
  /** Whether requests meet more than one version may have changed. */
  exposure(isExposed: boolean): void;
}

export class RolloutRecord {
  readonly runs: RolloutRun[];
  private readonly options: RecordOptions;
  /** Of requests while nothing was being rolled out. */
  private readonly usual: Histogram;
  /** The version that serves, as far as decided; and all that have. */
  private serving: string;
  private readonly known: Set<string>;
  private asked: RolloutRequest | undefined;

  constructor(options: RecordOptions) {
    this.options = options;
    this.runs = [];
    this.usual = new Histogram();
    this.serving = options.versions[0].name;
    this.known = new Set([this.serving]);
    this.asked = undefined;
  }

  /** What shall be rolled out; undefined before the first change is due. */
  get request(): RolloutRequest | undefined {
    return this.asked;
  }

  /** A change is due. One to what serves alone has succeeded before it begins. */
  ask(change: ChangeSpec, nowMs: Ms): void {
    const { serving } = this;
    const before = this.runs.at(-1);
    const isUnderWay = before !== undefined && before.verdict === undefined;
    const isAgain = isUnderWay && before.to === change.version;
    if (isUnderWay) before.isSuperseded = true;
    // What is under way goes on, under the later name.
    if (isAgain) before.endedMs = before.closedMs = nowMs;
    const isServing = change.version === serving;
    // To what serves already, where something is left of what was tried before: there is something to go back from.
    const isLeft = before !== undefined && Number.isNaN(before.endedMs) && before.to !== change.version;
    const isBack = isServing && (isAgain || isLeft);
    const isThere = isServing && !isBack;
    const thenMs = isThere ? nowMs : NaN;
    const version = this.options.versions.findIndex(({ name }) => name === change.version);
    const isReturn = isServing || this.known.has(change.version);
    if (!isAgain) this.asked = { from: serving, to: change.version, turn: this.runs.length };
    this.runs.push({
      change,
      from: isAgain ? before.from : isBack ? before!.to : serving,
      to: change.version,
      base: serving,
      version,
      isBad: this.options.versions[version].isBad,
      isReturn,
      startedMs: nowMs,
      slowMs: change.slowMs ?? this.slowFrom(),
      exposedMs: NaN,
      decidedMs: thenMs,
      endedMs: thenMs,
      closedMs: thenMs,
      verdict: isThere ? 'accepted' : undefined,
      phase: isThere ? 'succeeded' : 'idle',
      isSuperseded: false,
      offered: 0,
      allFailed: 0,
      exposed: 0,
      failed: 0,
      slow: 0,
      anonymous: 0,
      userMinutes: new Set(),
    });
    this.tellExposure();
  }

  /** The strategy has come to another phase with the request of this turn. What is told late, of one that another has followed, is passed over. */
  phase(phase: RolloutPhase, nowMs: Ms, turn = this.asked?.turn): void {
    const run = this.runs.at(-1);
    if (run === undefined || turn !== this.asked?.turn) return;
    run.phase = phase;
    if (phase === 'succeeded') this.decide(run, 'accepted', nowMs);
    else if (givingUp.includes(phase)) this.decide(run, 'given-up', nowMs);
    this.settle(nowMs);
  }

  /** Hosts have changed: nothing may be left of a version. */
  settle(nowMs: Ms): void {
    for (const run of this.runs) {
      if (!Number.isNaN(run.endedMs)) continue;
      const isStaying = run.verdict === 'accepted' || (run.to === run.base && !run.isSuperseded);
      const loser = isStaying ? run.from : run.to;
      const isDecided = run.verdict !== undefined || run.isSuperseded;
      // Who was given up with both versions in place has not ended, until somebody asks for something else.
      const isHalted = run.phase === 'halted' && run === this.runs.at(-1);
      const isGone = run.from === run.to || this.options.count(loser) === 0;
      if (isDecided && !isHalted && isGone) run.endedMs = nowMs;
    }
    for (const run of this.runs) {
      if (Number.isNaN(run.endedMs) || !Number.isNaN(run.closedMs)) continue;
      const isStillThere = run.isBad && !run.isReturn && run.verdict === 'accepted' && this.options.count(run.to) > 0;
      if (!isStillThere) run.closedMs = nowMs;
    }
    this.tellExposure();
  }

  /** Number of the roll-out whose new version this is, from 1 on; 0 for none that is under way. */
  exposing(version: number, nowMs: Ms): number {
    for (let index = this.runs.length - 1; index >= 0; index--) {
      const run = this.runs[index];
      if (run.version !== version || run.isReturn || !Number.isNaN(run.closedMs)) continue;
      if (Number.isNaN(run.exposedMs)) {
        run.exposedMs = nowMs;
        this.tellExposure();
      }
      return index + 1;
    }
    return 0;
  }

  /** A request of the service's callers has ended; `exposed` is what `exposing` said of its last attempt, `user` −1 for nobody known. */
  requestEnded(result: RequestResult, arrivalMs: Ms, nowMs: Ms, user: number, exposed: number): void {
    if (result === results.cancelled) return;
    const isOk = result === results.ok;
    const latencyMs = nowMs - arrivalMs;
    const latest = this.underWay(arrivalMs);
    const run = exposed > 0 ? this.runs[exposed - 1] : undefined;
    if (latest === undefined && run === undefined && isOk) this.usual.record(latencyMs);
    if (latest !== undefined) count(latest, isOk);
    if (run === undefined) return;
    // An earlier one, of which something is left.
    if (run !== latest) count(run, isOk);
    run.exposed++;
    const isSlow = isOk && latencyMs > run.slowMs;
    if (isOk && !isSlow) return;
    if (isSlow) run.slow++;
    else run.failed++;
    if (user < 0) run.anonymous++;
    else run.userMinutes.add(`${user}/${Math.floor(nowMs / MINUTE)}`);
  }

  results(): RolloutResult[] {
    const { service, kind } = this.options;
    return this.runs.map((run) => ({
      service,
      kind,
      from: run.from,
      to: run.to,
      isBad: run.isBad,
      startedMs: run.startedMs,
      exposedMs: run.exposedMs,
      decidedMs: run.decidedMs,
      endedMs: run.endedMs,
      outcome: outcomeOf(run),
      offered: run.offered,
      exposed: run.exposed,
      failed: run.failed,
      slow: run.slow,
      userMinutes: run.anonymous + run.userMinutes.size,
      slowMs: run.slowMs,
    }));
  }

  private decide(run: RolloutRun, verdict: 'accepted' | 'given-up', nowMs: Ms): void {
    if (run.verdict === verdict) return;
    run.verdict = verdict;
    run.decidedMs = nowMs;
    // What was accepted may still be given up, by an analysis after the switch.
    this.serving = verdict === 'accepted' ? run.to : run.base;
    // Whoever asks for a bad version again makes the same mistake again.
    if (verdict === 'accepted' && !run.isBad) this.known.add(run.to);
  }

  /** The latest that was under way when the request arrived. */
  private underWay(arrivalMs: Ms): RolloutRun | undefined {
    const run = this.runs.at(-1);
    return run !== undefined && run.startedMs <= arrivalMs && !(run.closedMs <= arrivalMs) ? run : undefined;
  }

  private slowFrom(): Ms {
    return this.usual.count === 0 ? Infinity : SLOW_FACTOR * this.usual.quantile(SLOW_QUANTILE);
  }

  private tellExposure(): void {
    this.options.exposure(this.runs.some(({ exposedMs, endedMs }) => !Number.isNaN(exposedMs) && Number.isNaN(endedMs)));
  }
}

function count(run: RolloutRun, isOk: boolean): void {
  run.offered++;
  if (!isOk) run.allFailed++;
}

function outcomeOf({ verdict, phase, isSuperseded }: RolloutRun): string {
  if (verdict === undefined && isSuperseded) return 'superseded';
  return phase;
}
