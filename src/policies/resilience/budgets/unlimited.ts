/** No budget: every retry is granted.
 *
 *  The yardstick for the others, and right where few requests are retried at most once. It fails when everything fails: with N
 *  retries the load becomes N + 1 times what it was, at the moment it can least be borne. */
import { defineRetryBudget, type RetryBudget } from './retry-budget.ts';

/** Grants everything; the balance is Finagle's for its infinite budget, a number for the eye. Without state, so one serves
 *  all. */
export const infiniteBudget: RetryBudget = {
  onRequest: () => {},
  onSuccess: () => {},
  onFailure: () => {},
  tryWithdraw: () => true,
  onRetryEnd: () => {},
  balance: () => 100,
};

export const unlimitedBudget = defineRetryBudget({
  name: 'unlimited',
  summary: 'Grants every retry.',
  useWhen: 'As a yardstick, or where something else bounds the load.',
  failsWhen: 'Everything fails: N retries make the load N + 1 times what it was.',
  cost: 'O(1)',
  sources: ['twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/service/RetryBudget.scala, Infinite'],
  aliases: [
    { system: 'Finagle', name: 'RetryBudget.Infinite' },
    { system: 'literature', name: 'no-budget' },
  ],
  params: {},
  create: () => infiniteBudget,
});
