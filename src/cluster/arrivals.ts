/** When requests arrive: one class per kind of process, all following a rate curve. Each draws from its own stream and knows
 *  nothing of policies, so that every variant sees the same arrivals. */
import { InvariantViolation } from '../core/errors.ts';
import type { DistributionSpec } from '../core/distribution-spec.ts';
import type { Ms } from '../core/time.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import type { ArrivalSpec, RateCurveSpec } from '../scenario/spec.ts';
import { makeSampler, type Sampler } from '../stats/samplers.ts';
import { RateCurve } from './rate-curve.ts';

export interface ArrivalProcess {
  /** Fills the array with the times of the next arrivals, in order; Infinity when there are no more. */
  drawInto(times: Float64Array): void;
}

const MS_PER_SECOND = 1000;

export function makeArrivals(spec: ArrivalSpec, profile: RateCurveSpec, rng: Xoshiro128): ArrivalProcess {
  switch (spec.type) {
    case 'constant':
      return new Renewal({ type: 'constant', value: 1 }, new RateCurve(profile, spec.perSecond / MS_PER_SECOND), rng);
    case 'poisson':
      return new Renewal({ type: 'exponential', mean: 1 }, new RateCurve(profile, spec.perSecond / MS_PER_SECOND), rng);
    case 'gamma':
      return new Renewal(
        { type: 'gamma', shape: spec.shape, mean: 1 },
        new RateCurve(profile, spec.perSecond / MS_PER_SECOND),
        rng,
      );
    case 'weibull': {
      const unscaled = makeSampler({ type: 'weibull', shape: spec.shape, scale: 1 });
      const gap: DistributionSpec = { type: 'weibull', shape: spec.shape, scale: 1 / unscaled.mean };
      return new Renewal(gap, new RateCurve(profile, spec.perSecond / MS_PER_SECOND), rng);
    }
    case 'hyperexponential': {
      const mean = spec.branches.reduce((sum, branch) => sum + branch.share * branch.mean, 0);
      const branches = spec.branches.map(({ share, mean: branchMean }) => ({ share, mean: branchMean / mean }));
      return new Renewal({ type: 'hyperexponential', branches }, new RateCurve(profile, spec.perSecond / MS_PER_SECOND), rng);
    }
    case 'mmpp':
      return new MarkovModulated(spec.states, profile, rng);
    case 'batch':
      return new Batches(
        new Renewal({ type: 'exponential', mean: 1 }, new RateCurve(profile, spec.perSecond / MS_PER_SECOND / spec.size), rng),
        spec.size,
      );
    case 'bursts':
      return new Bursts(spec, new RateCurve(profile, 1), rng);
    case 'replay':
      return new Recorded(spec.data.timesMs);
    case 'users':
      throw new InvariantViolation('users ask when they have their answers, not by a process of arrivals');
  }
}

/** Independent gaps of mean 1 in operational time. */
class Renewal implements ArrivalProcess {
  private readonly gaps: Sampler;
  private readonly curve: RateCurve;
  private readonly rng: Xoshiro128;
  private timeMs: Ms;
  private isFirstOfEven: boolean;
  /** Mean gap of a constant rate; 0 when the rate varies. */
  private readonly steadyGapMs: Ms;

  constructor(gap: DistributionSpec, curve: RateCurve, rng: Xoshiro128) {
    this.steadyGapMs = curve.isConstant && curve.rateAt(0) > 0 ? 1 / curve.rateAt(0) : 0;
    this.gaps = makeSampler(gap);
    this.curve = curve;
    this.rng = rng;
    this.timeMs = -0; // a double from the start
    this.isFirstOfEven = gap.type === 'constant';
  }

  drawInto(times: Float64Array): void {
    for (let i = 0; i < times.length; i++) {
      let gap = this.gaps.sample(this.rng);
      // A random share of the first gap: otherwise several evenly spaced sources would all start, and stay, in step.
      if (this.isFirstOfEven) {
        this.isFirstOfEven = false;
        gap *= this.rng.next();
      }
      // A constant rate is worth its own line: `advance` is too large to be inlined.
      this.timeMs = this.steadyGapMs > 0 ? this.timeMs + gap * this.steadyGapMs : this.curve.advance(this.timeMs, gap);
      times[i] = this.timeMs;
    }
  }
}

