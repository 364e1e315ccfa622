/** What roll-outs share: their state as plain data, the phase they tell of, reading groups, and scaling only where something changes. */
import type { Ms } from '../../../../core/time.ts';
import type { GroupStatus, Rollout, RolloutAction, RolloutCommand, RolloutObservation, RolloutPhase } from '../rollout.ts';

/** Plain data: no undefined, no Infinity, so that it survives being written down. */
export interface BaseState {
  readonly from: string | null;
  readonly to: string | null;
  readonly phase: RolloutPhase;
  readonly reason: string;
  /** By command, from outside. */
  readonly isHeld: boolean;
}

export const idleState: BaseState = { from: null, to: null, phase: 'idle', reason: '', isHeld: false };

interface Remembered<State> {
  readonly state: State;
  readonly timerMs: Ms | null;
}

export abstract class BaseRollout<State extends BaseState> implements Rollout {
  readonly minReadyMs: Ms;
  protected state: State;
  /** What the host was told last. */
  #told = '';
  #timerMs: Ms = Infinity;

  constructor(initial: State, minReadyMs: Ms = 0) {
    this.state = initial;
    this.minReadyMs = minReadyMs;
  }

  get phase(): RolloutPhase {
    return this.state.phase;
  }

  get reason(): string {
    return this.state.reason;
  }

  start(from: string | undefined, to: string, nowMs: Ms): void {
    this.#timerMs = nowMs;
    // Of another version even the same phase is news.
    this.#told = '';
    this.begin(from ?? null, to, nowMs);
  }

  command(command: RolloutCommand, nowMs: Ms): void {
    this.#timerMs = nowMs;
    if (command === 'pause' || command === 'resume') this.set({ isHeld: command === 'pause' } as Partial<State>);
    else this.onCommand(command, nowMs);
  }

  step(observation: RolloutObservation): readonly RolloutAction[] {
    if (this.state.to === null) return [];
    const actions = this.advance(observation, this.state.to);
    this.#timerMs = Infinity;
    // What was due by now has been looked at.
    for (const timerMs of this.timers()) if (timerMs > observation.nowMs) this.#timerMs = Math.min(this.#timerMs, timerMs);
    const now = `${this.phase}\n${this.reason}`;
    if (now === this.#told) return actions;
    this.#told = now;
    return [...actions, { kind: 'phase', phase: this.phase, reason: this.reason }];
  }

  nextTimerMs(): Ms {
    return this.#timerMs;
  }

  snapshot(): unknown {
    const remembered: Remembered<State> = { state: this.state, timerMs: this.#timerMs === Infinity ? null : this.#timerMs };
    return remembered;
  }

  restore(snapshot: unknown): void {
    const { state, timerMs } = snapshot as Remembered<State>;
    this.state = state;
    this.#timerMs = timerMs ?? Infinity;
    this.#told = '';
  }

  /** One step on the way to `to`. */
  protected abstract advance(observation: RolloutObservation, to: string): readonly RolloutAction[];

  protected abstract begin(from: string | null, to: string, nowMs: Ms): void;

  /** Moments at which a step may find something, past ones included. */
  protected timers(): readonly Ms[] {
    return [];
  }

  protected onCommand(_command: RolloutCommand, _nowMs: Ms): void {}

  /** States are replaced, never changed, so that a snapshot stays what it was. */
  protected set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
  }

  protected become(phase: RolloutPhase, reason: string): void {
    if (phase !== this.state.phase || reason !== this.state.reason) this.set({ phase, reason } as Partial<State>);
  }
}

/** A group without replicas, if it is not there. */
export const groupOf = ({ groups }: Pick<RolloutObservation, 'groups'>, name: string, version = name): GroupStatus =>
  groups.find(({ group }) => group === name) ?? { group: name, version, spec: 0, created: 0, ready: 0, available: 0 };

export const othersThan = (
  { groups }: Pick<RolloutObservation, 'groups'>,
  ...names: readonly (string | null)[]
): readonly GroupStatus[] => groups.filter(({ group }) => !names.includes(group));

/** Nothing where the group has its size already. */
export const scaleTo = ({ group, version, spec }: GroupStatus, replicas: number): readonly RolloutAction[] =>
  spec === replicas ? [] : [{ kind: 'scale', group, version, replicas }];

/** Nothing where the router has these weights already. Groups without a share are not named. */
export function routeBy(
  { weights: actual }: RolloutObservation,
  wanted: Readonly<Record<string, number>>,
): readonly RolloutAction[] {
  const weights = Object.fromEntries(Object.entries(wanted).filter(([, share]) => share > 0));
  return hasWeights(actual, weights) ? [] : [{ kind: 'weight', weights }];
}

export function hasWeights(
  actual: Readonly<Record<string, number>> | undefined,
  wanted: Readonly<Record<string, number>>,
): boolean {
  if (actual === undefined) return false;
  const names = new Set([...Object.keys(actual), ...Object.keys(wanted)]);
  return [...names].every((name) => Math.abs((actual[name] ?? 0) - (wanted[name] ?? 0)) < 1e-9);
}

export const mirrorTo = (
  { mirror }: RolloutObservation,
  group: string | undefined,
  percent: number,
): readonly RolloutAction[] => {
  const wanted = percent > 0 ? group : undefined;
  if (mirror?.group === wanted && (mirror?.percent ?? 0) === (wanted === undefined ? 0 : percent)) return [];
  return [{ kind: 'mirror', group: wanted, percent: wanted === undefined ? 0 : percent }];
};

/** The first moment after one that itself is not enough; a millisecond is as fine as clocks here go. */
export const justAfter = (ms: Ms): Ms => Math.floor(ms) + 1;
