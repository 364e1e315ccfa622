/** Every admission policy against the contract, and the contract against policies that break it. */
import { describe, expect, it } from 'vitest';
import { type Admission, type AdmissionRequest, admissionResults } from '../../../src/policies/resilience/admission/admission.ts';
import { admissionRules, checkAdmission } from '../../../src/policies/resilience/admission/contract.ts';
import { admissions } from '../../../src/policies/resilience/admission/index.ts';
import { heapGrowth } from '../../contracts/heap.ts';

describe.each(Object.values(admissions))('$name keeps the contract of admission policies: it', (definition) => {
  it.each(admissionRules)('$name', (rule) => {
    expect(rule.check((deps) => definition.make({}, deps))).toEqual([]);
  });

  it('allocates nothing per request', () => {
    const policy = definition.make({}, { rng: smallIntegers() });
    const request: AdmissionRequest = { nowMs: 0, priority: 0, inFlight: 0, queued: 0, user: 0, partition: 0 };
    const run = (): number => {
      let admitted = 0;
      for (let i = 0; i < REQUESTS; i++) {
        request.nowMs++;
        request.inFlight = i & 15;
        request.priority = i & 3;
        request.user = i & 1023;
        if (!policy.admit(request)) continue;
        admitted++;
        policy.onStart?.(i & 7, request.nowMs);
        policy.onEnd(
          i % 50 === 0 ? admissionResults.dropped : admissionResults.ok,
          1 + (i & 7),
          request.inFlight + 1,
          request.nowMs,
          0,
        );
      }
      return admitted;
    };
    // One allocation of the smallest object per request would be 16 bytes each; half of that leaves room for the engine's own.
    const allowed = 8 * REQUESTS;
    expect(heapGrowth(run, allowed)).toBeLessThan(allowed);
  });
});

describe('the contract', () => {
  it('finds nothing wrong with an honest policy', () => {
    expect(checkAdmission(() => new Honest())).toEqual([]);
  });

  it('notices a policy that never admits', () => {
    expect(violations({ admit: () => false })).toContainEqual(expect.stringContaining('refused the first request'));
  });

  it('notices a policy that admits beyond the limit it states', () => {
    expect(violations({ admit: () => true })).toContainEqual(expect.stringContaining('with a limit of 10'));
  });

  it('notices a limit that is not a number', () => {
    expect(violations({ limit: () => NaN })).toContainEqual(expect.stringContaining('states a limit of NaN'));
  });

  it('notices a policy that bears a grudge for dropped requests', () => {
    class Grudge extends Honest {
      dropped = 0;
      override admit(request: AdmissionRequest): boolean {
        return this.dropped < 100 && super.admit(request);
      }
      override onEnd(result: number): void {
        if (result === admissionResults.dropped) this.dropped++;
      }
    }
    expect(checkAdmission(() => new Grudge())).toContainEqual(expect.stringContaining('an hour after the overload'));
  });

  it('notices a policy that takes what was not carried out for overload', () => {
    class Nervous extends Honest {
      ignored = 0;
      override admit(request: AdmissionRequest): boolean {
        return this.ignored < 50 && super.admit(request);
      }
      override onEnd(result: number): void {
        if (result === admissionResults.ignored) this.ignored++;
      }
    }
    expect(checkAdmission(() => new Nervous())).toContainEqual(expect.stringContaining('were not carried out'));
  });

  it('notices a policy that writes into the request', () => {
    const admit = (request: AdmissionRequest): boolean => request.inFlight++ < 10;
    expect(violations({ admit })).toContainEqual(expect.stringContaining('changed the request'));
  });

  it('notices state shared between instances', () => {
    let asked = 0;
    const admit = (request: AdmissionRequest): boolean => request.inFlight < (asked++ % 7 === 0 ? 1 : 10);
    expect(violations({ admit })).toContainEqual(expect.stringContaining('two instances with the same seed'));
  });
});

/** A limit of 10, to be spoilt in one way each. */
class Honest implements Admission {
  admit(request: AdmissionRequest): boolean {
    return request.inFlight < 10;
  }
  onEnd(_result: number): void {}
  limit(): number {
    return 10;
  }
}

const violations = (spoilt: Partial<Admission>): readonly string[] => checkAdmission(() => Object.assign(new Honest(), spoilt));

const REQUESTS = 30_000;

/** Draws that the engine never has to box, so that only the policy's own allocations show. */
function smallIntegers() {
  let state = 1;
  const draw = (): number => {
    state = (Math.imul(state, 0x343fd) + 0x269ec3) & 0x3fffffff;
    return state >>> 8;
  };
  return { uint32: draw, below: (n: number) => draw() % n, next: () => draw() / 0x400000 };
}
