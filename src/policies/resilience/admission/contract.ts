/** What every admission policy owes its driver, as checks that can be run on one: built-in or brought along. Each rule returns the
 *  violations it found, in words; none is good. The driver here is a small server with a queue. That nothing allocates is checked by the
 *  tests, since it takes a look at the heap. */
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { Xoshiro128 } from '../../../core/xoshiro.ts';
import {
  type Admission,
  type AdmissionDeps,
  type AdmissionRequest,
  type AdmissionResult,
  admissionResults,
} from './admission.ts';

export type MakeAdmission = (deps: AdmissionDeps) => Admission;

export interface AdmissionRule {
  /** A sentence that the policy should make true. */
  readonly name: string;
  check(make: MakeAdmission): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkAdmission = (make: MakeAdmission): readonly string[] =>
  admissionRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const admissionRules: readonly AdmissionRule[] = [
  {
    name: 'admits the first request',
    check: (make) => {
      const trial = new AdmissionTrial(make, 1);
      return trial.arrive() ? [] : ['refused the first request although nothing was in flight'];
    },
  },
  {
    name: 'admits requests that come one at a time, far apart, and go well',
    check: (make) => {
      const trial = new AdmissionTrial(make, 2);
      let refused = 0;
      for (let i = 0; i < 200; i++) {
        trial.nowMs += 1000;
        if (!trial.arrive()) refused++;
        trial.end(admissionResults.ok, 10);
      }
      return trial.violations.concat(refused === 0 ? [] : [`refused ${refused} of 200`]);
    },
  },
  {
    name: 'keeps the requests of one class in flight within the limit it states',
    check: (make) => {
      const trial = new AdmissionTrial(make, 3);
      trial.isOneClass = true;
      const violations: string[] = [];
      for (let burst = 0; burst < 30; burst++) {
        for (let i = 0; i < 2000 && trial.arrive(); i++) {
          if (trial.inFlight > trial.admission.limit()) {
            violations.push(`admitted request ${trial.inFlight} with a limit of ${trial.admission.limit()}`);
          }
        }
        while (trial.inFlight > 0) trial.end(admissionResults.ok, 20);
      }
      return violations.slice(0, 3).concat(trial.violations);
    },
  },
  {
    name: 'states a limit that is a number from 0, or Infinity, through whatever happens',
    check: (make) =>
      [4, 5, 6].flatMap((seed) => {
        const trial = new AdmissionTrial(make, seed);
        for (let i = 0; i < 3000; i++) trial.step();
        return trial.violations.slice(0, 3);
      }),
  },
  {
    name: 'admits again once an overload is over',
    check: (make) => {
      const trial = new AdmissionTrial(make, 7);
      for (let i = 0; i < 1000; i++) {
        trial.nowMs += 1;
        if (!trial.arrive() || trial.inFlight > 40) trial.end(admissionResults.dropped, 2000);
      }
      while (trial.inFlight > 0) trial.end(admissionResults.dropped, 2000);
      let admitted = 0;
      for (let i = 0; i < RECOVERY_REQUESTS; i++) {
        trial.nowMs += 300;
        if (!trial.arrive()) continue;
        if (i >= RECOVERY_REQUESTS - 100) admitted++;
        trial.end(admissionResults.ok, 10);
      }
      return admitted >= 90 ? trial.violations : [`still refused ${100 - admitted} of 100 requests an hour after the overload`];
    },
  },
  {
    name: 'survives that none of what it admitted was carried out',
    check: (make) => {
      const trial = new AdmissionTrial(make, 8);
      for (let i = 0; i < 500; i++) {
        trial.nowMs += 1;
        if (trial.arrive()) trial.end(admissionResults.ignored, 0);
      }
      trial.nowMs += 60_000;
      return trial.arrive() ? trial.violations : ['refuses requests because others were not carried out'];
    },
  },
  {
    name: 'does not write into the request it is asked about',
    check: (make) => {
      const trial = new AdmissionTrial(make, 9);
      for (let i = 0; i < 500; i++) trial.step();
      return trial.violations.slice(0, 3);
    },
  },
  {
    name: 'repeats its decisions for the same seed and history, also beside another instance',
    check: (make) => {
      const one = new AdmissionTrial(make, 10);
      const other = new AdmissionTrial(make, 10);
      for (let i = 0; i < 1500; i++) {
        one.step();
        other.step();
      }
      const at = one.decisions.findIndex((decision, i) => decision !== other.decisions[i]);
      return at === -1 ? [] : [`two instances with the same seed and history differ in decision ${at}`];
    },
  },
];

/** A driver that keeps the count of what is in flight, and notes what the policy does wrong on the way. */
export class AdmissionTrial {
  readonly admission: Admission;
  readonly violations: string[] = [];
  readonly decisions: string[] = [];
  isOneClass = false;
  nowMs: Ms = 1000;
  readonly #world: Rng;
  /** Of the requests in flight, oldest first: in flight at admission, when that was, class. */
  readonly #inFlight: { readonly inFlight: number; readonly sinceMs: Ms; readonly partition: number }[] = [];
  readonly #request: AdmissionRequest = { nowMs: 0, priority: 0, inFlight: 0, queued: 0, user: 0, partition: 0 };

