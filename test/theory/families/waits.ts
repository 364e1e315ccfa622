/** Waits between retries, without a cluster around them: their sum, and clients that contend for one row. */
import { Streams } from '../../../src/core/streams.ts';
import { type Backoff, BackoffRun, retryPolicies } from '../../../src/policies/resilience/retries/index.ts';
import { type Case, numberOf, textOf } from '../cases.ts';
import type { Observation } from '../judgement.ts';
import { meanOf, standardError, varianceOver } from '../readers.ts';
import type { Adapter, Adapters, Effort } from '../trial.ts';
import { type Contention, contend } from './contention.ts';

const BLOCKS = 50;
const PER_BLOCK = 4000;

/** A wait of a request that never succeeds ends in no metric, so the module is asked itself. */
const sums: Adapter = (each, { seed }) => [{ answers: async () => sumsOf(each, seed) }];

function sumsOf({ id, params }: Case, seed: string): Record<string, Observation> {
  const [base, cap, attempts] = ['base_ms', 'cap_ms', 'attempts'].map((key) => numberOf(params, key));
  const blocksOf = (policy: string, blocks = BLOCKS, size = PER_BLOCK): readonly (readonly number[])[] => {
    const rng = new Streams(`${seed} ${id}`).stream(policy);
    const backoff = retryPolicies[policy].make({ base, cap }, { rng });
    const sum = (): number => {
      const run = new BackoffRun(() => backoff, base);
      let total = 0;
      for (let k = 0; k < attempts; k++) total += run.nextMs();
      return total;
    };
    return Array.from({ length: blocks }, () => Array.from({ length: size }, sum));
  };
  const over = (blocks: readonly (readonly number[])[], statistic: (values: readonly number[]) => number): Observation => ({
    value: meanOf(blocks.map(statistic)),
    se: standardError(blocks.map(statistic)),
    replications: blocks.length,
  });
  const full = blocksOf('full-jitter');
  return {
    sum_no_jitter: { value: blocksOf('exponential', 1, 1)[0][0] },
    mean_sum_full_jitter: over(full, meanOf),
    mean_sum_equal_jitter: over(blocksOf('equal-jitter'), meanOf),
    var_sum_full_jitter: over(full, varianceOver),
  };
}

const TRIALS = 400;
/** AWS's names. */
const algorithms: Readonly<Record<string, string>> = {
  expo: 'exponential',
  full: 'full-jitter',
  equal: 'equal-jitter',
  decorr: 'decorrelated-jitter',
};

const contention: Adapter = (each, effort) => {
  const algorithm = textOf(each.params, 'algorithm');
  if (algorithm !== 'none' && algorithms[algorithm] === undefined) return [];
  return [{ answers: async () => contentionOf(each, algorithm, effort) }];
};

function contentionOf({ id, params }: Case, algorithm: string, { seed }: Effort): Record<string, Observation> {
  const [clients, base, cap] = ['clients', 'base_ms', 'cap_ms'].map((key) => numberOf(params, key));
  const streams = new Streams(`${seed} ${id}`);
  const backoff = (): Backoff =>
    algorithm === 'none'
      ? { delayMs: () => 0 }
      : retryPolicies[algorithms[algorithm]].make({ base, cap }, { rng: streams.stream('backoff') });
  const shared = backoff();
  const network = streams.stream('network');
  const trials: readonly Contention[] = Array.from({ length: TRIALS }, () => contend(clients, shared, base, network));
  const over = (pick: (trial: Contention) => number): Observation => {
    const values = trials.map(pick);
    return { value: meanOf(values), se: standardError(values), replications: values.length };
  };
  return { completion_ms: over(({ completionMs }) => completionMs), write_calls: over(({ writes }) => writes) };
}

export const waits: Adapters = { backoff: sums, 'AWS backoff OCC contention': contention };
