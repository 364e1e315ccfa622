/** A/A: the baseline against itself on independent streams, many times over. Every `better` or `worse` is a false alarm, so the rate shows
 *  whether the verdicts keep their word on this very scenario. Trials use fresh seeds throughout; nothing is resampled. */
import { comparedMetrics } from '../core/metrics.ts';
import type { Scenario } from '../scenario/spec.ts';
import type { CellResult } from '../stats/result.ts';
import { wilson } from '../stats/wilson.ts';
import { collectVariants } from './collect.ts';
import { compareVariants } from './compare.ts';
import type { Progress } from './experiment.ts';
import { localExecutor } from './executors.ts';

export interface AaInput {
  readonly scenario: Scenario;
  readonly trials: number;
  readonly jobs: number;
  readonly signal?: AbortSignal;
  onProgress?(progress: Progress): void;
}

export interface AaResult {
  readonly policy: string;
  readonly trials: number;
  /** Seeds per side and trial. */
  readonly seeds: number;
  /** Single comparisons over all trials. */
  readonly comparisons: number;
  /** Trials in which any comparison alarmed: what Holm's correction bounds. */
  readonly falseAlarms: number;
  readonly rate: number;
  /** 95 % Wilson interval of the rate. */
  readonly low: number;
  readonly high: number;
  readonly nominal: number;
  readonly perMetric: readonly {
    readonly metric: string;
    readonly falseAlarms: number;
    readonly equivalent: number;
    readonly trials: number;
  }[];
  readonly complete: boolean;
}

const NOMINAL = 0.05;

export async function runAa(input: AaInput): Promise<AaResult> {
  const { scenario, trials } = input;
  // Alone it belongs to no sweep: at the same load its twin would be the baseline too.
  const { load: _, group: __, ...baseline } = scenario.variants[0];
  const twins: Scenario = { ...scenario, variants: [baseline, { ...baseline, label: `${baseline.label} again` }] };
  const perTrial = scenario.run.seeds.length;
  const seedOf = (trial: number, side: number, k: number): string => `${scenario.run.seed}:aa:${trial}:${side}:${k}`;
  const cells = Array.from({ length: trials }, (_, trial) => trial).flatMap((trial) =>
    Array.from({ length: perTrial }, (_, k) => k).flatMap((k) =>
      [0, 1].map((side) => ({ variant: side, seed: seedOf(trial, side, k) })),
    ),
  );
  const results = new Map<string, CellResult>();
  const { durationMs } = scenario.run;
  const options = input.signal === undefined ? {} : { signal: input.signal };
  await localExecutor(input.jobs).run(twins, cells, options, (result) => {
    results.set(result.seed, result);
    const done = results.size;
    input.onProgress?.({ done, total: cells.length, simulatedMs: done * durationMs, share: done / cells.length });
  });
  const alarms = new Map(comparedMetrics.map(({ name }) => [name, { compared: 0, falseAlarms: 0, equivalent: 0 }]));
  let finished = 0;
  let compared = 0;
  let falseAlarms = 0;
  for (let trial = 0; trial < trials; trial++) {
    const seeds = Array.from({ length: perTrial }, (_, k) => `${k}`);
    const own = [0, 1].flatMap((side) =>
      seeds.flatMap((_, k) => {
        const result = results.get(seedOf(trial, side, k));
        return result === undefined ? [] : [{ ...result, seed: seeds[k] }];
      }),
    );
    if (own.length < 2 * perTrial) continue;
    finished++;
    const comparisons = compareVariants(collectVariants(twins, seeds, own));
    compared += comparisons.length;
    const isAlarm = comparisons.some(({ verdict }) => verdict === 'better' || verdict === 'worse');
    if (isAlarm) falseAlarms++;
    for (const { metric, verdict } of comparisons) {
      const tally = alarms.get(metric);
      if (tally === undefined) continue;
      tally.compared++;
      if (verdict === 'better' || verdict === 'worse') tally.falseAlarms++;
      if (verdict === 'equivalent') tally.equivalent++;
    }
  }
  return {
    policy: baseline.label,
    trials: finished,
    seeds: perTrial,
    comparisons: compared,
    falseAlarms,
    rate: finished === 0 ? NaN : falseAlarms / finished,
    ...wilson(falseAlarms, finished),
    nominal: NOMINAL,
    perMetric: [...alarms].flatMap(([metric, { compared: times, falseAlarms: alarmsOf, equivalent }]) =>
      times === 0 ? [] : [{ metric, falseAlarms: alarmsOf, equivalent, trials: finished }],
    ),
    complete: finished === trials,
  };
}
