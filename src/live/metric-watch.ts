/** Reads a metric at intervals and asks an alarm about it.
 *
 *      const metrics = new ProxyMetrics();
 *      const proxy = createProxy({ …, onDecision: metrics.observe });
 *      watchMetric({ alarm: { use: 'ewma' }, read: metrics.failedShare(), everyMs: 10_000, onChange: (fires) => page(fires) });
 *
 *  Readings fall due at start + k · period. One that is NaN, as the share of failures among no requests, is left out: the alarm learns
 *  nothing of it and stays as it is. */
import { InputError } from '../core/errors.ts';
import type { Clock, Ms } from '../core/time.ts';
import type { Alarm } from '../policies/detection/alarms/alarm.ts';
import { alarms } from '../policies/detection/alarms/index.ts';
import { backgroundTimers, systemClock, type Timer, type Timers } from './system.ts';
import { makePolicy, type Use } from './use.ts';

export interface MetricWatchOptions {
  readonly alarm: Use<object, Alarm>;
  read(): number;
  readonly everyMs: Ms;
  /** It begins to fire, or ceases to. Must not throw. */
  onChange(fires: boolean, value: number, atMs: Ms): void;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

export const watchMetric = (options: MetricWatchOptions): MetricWatch => new MetricWatch(options);

export class MetricWatch {
  readonly #options: MetricWatchOptions;
  readonly #alarm: Alarm;
  readonly #clock: Clock;
  readonly #timers: Timers;
  #nextMs: Ms;
  #timer: Timer | undefined;
  #fires = false;

  constructor(options: MetricWatchOptions) {
    if (!(options.everyMs > 0)) throw InputError.of('bad-option', `a metric cannot be read every ${options.everyMs} ms`);
    this.#options = options;
    this.#alarm = makePolicy(alarms, options.alarm, {});
    this.#clock = options.clock ?? systemClock();
    this.#timers = options.timers ?? backgroundTimers;
    this.#nextMs = this.#clock.now();
    this.#rearm();
  }

  get isFiring(): boolean {
    return this.#fires;
  }

  close(): void {
    this.#timer?.clear();
  }

  #rearm(): void {
    const nowMs = this.#clock.now();
    do this.#nextMs += this.#options.everyMs;
    while (this.#nextMs <= nowMs);
    this.#timer = this.#timers.set(this.#nextMs - nowMs, () => this.#look());
  }

  #look(): void {
    const value = this.#options.read();
    const nowMs = this.#clock.now();
    this.#rearm();
    if (Number.isNaN(value)) return;
    const fires = this.#alarm.update(value, nowMs);
    if (fires === this.#fires) return;
    this.#fires = fires;
    this.#options.onChange(fires, value, nowMs);
  }
}
