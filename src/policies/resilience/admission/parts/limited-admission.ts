/** The door of a concurrency limit: in as long as fewer are in flight. Netflix's SimpleLimiter: errors that say nothing about load, and
 *  requests that were not carried out, are no samples. */
import type { Ms } from '../../../../core/time.ts';
import { type Admission, type AdmissionRequest, type AdmissionResult, admissionResults } from '../admission.ts';
import type { ConcurrencyLimit } from './concurrency-limit.ts';

export class LimitedAdmission implements Admission {
  protected readonly inner: ConcurrencyLimit;

  constructor(limit: ConcurrencyLimit) {
    this.inner = limit;
  }

  admit(request: AdmissionRequest): boolean {
    return request.inFlight < this.inner.limit();
  }

  onEnd(result: AdmissionResult, rttMs: Ms, inFlight: number, nowMs: Ms, _partition: number): void {
    const dropped = result === admissionResults.dropped;
    // A time of zero says that nothing was done, and would be taken for the fastest answer ever.
    if ((dropped || result === admissionResults.ok) && rttMs > 0) this.inner.onSample(rttMs, inFlight, dropped, nowMs);
  }

  limit(): number {
    return this.inner.limit();
  }
}
