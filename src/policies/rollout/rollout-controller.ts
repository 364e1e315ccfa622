/** One of several controllers of a roll-out, of which the elected one acts.
 *
 *  Use it where a controller may crash or be cut off and another must go on from where it was. It acts only while it believes to lead, and all
 *  that it says carries its token and what it remembers: whoever carries it out checks the token (`FencedTarget`) and keeps the memory
 *  beside, so that the next leader finds both. Without that check a controller that was paused for longer than its lease goes on with a
 *  roll-out that has gone on without it: it scales and routes by what it saw before the pause. */
import type { Ms } from '../../core/time.ts';
import type { Elector } from './elections/elector.ts';
import type { Rollout, RolloutAction, RolloutCommand, RolloutObservation } from './strategies/rollout.ts';

export interface FencedActions {
  readonly token: number;
  readonly actions: readonly RolloutAction[];
  /** What the next leader must know; plain data as text. */
  readonly memory: string;
}

/** Who asked for which version, as it is written down where all controllers read it. */
export interface RolloutRequest {
  readonly from: string | undefined;
  readonly to: string;
  /** Sets apart requests for the same: a version that was given up may be asked for again. */
  readonly turn?: number;
}

export interface RolloutControllerOptions {
  readonly elector: Elector;
  readonly makeRollout: () => Rollout;
  /** What was kept of the last actions that were carried out; undefined if there were none. */
  readonly readMemory: () => string | undefined;
}

interface Memory {
  readonly request: RolloutRequest;
  readonly snapshot: unknown;
}

export class RolloutController {
  readonly elector: Elector;
  readonly #options: RolloutControllerOptions;
  #rollout: Rollout;
  #request: RolloutRequest | undefined;
  /** The token that what is remembered here belongs to. */
  #token: number | undefined;
  #wakeMs: Ms = 0;

  constructor(options: RolloutControllerOptions) {
    this.elector = options.elector;
    this.#options = options;
    this.#rollout = options.makeRollout();
  }

  get rollout(): Rollout {
    return this.#rollout;
  }

  /** Looks, and answers if this controller leads and there is something to do. `request` is what shall be rolled out. */
  step(request: RolloutRequest, observation: RolloutObservation): FencedActions | undefined {
    const { token } = this.elector;
    if (token === undefined) {
      this.#token = undefined;
      return undefined;
    }
    if (token !== this.#token) this.#takeOver(token);
    const before = this.#request;
    if (before?.to !== request.to || before.from !== request.from || before.turn !== request.turn) {
      this.#request = request;
      this.#rollout.start(request.from, request.to, observation.nowMs);
    }
    const memoryBefore = this.#memory(request);
    const actions = this.#rollout.step(observation);
    const memory = this.#memory(request);
    this.#wakeMs = this.#rollout.nextTimerMs();
    return actions.length === 0 && memory === memoryBefore ? undefined : { token, actions, memory };
  }

  command(command: RolloutCommand, nowMs: Ms): void {
    if (!this.elector.isLeader) return;
    this.#rollout.command(command, nowMs);
    this.#wakeMs = nowMs;
  }

  /** When the elector, or the roll-out, must be looked after. */
  nextTimerMs(): Ms {
    return Math.min(this.elector.nextTimerMs(), this.elector.isLeader ? this.#wakeMs : Infinity);
  }

  #takeOver(token: number): void {
    this.#token = token;
    this.#rollout = this.#options.makeRollout();
    this.#request = undefined;
    const text = this.#options.readMemory();
    if (text === undefined) return;
    const { request, snapshot } = JSON.parse(text) as Memory;
    this.#request = request;
    this.#rollout.restore(snapshot);
  }

  #memory(request: RolloutRequest): string {
    return JSON.stringify({ request, snapshot: this.#rollout.snapshot() } satisfies Memory);
  }
}