  constructor(make: MakeAdmission, seed: number) {
    this.#world = new Xoshiro128(seed, 0x9e3779b9, 0x243f6a88, 0xb7e15162);
    this.admission = make({ rng: new Xoshiro128(seed, 0x452821e6, 0x38d01377, 0xbe5466cf) });
  }

  get inFlight(): number {
    return this.#inFlight.length;
  }

  /** Whether a request that comes now is admitted. */
  arrive(): boolean {
    const request = this.#request;
    request.nowMs = this.nowMs;
    request.inFlight = this.inFlight;
    request.queued = Math.max(0, this.inFlight - SLOTS);
    if (!this.isOneClass) {
      request.priority = this.#world.below(4);
      request.user = this.#world.below(3) === 0 ? 0 : this.#world.uint32();
      request.partition = this.#world.below(3);
    }
    const before = JSON.stringify(request);
    const isAdmitted = this.admission.admit(request);
    if (JSON.stringify(request) !== before) this.violations.push('changed the request it was asked about');
    this.#note(isAdmitted ? 'in' : 'out');
    if (isAdmitted) {
      this.#inFlight.push({ inFlight: this.inFlight + 1, sinceMs: this.nowMs, partition: request.partition });
      if (request.queued === 0) this.admission.onStart?.(0, this.nowMs);
      else if (this.#world.below(2) === 0) this.admission.onStart?.(this.#world.next() * 50, this.nowMs);
    }
    return isAdmitted;
  }

  /** The oldest request ends, at least so long after it came. */
  end(result: AdmissionResult, atLeastMs: Ms): void {
    const oldest = this.#inFlight.shift();
    if (oldest === undefined) return;
    this.nowMs = Math.max(this.nowMs, oldest.sinceMs + atLeastMs);
    this.admission.onEnd(result, this.nowMs - oldest.sinceMs, oldest.inFlight, this.nowMs, oldest.partition);
    this.#note('end');
  }

  /** Something or other happens. */
  step(): void {
    const draw = this.#world.below(100);
    if (draw < 55) this.arrive();
    else if (draw < 98)
      this.end(results[this.#world.below(results.length)], this.#world.below(3) === 0 ? 0 : this.#world.next() * 30);
    else this.nowMs += this.#world.next() * (draw === 98 ? 100 : 5000);
  }

  #note(what: string): void {
    const limit = this.admission.limit();
    this.decisions.push(`${what} ${limit}`);
    if (!(limit >= 0)) this.violations.push(`states a limit of ${limit}`);
  }
}

const SLOTS = 10;
/** An hour's; throttles that learn from a window of minutes need several to come back. */
const RECOVERY_REQUESTS = 12_000;
const results = [
  admissionResults.ok,
  admissionResults.ok,
  admissionResults.failed,
  admissionResults.dropped,
  admissionResults.ignored,
];
