/** Policies that do what a test says and keep books on what they were told. */
import type { Ms } from '../../../src/core/time.ts';
import type { Admission, AdmissionRequest } from '../../../src/policies/resilience/admission/admission.ts';
import { admissionResults } from '../../../src/policies/resilience/admission/admission.ts';
import { type Breaker, breakerStates, NO_PERMIT } from '../../../src/policies/resilience/breakers/breaker.ts';
import type { RetryBudget } from '../../../src/policies/resilience/budgets/retry-budget.ts';
import type { Hedge } from '../../../src/policies/resilience/hedging/hedge.ts';
import type { Retriable, RetryPolicy } from '../../../src/policies/resilience/retries/retry.ts';

/** Waits these times, in turn, and is then at an end. */
export function retrying(
  waitsMs: readonly Ms[],
  on: readonly Retriable[] = ['error', 'timeout', 'refused', 'lost'],
): RetryPolicy & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    retries: waitsMs.length,
    on,
    hostSelectionRetries: 5,
    delayMs: (retry, previousMs, waitedMs) => {
      asked.push(`${retry} after ${previousMs}, ${waitedMs} in all`);
      return waitsMs[retry - 1];
    },
  };
}

export class BookkeepingBudget implements RetryBudget {
  readonly log: string[] = [];
  /** Granted and not yet ended. */
  open = 0;
  private readonly grants: () => boolean;

  constructor(grants: () => boolean = () => true) {
    this.grants = grants;
  }
  onRequest(_nowMs: Ms, active: number): void {
    this.log.push(`request, ${active} active`);
  }
  onSuccess(): void {
    this.log.push('success');
  }
  onFailure(): void {
    this.log.push('failure');
  }
  tryWithdraw(_nowMs: Ms, active: number): boolean {
    const isGranted = this.grants();
    this.log.push(`${isGranted ? 'granted' : 'denied'}, ${active} active`);
    if (isGranted) this.open++;
    return isGranted;
  }
  onRetryEnd(): void {
    this.log.push('retry over');
    this.open--;
  }
  balance(): number {
    return Infinity;
  }
}

export class BookkeepingBreaker implements Breaker {
  readonly log: string[] = [];
  readonly open = new Set<number>();
  readonly mistakes: string[] = [];
  private readonly lets: () => boolean;
  private next = 0;

  constructor(lets: () => boolean = () => true) {
    this.lets = lets;
  }
  acquire(): number {
    if (!this.lets()) {
      this.log.push('no permit');
      return NO_PERMIT;
    }
    const permit = this.next++;
    this.open.add(permit);
    this.log.push(`permit ${permit}`);
    return permit;
  }
  settle(permit: number, isGood: boolean, durationMs: Ms): void {
    this.end(permit);
    this.log.push(`${permit} ${isGood ? 'good' : 'bad'} after ${durationMs}`);
  }
  release(permit: number): void {
    this.end(permit);
    this.log.push(`${permit} released`);
  }
  state(): typeof breakerStates.closed {
    return breakerStates.closed;
  }
  retryAtMs(): Ms {
    return Infinity;
  }
  private end(permit: number): void {
    if (!this.open.delete(permit)) this.mistakes.push(`permit ${permit} ended twice, or never was`);
  }
}

export class BookkeepingAdmission implements Admission {
  readonly log: string[] = [];
  open = 0;
  private readonly admits: () => boolean;

  constructor(admits: () => boolean = () => true) {
    this.admits = admits;
  }
  admit({ priority, partition, user, inFlight }: AdmissionRequest): boolean {
    const isAdmitted = this.admits();
    this.log.push(`${isAdmitted ? 'admitted' : 'turned away'} ${priority}/${partition}/${user} beside ${inFlight}`);
    if (isAdmitted) this.open++;
    return isAdmitted;
  }
  onEnd(result: number, rttMs: Ms, inFlight: number, _nowMs: Ms, partition: number): void {
    const name = Object.entries(admissionResults).find(([, value]) => value === result)![0];
    this.log.push(`${name} after ${rttMs}, one of ${inFlight}, class ${partition}`);
    this.open--;
  }
  limit(): number {
    return Infinity;
  }
}

/** A hedge every `delayMs` until `most` attempts are out. */
export class BookkeepingHedge implements Hedge {
  readonly log: string[] = [];
  readonly onFailure: boolean;
  private readonly waitMs: Ms;
  private readonly most: number;
  private readonly allows: () => boolean;

  constructor(
    waitMs: Ms,
    { most = 2, onFailure = false, allows = () => true }: { most?: number; onFailure?: boolean; allows?: () => boolean } = {},
  ) {
    this.waitMs = waitMs;
    this.most = most;
    this.onFailure = onFailure;
    this.allows = allows;
  }
  onRequest(): void {
    this.log.push('request');
  }
  onLatency(latencyMs: Ms): void {
    this.log.push(`latency ${latencyMs}`);
  }
  delayMs(sent: number): Ms {
    return sent < this.most ? this.waitMs : Infinity;
  }
  tryHedge(): boolean {
    const isAllowed = this.allows();
    this.log.push(isAllowed ? 'hedge' : 'no hedge');
    return isAllowed;
  }
}
