/** What requests took at an instance, by how many others were there when they came: the memory behind a probe's answer.
 *
 *  A few of the latest per number in flight, because an instance that was overrun must not be judged by that for ever: when it has
 *  drained, what it took at low load long ago says more of the next request than what it took at high load just now. One memory of the
 *  latest requests instead let a herd avoid drained instances for good, with ten times the mean latency at 85 % load. */
import type { Ms } from '../core/time.ts';

/** Numbers in flight told apart; larger ones count as the last. */
const LEVELS = 64;
/** Requests remembered per level, and consulted per estimate. */
const PER_LEVEL = 5;

export class LatencyByLoad {
  private readonly latencyMs: Float64Array;
  /** Requests seen, by instance and level. */
  private readonly seen: Int32Array;
  private readonly consulted: Float64Array;

  constructor(instances: number) {
    this.latencyMs = new Float64Array(instances * LEVELS * PER_LEVEL);
    this.seen = new Int32Array(instances * LEVELS);
    this.consulted = new Float64Array(PER_LEVEL);
  }

  add(instance: number, inFlight: number, latencyMs: Ms): void {
    const cell = instance * LEVELS + Math.min(LEVELS - 1, inFlight);
    this.latencyMs[cell * PER_LEVEL + (this.seen[cell]++ % PER_LEVEL)] = latencyMs;
  }

  /** Median over the levels nearest to `inFlight` that have been seen, the higher of two equally near ones first; 0 before the first. */
  estimate(instance: number, inFlight: number): Ms {
    const level = Math.min(LEVELS - 1, inFlight);
    let count = this.consult(instance, level, 0);
    for (let away = 1; away < LEVELS && count < PER_LEVEL; away++) {
      if (level + away < LEVELS) count = this.consult(instance, level + away, count);
      if (level - away >= 0) count = this.consult(instance, level - away, count);
    }
    return count === 0 ? 0 : lowerMedian(this.consulted, count);
  }

  /** Copies what is remembered of the level, as long as there is room; returns how many are consulted by then. */
  private consult(instance: number, level: number, from: number): number {
    const cell = instance * LEVELS + level;
    const known = Math.min(PER_LEVEL, this.seen[cell]);
    let count = from;
    for (let i = 0; i < known && count < PER_LEVEL; i++) this.consulted[count++] = this.latencyMs[cell * PER_LEVEL + i];
    return count;
  }
}

/** Of the first `count` values, which it sorts in place: the middle one, the lower of two. */
function lowerMedian(values: Float64Array, count: number): number {
  for (let i = 1; i < count; i++) {
    const value = values[i];
    let j = i;
    for (; j > 0 && values[j - 1] > value; j--) values[j] = values[j - 1];
    values[j] = value;
  }
  return values[(count - 1) >>> 1];
}
