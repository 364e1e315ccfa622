/** Measures the sorted requests of a log, one after the other, in memory that does not grow with their number. */
import type { Ms } from '../../core/time.ts';
import { outcomes, type Outcome } from './access-record.ts';
import { BurstinessMeter } from './burstiness.ts';
import { DurationSketch } from './duration-sketch.ts';
import type { ClassMeasure, FittedLog } from './fitted-log.ts';
import { KeyCounts } from './key-counts.ts';
import { RateWindows } from './rate-windows.ts';
import { fitService } from './service-fit.ts';
import { SessionMeter } from './session-meter.ts';
import { fitKeys, maxFittedKeys } from './zipf-fit.ts';

export interface MeterOptions {
  readonly classNames: readonly string[];
  /** About: it decides the width of windows. */
  readonly spanMs: Ms;
  readonly tickMs: Ms;
  readonly durationTickMs: Ms;
}

export class LogMeter {
  declare private readonly options: MeterOptions;
  declare private readonly classes: readonly ClassMeter[];
  declare private readonly total: ClassMeter;
  declare private readonly keys: KeyCounts;
  declare private readonly sessions: SessionMeter;
  declare private readonly rate: RateWindows;
  declare private readonly burstiness: BurstinessMeter;
  declare private firstMs: Ms;
  declare private lastMs: Ms;

  constructor(options: MeterOptions) {
    this.options = options;
    this.classes = options.classNames.map(() => new ClassMeter(options.durationTickMs));
    this.total = new ClassMeter(options.durationTickMs);
    this.keys = new KeyCounts();
    this.sessions = new SessionMeter(options.tickMs);
    this.rate = new RateWindows(options.spanMs);
    this.burstiness = new BurstinessMeter(options.tickMs);
    this.firstMs = NaN;
    this.lastMs = NaN;
  }

  /** Time of the first request. */
  get startMs(): Ms {
    return this.firstMs;
  }

  /** Times must not fall; NaN for what is not known. Returns the number of the session, NaN for none. */
  add(timeMs: Ms, kind: number, outcome: Outcome, durationMs: Ms, key: number, client: number): number {
    if (Number.isNaN(this.firstMs)) this.firstMs = timeMs;
    this.lastMs = timeMs;
    this.classes[kind].add(outcome, durationMs);
    this.total.add(outcome, durationMs);
    if (!Number.isNaN(key)) this.keys.add(key);
    this.rate.add(timeMs - this.firstMs);
    // Windows begin where the clock of the log ticks: seconds that were spread stay whole.
    const { tickMs } = this.options;
    this.burstiness.add(timeMs - Math.floor(this.firstMs / tickMs) * tickMs);
    return Number.isNaN(client) ? NaN : this.sessions.add(client, timeMs, durationMs);
  }

  fit(): Pick<FittedLog, 'requests' | 'startMs' | 'spanMs' | 'rate' | 'arrivals' | 'classes' | 'total' | 'keys' | 'sessions'> {
    const spanMs = this.lastMs - this.firstMs;
    const total = this.total.fit();
    const sessions = this.sessions.fit();
    const classes = this.options.classNames.map((name, index) => ({ name, ...this.classes[index].fit() }));
    return {
      ...{ requests: total.requests, startMs: this.firstMs, spanMs, total, classes },
      rate: this.rate.fit(spanMs),
      arrivals: this.burstiness.fit(),
      ...(this.keys.total === 0 ? {} : { keys: fitKeys(this.keys.total, this.keys.distinct(), this.keys.top(maxFittedKeys)) }),
      ...(sessions === undefined ? {} : { sessions }),
    };
  }
}

class ClassMeter {
  declare private readonly ends: Float64Array;
  declare private readonly durations: DurationSketch;
  declare private readonly tickMs: Ms;

  constructor(tickMs: Ms) {
    this.ends = new Float64Array(Object.keys(outcomes).length);
    this.durations = new DurationSketch(tickMs);
    this.tickMs = tickMs;
  }

  add(outcome: Outcome, durationMs: Ms): void {
    this.ends[outcome]++;
    // How long a client waited before it left says nothing about the server.
    if (durationMs >= 0 && outcome !== outcomes.abandoned) this.durations.record(durationMs);
  }

  fit(): ClassMeasure {
    const service = fitService(this.durations, this.tickMs);
    return {
      requests: this.ends.reduce((sum, count) => sum + count, 0),
      clientErrors: this.ends[outcomes.clientError],
      serverErrors: this.ends[outcomes.serverError],
      abandoned: this.ends[outcomes.abandoned],
      ...(service === undefined ? {} : { service }),
    };
  }
}
