/** A piecewise-linear rate over time, and its operational time: the integral of the rate. Arrival processes live in operational
 *  time, where their rate is 1, and ask the curve for the clock time at which the integral has grown by a given amount. So any law of
 *  inter-arrival times follows any profile exactly, without thinning and with one draw per arrival. */
import { InvariantViolation } from '../core/errors.ts';
import type { Ms } from '../core/time.ts';
import type { RateCurveSpec } from '../scenario/spec.ts';

export class RateCurve {
  /** The curve is one constant: `advance` is a division. */
  readonly isConstant: boolean;
  private readonly times: Float64Array;
  /** Per millisecond. */
  private readonly rates: Float64Array;
  private readonly periodMs: Ms;
  /** Where the last call of `advance` ended: segment, and start of its period on the clock. */
  private segment: number;
  private periodStartMs: Ms;

  /** `perMs` multiplies the curve's factors. */
  constructor(spec: RateCurveSpec, perMs: number) {
    this.times = spec.timesMs;
    this.rates = spec.factors.map((factor) => factor * perMs);
    this.periodMs = spec.periodMs;
    this.isConstant = this.rates.every((rate) => rate === this.rates[0]);
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

  /** The time at which the integral from `fromMs` reaches `amount`; Infinity if it never does. Cheap when calls go forward. */
  advance(fromMs: Ms, amount: number): Ms {
    if (this.isConstant) return fromMs + amount / this.rates[0];
    const { times, rates } = this;
    if (fromMs < this.periodStartMs || (this.segment >= 0 && fromMs - this.periodStartMs < times[this.segment])) {
      this.periodStartMs = this.periodMs < Infinity ? Math.floor(fromMs / this.periodMs) * this.periodMs : 0;
      this.segment = -1;
    }
    const last = times.length - 1;
    let left = amount;
    let now = fromMs;
    let idlePeriods = 0;
    for (;;) {
      const local = now - this.periodStartMs;
      // Segment −1 lies before the first point, `last` behind the last; both keep the nearest point's rate.
      while (this.segment < last && local >= times[this.segment + 1]) this.segment++;
      const segment = this.segment;
      const startRate =
        segment < 0
          ? rates[0]
          : segment === last
            ? rates[last]
            : rates[segment] +
              ((rates[segment + 1] - rates[segment]) * (local - times[segment])) / (times[segment + 1] - times[segment]);
      const segmentEnd = segment === last ? this.periodMs : times[segment + 1];
      const slope =
        segment < 0 || segment === last ? 0 : (rates[segment + 1] - rates[segment]) / (times[segment + 1] - times[segment]);
      const span = segmentEnd - local;
      const area = span === Infinity ? (startRate > 0 ? Infinity : 0) : span * (startRate + (slope * span) / 2);
      if (area >= left && startRate + slope * (span === Infinity ? 0 : span) >= 0) {
        // Solve startRate·x + slope·x²/2 = left in the form that does not cancel.
        const root = Math.sqrt(Math.max(0, startRate * startRate + 2 * slope * left));
        const step = slope === 0 ? left / startRate : (2 * left) / (startRate + root);
        if (step <= span) return now + step;
        return this.periodStartMs + segmentEnd;
      }
      if (span === Infinity) return Infinity;
      left -= area;
      now = this.periodStartMs + segmentEnd;
      if (segment === last) {
        this.periodStartMs = now;
        this.segment = -1;
        if (++idlePeriods > 1e7) throw new InvariantViolation('a periodic rate curve has no area');
      }
    }
  }
}
