/** What is rolled out, as controllers see it: one service, as releases or as configuration. Deciding is theirs; what there is, and what becomes
 *  of a decision, is said and done here. */
import type { RolloutRequest } from '../../policies/rollout/rollout-controller.ts';
import type { RolloutAction, RolloutObservation } from '../../policies/rollout/strategies/rollout.ts';
import type { RolloutKind } from '../../stats/result.ts';

export interface ChangeSubject {
  /** Index into `services`. */
  readonly service: number;
  readonly kind: RolloutKind;
  /** What is wanted now: undefined before the first change is due. */
  request(): RolloutRequest | undefined;
  /** As of now. */
  observe(): RolloutObservation;
  /** Carries one action out; phase actions are told to the record. The same action may come again. `turn` is that of the request that it is
   *  about; another may have been asked for since. */
  carryOut(action: RolloutAction, turn: number | undefined): void;
}
