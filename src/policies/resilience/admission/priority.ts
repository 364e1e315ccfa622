/** Shedding by priority: each class may fill the limit up to its own mark, so that the less important are refused first.
 *
 *  Use it where requests carry a criticality (Google's CRITICAL_PLUS, CRITICAL, SHEDDABLE_PLUS, SHEDDABLE; a page view over a prefetch):
 *  while others are shed, the most important class still finds room. It fails where nearly all traffic claims to be critical, and where
 *  the most important class alone is more than the server can do: within a class it refuses whoever comes. Marks below the
 *  first leave capacity idle while only sheddable requests come.
 *
 *  The limit is adaptive or fixed. Health checks belong in class 0 or must not pass this door: a health check that is shed turns
 *  overload into a loss of capacity. */
import { InputError } from '../../../core/errors.ts';
import { string } from '../../../core/params.ts';
import { type AdmissionRequest, defineAdmission } from './admission.ts';
import { chosenLimit, chosenLimitParams } from './parts/chosen-limit.ts';
import type { ConcurrencyLimit } from './parts/concurrency-limit.ts';
import { LimitedAdmission } from './parts/limited-admission.ts';
import { shareList } from './parts/share-list.ts';

export const priorityAdmission = defineAdmission({
  name: 'priority',
  summary: 'Sheds the least important classes first: each may fill an adaptive limit up to its own mark.',
  useWhen: 'Requests carry a criticality, and in overload the important ones must get through.',
  failsWhen: 'Everything claims to be critical, or the first class alone is too much.',
  cost: 'O(1)',
  sources: [
    'Beyer and others: Site Reliability Engineering (2016), chapter 21, Criticality',
    'Yanacek: Using load shedding to avoid overload (Amazon Builders’ Library)',
  ],
  aliases: [
    { system: 'Google', name: 'criticality' },
    { system: 'literature', name: 'prioritized-load-shedding' },
  ],
  params: {
    shares: string({
      default: '1, 0.9, 0.75, 0.5',
      about:
        'Up to which share of the limit each priority is admitted, from priority 0 on and not rising; the last is for all beyond.',
    }),
    ...chosenLimitParams,
  },
  create: (params, deps) => new PriorityAdmission(priorityShares(params.shares), chosenLimit(params, deps.rng)),
});

/** Requests in flight, of all classes, below which a class with this share is admitted. */
export const priorityLimit = (limit: number, share: number): number => Math.ceil(limit * share);

function priorityShares(text: string): readonly number[] {
  const shares = shareList('shares', text);
  const rising = shares.findIndex((share, i) => i > 0 && share > shares[i - 1]);
  if (rising !== -1) {
    throw InputError.of(
      'share-list',
      `shares: ${shares[rising]} comes after ${shares[rising - 1]}, but a lower priority cannot get more`,
    );
  }
  return shares;
}

class PriorityAdmission extends LimitedAdmission {
  readonly #shares: readonly number[];

  constructor(shares: readonly number[], limit: ConcurrencyLimit) {
    super(limit);
    this.#shares = shares;
  }

  override admit(request: AdmissionRequest): boolean {
    const share = this.#shares[Math.min(request.priority, this.#shares.length - 1)];
    return request.inFlight < priorityLimit(this.limit(), share);
  }
}
