/** Runs a program and starts it again when it ends, as often and as soon as a restart policy says.
 *
 *      const supervised = superviseProcess({ command: 'node', args: ['server.js'], restart: 'systemd' });
 *      await supervised.over;
 *
 *  Use it in containers and on machines without an init system of their own, and to see a restart policy at work. It fails with the process
 *  it lives in: what it started goes on without it then. While it waits to start the program again it keeps its own process alive. */
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import type { Rng } from '../core/rng.ts';
import type { Clock, Ms } from '../core/time.ts';
import { restartPolicies } from '../policies/recovery/restarts/index.ts';
import type { RestartDeps, RestartPolicy } from '../policies/recovery/restarts/restart-policy.ts';
import { systemClock, systemRng, systemTimers, type Timer, type Timers } from './system.ts';
import { makePolicy, type Use } from './use.ts';

/** The one process it looks after, to the policy. */
const INSTANCE = 0;

export type SupervisorEvent =
  | { readonly kind: 'started'; readonly pid: number | undefined; readonly atMs: Ms }
  | {
      readonly kind: 'ended';
      readonly code: number | null;
      readonly signal: string | null;
      readonly isFailure: boolean;
      readonly atMs: Ms;
    }
  /** The policy starts it no more, or it was stopped. */
  | { readonly kind: 'over'; readonly atMs: Ms };

export interface SupervisorOptions {
  readonly command: string;
  readonly args?: readonly string[];
  /** Its surroundings and what it reads and writes; it inherits by default. */
  readonly spawn?: SpawnOptions;
  readonly restart: Use<RestartDeps, RestartPolicy>;
  /** Told of everything that happens to it. Must not throw. */
  onEvent?(event: SupervisorEvent): void;
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly rng?: Rng;
}

export const superviseProcess = (options: SupervisorOptions): Supervisor => new Supervisor(options);

export class Supervisor {
  /** Resolves when the program has ended and is not started again. */
  readonly over: Promise<void>;
  readonly #options: SupervisorOptions;
  readonly #policy: RestartPolicy;
  readonly #clock: Clock;
  readonly #timers: Timers;
  #child: ChildProcess | undefined;
  #startedAtMs: Ms = 0;
  #timer: Timer | undefined;
  #isStopped = false;
  #resolve: () => void = () => undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    this.#timers = options.timers ?? systemTimers;
    this.#policy = makePolicy(restartPolicies, options.restart, { rng: options.rng ?? systemRng() });
    this.over = new Promise((resolve) => (this.#resolve = resolve));
    this.#start();
  }

  /** Ends the program by a signal and does not start it again. Resolves when it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#isStopped = true;
    this.#timer?.clear();
    if (this.#child === undefined) this.#end();
    else this.#child.kill(signal);
    await this.over;
  }

  #start(): void {
    const { command, args = [], spawn: surroundings = {} } = this.#options;
    this.#startedAtMs = this.#clock.now();
    const child = spawn(command, args, { stdio: 'inherit', ...surroundings });
    this.#child = child;
    // A program that cannot be started tells that by an error, and then does not exit.
    child.once('error', () => {
      if (child.pid === undefined) this.#ended(null, null);
    });
    child.once('exit', (code, signal) => this.#ended(code, signal));
    this.#tell({ kind: 'started', pid: child.pid, atMs: this.#startedAtMs });
  }

  #ended(code: number | null, signal: string | null): void {
    this.#child = undefined;
    const atMs = this.#clock.now();
    const isFailure = code !== 0;
    this.#tell({ kind: 'ended', code, signal, isFailure, atMs });
    const againMs = this.#isStopped ? Infinity : this.#policy.restartAtMs(INSTANCE, this.#startedAtMs, atMs, isFailure);
    if (againMs === Infinity) this.#end();
    else this.#timer = this.#timers.set(Math.max(0, againMs - atMs), () => this.#startAgain());
  }

  #startAgain(): void {
    this.#start();
    this.#policy.onRestarted(INSTANCE, this.#startedAtMs);
  }

  #end(): void {
    this.#tell({ kind: 'over', atMs: this.#clock.now() });
    this.#resolve();
  }

  #tell(event: SupervisorEvent): void {
    this.#options.onEvent?.(event);
  }
}