/** Poisson at the rate of the current state; states follow each other in order, each for an exponential time on the clock. */
class MarkovModulated implements ArrivalProcess {
  private readonly curves: readonly RateCurve[];
  private readonly stays: readonly Sampler[];
  private readonly rng: Xoshiro128;
  private readonly gaps: Sampler;
  private state: number;
  private timeMs: Ms;
  private untilMs: Ms;

  constructor(states: readonly { readonly perSecond: number; readonly meanMs: Ms }[], profile: RateCurveSpec, rng: Xoshiro128) {
    this.curves = states.map((state) => new RateCurve(profile, state.perSecond / MS_PER_SECOND));
    this.stays = states.map((state) => makeSampler({ type: 'exponential', mean: state.meanMs }));
    this.rng = rng;
    this.gaps = makeSampler({ type: 'exponential', mean: 1 });
    this.state = 0;
    this.timeMs = 0;
    this.untilMs = this.stays[0].sample(rng);
  }

  drawInto(times: Float64Array): void {
    for (let i = 0; i < times.length; i++) times[i] = this.next();
  }

  private next(): Ms {
    // Exponential gaps have no memory: what is left of one at a change of state may be drawn anew.
    for (;;) {
      const at = this.curves[this.state].advance(this.timeMs, this.gaps.sample(this.rng));
      if (at < this.untilMs) {
        this.timeMs = at;
        return at;
      }
      this.timeMs = this.untilMs;
      if (this.curves.every((curve) => curve.isSilentFrom(this.timeMs))) return Infinity;
      this.state = (this.state + 1) % this.curves.length;
      this.untilMs = this.timeMs + this.stays[this.state].sample(this.rng);
    }
  }
}

/** Whole batches at the instants of another process. */
class Batches implements ArrivalProcess {
  private readonly instants: ArrivalProcess;
  private readonly size: number;
  private left: number;
  private readonly instant: Float64Array;

  constructor(instants: ArrivalProcess, size: number) {
    this.instants = instants;
    this.size = size;
    this.left = 0;
    this.instant = new Float64Array(1);
  }

  drawInto(times: Float64Array): void {
    for (let i = 0; i < times.length; i++) {
      if (this.left === 0) {
        this.left = this.size;
        this.instants.drawInto(this.instant);
      }
      this.left--;
      times[i] = this.instant[0];
    }
  }
}

/** Everybody by the clock: a number of requests every so often, each at a random moment of the spread. The profile's factor at the
 *  start of a burst scales its size. */
class Bursts implements ArrivalProcess {
  private readonly spec: ArrivalSpec & { readonly type: 'bursts' };
  private readonly curve: RateCurve;
  private readonly rng: Xoshiro128;
  private burst: number;
  private times: Float64Array;
  private taken: number;

  constructor(spec: ArrivalSpec & { readonly type: 'bursts' }, curve: RateCurve, rng: Xoshiro128) {
    this.spec = spec;
    this.curve = curve;
    this.rng = rng;
    this.burst = 0;
    this.times = new Float64Array(0);
    this.taken = 0;
  }

  drawInto(times: Float64Array): void {
    for (let i = 0; i < times.length; i++) {
      while (this.taken === this.times.length) if (!this.drawBurst()) break;
      times[i] = this.taken < this.times.length ? this.times[this.taken++] : Infinity;
    }
  }

  /** False when there are no more. Bursts wait for the end of the one before, so that times never fall. */
  private drawBurst(): boolean {
    const { everyMs, firstMs, size, spreadMs } = this.spec;
    const fromMs = firstMs + this.burst * everyMs;
    if (this.curve.isSilentFrom(fromMs)) return false;
    this.burst++;
    const count = Math.round(size * this.curve.rateAt(fromMs));
    const times = Float64Array.from({ length: count }, () => fromMs + this.rng.next() * spreadMs);
    this.times = times.sort();
    this.taken = 0;
    return true;
  }
}

/** As recorded. */
class Recorded implements ArrivalProcess {
  private readonly recordedMs: Float64Array;
  private taken: number;

  constructor(recordedMs: Float64Array) {
    this.recordedMs = recordedMs;
    this.taken = 0;
  }

  drawInto(times: Float64Array): void {
    for (let i = 0; i < times.length; i++) {
      times[i] = this.taken < this.recordedMs.length ? this.recordedMs[this.taken++] : Infinity;
    }
  }
}
