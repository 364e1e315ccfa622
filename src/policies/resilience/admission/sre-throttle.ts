/** Client-side adaptive throttling (Google SRE): a client that is refused a lot begins to refuse by itself, at random.
 *
 *  reject with probability max(0, (requests − k · accepts) / (requests + 1)), both over the last two minutes, where requests includes
 *  those rejected here.
 *
 *  Use it in clients of a server that can refuse but for which even refusing is work: what reaches it settles at k times what it accepts,
 *  so that at k = 2 each accepted request costs at most one refusal. It fails for clients with few requests, whose ratios are noise, and
 *  it chooses blindly what it refuses. After an outage it is slow: with nothing accepted in the window it sends about one request per
 *  window, and what it sends then grows k-fold per window, so that a client with 400 requests in two minutes needs a quarter of an hour.
 *
 *  Accepted is what got an answer, errors included; not accepted is what the server refused or did not answer in time. Requests that
 *  were not carried out are not counted. */
import { duration, number } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { type Admission, type AdmissionRequest, type AdmissionResult, admissionResults, defineAdmission } from './admission.ts';
import { RollingCounts } from './parts/rolling-counts.ts';

export const sreThrottle = defineAdmission({
  name: 'sre-throttle',
  summary: 'Refuses at random in the client what the server would likely refuse anyway (Google SRE).',
  useWhen: 'Many clients overload one server, and refusing costs the server nearly as much as serving.',
  failsWhen: 'Clients send few requests each, or recovery must be fast: after an outage it takes several windows.',
  cost: 'O(1)',
  sources: ['Beyer and others: Site Reliability Engineering (2016), chapter 21, Handling Overload'],
  aliases: [
    { system: 'Google', name: 'adaptive-throttling' },
    { system: 'literature', name: 'client-side-throttling' },
  ],
  params: {
    k: number({
      default: 2,
      min: 1,
      about: 'Requests that may go to the server per request it accepts; less reacts faster and saves it more.',
      official: 'Google K',
    }),
    window: duration({ default: 120_000, min: 1000, about: 'How far back requests and accepts are counted.' }),
  },
  create: ({ k, window }, deps) => new SreThrottle(k, window, deps.rng),
});

export const sreRejectProbability = (requests: number, accepts: number, k: number): number =>
  Math.max(0, (requests - k * accepts) / (requests + 1));

class SreThrottle implements Admission {
  readonly #k: number;
  readonly #counts: RollingCounts;
  readonly #rng: Rng;

  constructor(k: number, windowMs: Ms, rng: Rng) {
    this.#k = k;
    this.#counts = new RollingCounts(windowMs);
    this.#rng = rng;
  }

  admit(request: AdmissionRequest): boolean {
    this.#counts.advance(request.nowMs);
    // Requests taken back after their bucket had left can make the total negative for a while.
    const rejects = sreRejectProbability(Math.max(0, this.#counts.requests), this.#counts.good, this.#k);
    this.#counts.add(1, 0, request.nowMs);
    // A whole number of 24 bits never has to be boxed on its way here.
    return this.#rng.below(DRAWS) >= rejects * DRAWS;
  }

  onEnd(result: AdmissionResult, _rttMs: Ms, _inFlight: number, nowMs: Ms): void {
    if (result === admissionResults.ignored) this.#counts.add(-1, 0, nowMs);
    else if (result !== admissionResults.dropped) this.#counts.add(0, 1, nowMs);
  }

  limit(): number {
    return Infinity;
  }
}

const DRAWS = 0x100_0000;
