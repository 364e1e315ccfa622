/** A server of slots with a first-come queue behind a door, under an open stream of requests; written for the tests, sharing no code with
 *  the simulator. Because service is first come, first served, a request's end is known when it is let in. */
import { type Admission, type AdmissionRequest, admissionResults } from '../../../src/policies/resilience/admission/admission.ts';
import { testRng } from '../fixtures.ts';

export interface BedOptions {
  readonly slots: number;
  /** The mean; `spread` 0 makes every request take just that, 1 up to twice that, evenly distributed. */
  readonly serviceMs: number;
  readonly spread?: number;
  readonly arrivalsPerSecond: number;
  readonly requests: number;
  readonly seed: number;
  /** Longer times count as dropped. */
  readonly giveUpMs?: number;
}

export interface BedResult {
  /** Over the second half of the requests. */
  readonly meanLimit: number;
  readonly leastLimit: number;
  readonly greatestLimit: number;
  readonly meanRttMs: number;
  readonly servedPerSecond: number;
  readonly mostInFlight: number;
}

export function runBed(policy: Admission, options: BedOptions): BedResult {
  const { slots, serviceMs, spread = 0, arrivalsPerSecond, requests, seed, giveUpMs = Infinity } = options;
  const rng = testRng(seed);
  const freeMs = Array.from({ length: slots }, () => 0);
  /** When the requests that wait will begin, in that order; first come, first served. */
  const waiting: { readonly arrivedMs: number; readonly beginMs: number }[] = [];
  const inFlight: { readonly startMs: number; readonly endMs: number; readonly count: number }[] = [];
  const request: AdmissionRequest = { nowMs: 0, priority: 0, inFlight: 0, queued: 0, user: 0, partition: 0 };
  const seen = { limits: [] as number[], rttMs: [] as number[], mostInFlight: 0, fromMs: 0 };
  let nowMs = 0;
  for (let i = 0; i < requests; i++) {
    nowMs += (2 * rng.next() * 1000) / arrivalsPerSecond;
    const isMeasured = i >= requests / 2;
    if (i === Math.ceil(requests / 2)) seen.fromMs = nowMs;
    while (waiting.length > 0 && waiting[0].beginMs <= nowMs) {
      const { arrivedMs, beginMs } = waiting.shift()!;
      policy.onStart?.(beginMs - arrivedMs, beginMs);
    }
    for (let next = earliest(inFlight); next !== -1 && inFlight[next].endMs <= nowMs; next = earliest(inFlight)) {
      const { startMs, endMs, count } = inFlight.splice(next, 1)[0];
      const rttMs = endMs - startMs;
      policy.onEnd(rttMs > giveUpMs ? admissionResults.dropped : admissionResults.ok, rttMs, count, endMs, 0);
      if (isMeasured) seen.rttMs.push(rttMs);
    }
    request.nowMs = nowMs;
    request.inFlight = inFlight.length;
    request.queued = Math.max(0, inFlight.length - slots);
    const isAdmitted = policy.admit(request);
    if (isMeasured) seen.limits.push(policy.limit());
    if (!isAdmitted) continue;
    const slot = freeMs.indexOf(Math.min(...freeMs));
    const beginMs = Math.max(nowMs, freeMs[slot]);
    freeMs[slot] = beginMs + serviceMs * (1 + spread * (2 * rng.next() - 1));
    inFlight.push({ startMs: nowMs, endMs: freeMs[slot], count: inFlight.length + 1 });
    seen.mostInFlight = Math.max(seen.mostInFlight, inFlight.length);
    waiting.push({ arrivedMs: nowMs, beginMs });
  }
  return {
    meanLimit: mean(seen.limits),
    leastLimit: Math.min(...seen.limits),
    greatestLimit: Math.max(...seen.limits),
    meanRttMs: mean(seen.rttMs),
    servedPerSecond: (seen.rttMs.length * 1000) / (nowMs - seen.fromMs),
    mostInFlight: seen.mostInFlight,
  };
}

function earliest(inFlight: readonly { readonly endMs: number }[]): number {
  let best = -1;
  for (let i = 0; i < inFlight.length; i++) if (best === -1 || inFlight[i].endMs < inFlight[best].endMs) best = i;
  return best;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
