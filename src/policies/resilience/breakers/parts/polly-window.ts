/** Successes and failures of the last sampling duration, as Polly v8 counts them: in windows that open with the first event after the
 *  last one ended, a tenth of the duration each; a duration too short for that is one window that starts over. */
import type { Ms } from '../../../../core/time.ts';

export interface PollyWindow {
  readonly type: 'single' | 'rolling';
  add(isGood: boolean, nowMs: Ms): void;
  /** Forgets what is too old. */
  moveTo(nowMs: Ms): void;
  reset(nowMs: Ms): void;
  readonly throughput: number;
  readonly failures: number;
}

/** Windows shorter than the resolution of a timer make no sense. */
export const pollyWindow = (samplingDurationMs: Ms): PollyWindow =>
  samplingDurationMs < WINDOWS * TIMER_RESOLUTION_MS
    ? new SingleWindow(samplingDurationMs)
    : new RollingWindow(samplingDurationMs, WINDOWS);

export class SingleWindow implements PollyWindow {
  readonly type = 'single';
  readonly #samplingDurationMs: Ms;
  #startedMs = 0;
  #throughput = 0;
  #failures = 0;

  constructor(samplingDurationMs: Ms) {
    this.#samplingDurationMs = samplingDurationMs;
  }

  get throughput(): number {
    return this.#throughput;
  }

  get failures(): number {
    return this.#failures;
  }

  add(isGood: boolean, nowMs: Ms): void {
    this.moveTo(nowMs);
    this.#throughput++;
    if (!isGood) this.#failures++;
  }

  moveTo(nowMs: Ms): void {
    if (nowMs - this.#startedMs >= this.#samplingDurationMs) this.reset(nowMs);
  }

  reset(nowMs: Ms): void {
    this.#startedMs = nowMs;
    this.#throughput = 0;
    this.#failures = 0;
  }
}

export class RollingWindow implements PollyWindow {
  readonly type = 'rolling';
  readonly #samplingDurationMs: Ms;
  readonly #windowDurationMs: Ms;
  /** A queue in a ring. Windows start at least their length apart, so few more than their number can be in use. */
  readonly #startedMs: Float64Array;
  readonly #throughputs: Float64Array;
  readonly #failuresOf: Float64Array;
  #oldest = 0;
  #count = 0;
  #throughput = 0;
  #failures = 0;

  constructor(samplingDurationMs: Ms, windows: number) {
    this.#samplingDurationMs = samplingDurationMs;
    this.#windowDurationMs = samplingDurationMs / windows;
    // One that is full age and one that is new, and one for rounding.
    this.#startedMs = new Float64Array(windows + 3);
    this.#throughputs = new Float64Array(windows + 3);
    this.#failuresOf = new Float64Array(windows + 3);
  }

  get throughput(): number {
    return this.#throughput;
  }

  get failures(): number {
    return this.#failures;
  }

  add(isGood: boolean, nowMs: Ms): void {
    this.moveTo(nowMs);
    const current = this.#newest();
    this.#throughputs[current]++;
    this.#throughput++;
    if (isGood) return;
    this.#failuresOf[current]++;
    this.#failures++;
  }

  moveTo(nowMs: Ms): void {
    if (this.#count === 0 || nowMs - this.#startedMs[this.#newest()] >= this.#windowDurationMs) this.#open(nowMs);
    while (nowMs - this.#startedMs[this.#oldest] >= this.#samplingDurationMs) {
      this.#throughput -= this.#throughputs[this.#oldest];
      this.#failures -= this.#failuresOf[this.#oldest];
      this.#oldest = (this.#oldest + 1) % this.#startedMs.length;
      this.#count--;
    }
  }

  reset(): void {
    this.#count = 0;
    this.#throughput = 0;
    this.#failures = 0;
  }

  #newest(): number {
    return (this.#oldest + this.#count - 1) % this.#startedMs.length;
  }

  #open(nowMs: Ms): void {
    this.#count++;
    const place = this.#newest();
    this.#startedMs[place] = nowMs;
    this.#throughputs[place] = 0;
    this.#failuresOf[place] = 0;
  }
}

const WINDOWS = 10;
const TIMER_RESOLUTION_MS = 20;
