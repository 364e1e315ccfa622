/** How many requests per second a stream sends in a stretch of the run, before anything answers. */
import { RateCurve } from '../cluster/rate-curve.ts';
import type { Ms } from '../core/time.ts';
import type { ArrivalSpec, TrafficSpec } from '../scenario/spec.ts';
import { meanOf } from '../stats/moments.ts';

const MS_PER_SECOND = 1000;

/** `readings` points are read where the rate changes. `responseMs` is what an answer takes when nobody queues: users wait for it. */
export function meanRate({ arrivals, profile }: TrafficSpec, fromMs: Ms, toMs: Ms, readings: number, responseMs: Ms): number {
  switch (arrivals.type) {
    case 'users':
      return (arrivals.users * MS_PER_SECOND) / (pauseMs(arrivals) + responseMs);
    case 'bursts': {
      const before = (ms: Ms): number => Math.max(0, Math.ceil((ms - arrivals.firstMs) / arrivals.everyMs));
      return ((before(toMs) - before(fromMs)) * arrivals.size * MS_PER_SECOND) / (toMs - fromMs);
    }
    case 'replay': {
      const { timesMs } = arrivals.data;
      return ((countBefore(timesMs, toMs) - countBefore(timesMs, fromMs)) * MS_PER_SECOND) / (toMs - fromMs);
    }
    default: {
      const curve = new RateCurve(profile, averagePerSecond(arrivals));
      let sum = 0;
      for (let i = 0; i < readings; i++) sum += curve.rateAt(fromMs + ((toMs - fromMs) * (i + 0.5)) / readings);
      return sum / readings;
    }
  }
}

/** Of a user between two requests: the think time, or once per session the gap. */
function pauseMs({ think, gap, requests }: Extract<ArrivalSpec, { type: 'users' }>): Ms {
  return meanOf(think) * (1 - 1 / requests) + meanOf(gap) / requests;
}

function averagePerSecond(arrivals: Exclude<ArrivalSpec, { type: 'users' | 'bursts' | 'replay' }>): number {
  if (arrivals.type !== 'mmpp') return arrivals.perSecond;
  const total = arrivals.states.reduce((sum, state) => sum + state.meanMs, 0);
  return arrivals.states.reduce((sum, state) => sum + (state.perSecond * state.meanMs) / total, 0);
}

/** How many of the rising times are earlier. */
function countBefore(timesMs: Float64Array, ms: Ms): number {
  let low = 0;
  let high = timesMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timesMs[middle] < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}
