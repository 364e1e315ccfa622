/** A piecewise-linear rate over time, and its operational time: the integral of the rate. Arrival processes live in operational
 *  time, where their rate is 1, and ask the curve for the clock time at which the integral has grown by a given amount. So any law of
 *  inter-arrival times follows any profile exactly, without thinning and with one draw per arrival. */
import type { Ms } from '../core/time.ts';
import type { RateCurveSpec } from '../scenario/spec.ts';

export class RateCurve {
  /** The curve is one constant: `advance` is a division. */
  readonly isConstant: boolean;
  private readonly times: Float64Array;
  /** Per millisecond. */
  private readonly rates: Float64Array;
  private readonly periodMs: Ms;
  /** Integral over one period; unused without one. */
  private readonly periodArea: number;
  /** Where the last call of `advance` ended: segment, and start of its period on the clock. */
  private segment: number;
  private periodStartMs: Ms;

  /** `perMs` multiplies the curve's factors. */
  constructor(spec: RateCurveSpec, perMs: number) {
    this.times = spec.timesMs;
    this.rates = spec.factors.map((factor) => factor * perMs);
    this.periodMs = spec.periodMs;
    this.isConstant = this.rates.every((rate) => rate === this.rates[0]);
    this.periodArea = this.periodMs < Infinity ? this.areaOfPeriod() : Infinity;
    this.segment = -1;
    this.periodStartMs = 0;
  }

  /** Rate at a time, per millisecond; at a jump the value after it. */
  rateAt(timeMs: Ms): number {
    const local = this.periodMs < Infinity ? timeMs - Math.floor(timeMs / this.periodMs) * this.periodMs : timeMs;
    const { times, rates } = this;
    const last = times.length - 1;
    if (local < times[0]) return rates[0];
    if (local >= times[last]) return rates[last];
    let low = 0;
    let high = last;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (times[middle] <= local) low = middle;
      else high = middle;
    }
    return rates[low] + ((rates[high] - rates[low]) * (local - times[low])) / (times[high] - times[low]);
  }

  /** Whether the rate is 0 from here on for ever. */
  isSilentFrom(timeMs: Ms): boolean {
    const last = this.times.length - 1;
    if (this.isConstant) return this.rates[0] === 0;
    if (this.periodMs < Infinity) return this.periodArea === 0;
    return this.rates[last] === 0 && timeMs >= this.times[last];
  }

  /** The time at which the integral from `fromMs` reaches `amount`; Infinity if it never does. Cheap when calls go forward. */
  advance(fromMs: Ms, amount: number): Ms {
    if (amount === 0 || fromMs === Infinity) return fromMs;
    if (this.isConstant) return fromMs + amount / this.rates[0];
    const { times, rates } = this;
    const sinceStart = fromMs - this.periodStartMs;
    if (sinceStart < 0 || sinceStart >= this.periodMs || (this.segment >= 0 && sinceStart < times[this.segment])) {
      this.periodStartMs = this.periodMs < Infinity ? Math.floor(fromMs / this.periodMs) * this.periodMs : 0;
      this.segment = -1;
    }
    const last = times.length - 1;
    let left = amount;
    let now = fromMs;
    for (;;) {
      const local = now - this.periodStartMs;
      // Segment −1 lies before the first point, `last` behind the last; both keep the nearest point's rate.
      while (this.segment < last && (local >= times[this.segment + 1] || this.isJump(this.segment))) this.segment++;
      const segment = this.segment;
      const isFlat = segment < 0 || segment === last;
      const segmentEnd = segment === last ? this.periodMs : times[segment + 1];
      const endRate = rates[Math.min(segment + 1, last)];
      const length = isFlat ? Infinity : segmentEnd - times[segment];
      const rise = isFlat ? 0 : endRate - rates[segment];
      // A share rather than a slope: the slope of a very short segment may be infinite.
      const passed = isFlat ? 1 : Math.min(1, Math.max(0, (local - times[segment]) / length));
      const startRate = Math.max(0, endRate - rise * (1 - passed));
      const span = segmentEnd - local;
      const area = startRate + endRate === 0 ? 0 : (span * (startRate + endRate)) / 2;
      if (area >= left) {
        // startRate·x + rise/length·x²/2 = left, solved in the form that does not cancel.
        const step = (2 * left) / (startRate + Math.sqrt(Math.max(0, startRate * startRate + (2 * rise * left) / length)));
        return Math.max(fromMs, step < span ? now + step : this.periodStartMs + segmentEnd);
      }
      if (span === Infinity) return Infinity;
      left -= area;
      now = this.periodStartMs + segmentEnd;
      // The segment is counted, not found again from `now`, which rounding may have put a hair before its start.
      if (segment < last) this.segment++;
      else {
        // Periods that are used up as a whole go by at once, but for one that rounding may need.
        const whole = Math.max(1, Math.floor(left / this.periodArea));
        left -= (whole - 1) * this.periodArea;
        now = this.periodStartMs + whole * this.periodMs;
        // Periods without any rate.
        if (now === Infinity) return Infinity;
        this.periodStartMs = now;
        this.segment = -1;
      }
    }
  }

  private isJump(segment: number): boolean {
    return segment >= 0 && this.times[segment] === this.times[segment + 1];
  }

  private areaOfPeriod(): number {
    const { times, rates, periodMs } = this;
    const last = times.length - 1;
    let area = times[0] * rates[0] + (periodMs - times[last]) * rates[last];
    for (let i = 0; i < last; i++) area += ((times[i + 1] - times[i]) * (rates[i] + rates[i + 1])) / 2;
    return area;
  }
}
