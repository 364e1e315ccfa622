/** Partitioned limit: every class of requests is guaranteed a share of the limit, and what others do not use it may use as well.
 *
 *  Use it where one class (batch jobs, one tenant) must not crowd out another, while capacity shall not lie idle. It fails to be a limit
 *  in the strict sense: a class that comes late gets its share although the total is used up, so that in the worst case nearly twice the
 *  limit is in flight until the others' requests end. Shares are of requests, not of work: a class of slow requests gets more.
 *
 *  Netflix's AbstractPartitionedLimiter: below the limit everybody is admitted; at the limit, who is below ⌈limit · share⌉, at
 *  least 1. A request of no known class is admitted below the limit only. There, the limit is Vegas unless set. */
import { InputError } from '../../../core/errors.ts';
import { string } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { type AdmissionRequest, type AdmissionResult, defineAdmission } from './admission.ts';
import { chosenLimit, chosenLimitParams } from './parts/chosen-limit.ts';
import type { ConcurrencyLimit } from './parts/concurrency-limit.ts';
import { LimitedAdmission } from './parts/limited-admission.ts';
import { shareList } from './parts/share-list.ts';

export const partitioned = defineAdmission({
  name: 'partitioned',
  summary: 'Guarantees each class of requests a share of an adaptive limit and lends out what is idle (Netflix).',
  useWhen: 'Several classes of requests share a server and none may crowd out the others.',
  failsWhen: 'The total must not be exceeded: late classes get their shares on top, up to nearly twice the limit.',
  cost: 'O(1)',
  sources: [
    'Netflix/concurrency-limits: concurrency-limits-core/src/main/java/com/netflix/concurrency/limits/limiter/AbstractPartitionedLimiter.java',
  ],
  aliases: [{ system: 'Netflix', name: 'AbstractPartitionedLimiter' }],
  params: {
    partitions: string({
      default: '0.9, 0.1',
      about: 'The guaranteed shares of the classes, in their order; together 1 at most.',
      official: 'Netflix partition(name, percent); its documentation has live 0.9 and batch 0.1',
    }),
    ...chosenLimitParams,
  },
  create: (params, deps) => new PartitionedAdmission(partitionShares(params.partitions), chosenLimit(params, deps.rng)),
});

/** Requests in flight that a class is guaranteed. */
export const partitionLimit = (limit: number, share: number): number => Math.max(1, Math.ceil(limit * share));

function partitionShares(text: string): readonly number[] {
  const shares = shareList('partitions', text);
  const sum = shares.reduce((total, share) => total + share, 0);
  // Decimal fractions that make 1 on paper may miss it by their rounding.
  if (sum > 1 + 1e-9) throw InputError.of('share-list', `partitions: together ${sum}, which is more than 1`);
  return shares;
}

class PartitionedAdmission extends LimitedAdmission {
  readonly #shares: readonly number[];
  readonly #busy: Int32Array;

  constructor(shares: readonly number[], limit: ConcurrencyLimit) {
    super(limit);
    this.#shares = shares;
    this.#busy = new Int32Array(shares.length);
  }

  override admit(request: AdmissionRequest): boolean {
    const { partition } = request;
    const isKnown = partition < this.#busy.length;
    if (!super.admit(request)) {
      if (!isKnown || this.#busy[partition] >= partitionLimit(this.limit(), this.#shares[partition])) return false;
    }
    if (isKnown) this.#busy[partition]++;
    return true;
  }

  override onEnd(result: AdmissionResult, rttMs: Ms, inFlight: number, nowMs: Ms, partition: number): void {
    if (partition < this.#busy.length) this.#busy[partition]--;
    super.onEnd(result, rttMs, inFlight, nowMs, partition);
  }
}
