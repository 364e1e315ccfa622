/** The gate's promises, measured: 200 gates on a policy that is as good as before but draws other random numbers, and 200 on one that is
 *  5 % worse, each gate on fresh seeds of a real simulation.
 *
 *  Why this cannot flake: every seed is fixed, so the counts are constants; the bounds are the promises themselves (a false alarm in at
 *  most 5 % of gates, a 5 % worse policy passed in at most 5 % of them, found in at least 90 %) and not fitted to what came out. */
import { beforeAll, expect, test } from 'vitest';
import { GateJudge, type GateCheck } from '../../src/gate/judge.ts';
import { looksUpTo } from '../../src/gate/looks.ts';
import { CellRunner } from '../../src/lab/cell.ts';
import { estimate } from '../../src/stats/estimate.ts';
import type { Verdict } from '../../src/stats/result.ts';
import { own, scenarioOf, variantOf } from './builder.ts';

const GATES = 200;
const LOOKS = looksUpTo(20);
const names = ['Careful', 'Reshuffled', 'Careless'] as const;
const scenario = scenarioOf({
  instances: 6,
  work: { type: 'exponential', mean: 10 },
  arrivals: { type: 'poisson', perSecond: 300 },
  balancers: 1,
  durationMs: 3000,
  windowMs: 3000,
  variants: names.map((name) => variantOf(name, own('gate-policies.ts', name))),
});
const runner = new CellRunner(scenario);
const done = new Map<string, Readonly<Record<string, number>>>();

/** Cells are run when a gate first looks at them. */
async function metricsOf(variant: number, seed: string): Promise<Readonly<Record<string, number>>> {
  const key = `${variant} ${seed}`;
  let metrics = done.get(key);
  if (metrics === undefined) {
    ({ metrics } = await runner.run({ variant, seed }));
    done.set(key, metrics);
  }
  return metrics;
}

const margins = { 'latency.mean': 0.025, 'latency.p99': 0.15 };

interface Outcome {
  readonly verdicts: readonly Verdict[];
  readonly seeds: number;
}

async function gate(variant: number, which: number): Promise<Outcome> {
  const seedOf = (k: number): string => `gate ${which}:${k}`;
  const texts = Object.keys(margins) as (keyof typeof margins)[];
  const baseline: Record<string, number[]> = Object.fromEntries(texts.map((text) => [text, []]));
  const current: Record<string, number[]> = Object.fromEntries(texts.map((text) => [text, []]));
  let judge: GateJudge | undefined;
  let seeds = 0;
  for (const look of LOOKS) {
    for (; seeds < look.seeds; seeds++) {
      const [before, now] = [await metricsOf(0, seedOf(seeds)), await metricsOf(variant, seedOf(seeds))];
      for (const text of texts) {
        baseline[text].push(before[text]);
        current[text].push(now[text]);
      }
    }
    // The margin is a share of what the baseline had at the first look; a saved baseline has all its seeds from the beginning.
    judge ??= new GateJudge(
      texts.map((text): GateCheck => ({
        ...{ variant: 'it', text, metric: text, better: 'lower', baseline: baseline[text] },
        margin: { relative: margins[text] },
      })),
    );
    if (judge.look(({ text }) => current[text], look)) break;
  }
  return { verdicts: judge!.results(({ text }) => current[text], seeds).map(({ verdict }) => verdict), seeds };
}

const outcomes: Record<'same' | 'worse', Outcome[]> = { same: [], worse: [] };
beforeAll(async () => {
  for (let which = 0; which < GATES; which++) {
    outcomes.same.push(await gate(1, which));
    outcomes.worse.push(await gate(2, which));
  }
}, 240_000);

const share = (all: readonly Outcome[], test: (outcome: Outcome) => boolean): number => all.filter(test).length / all.length;
const failed = ({ verdicts }: Outcome): boolean => verdicts.includes('worse');
const passed = ({ verdicts }: Outcome): boolean => verdicts.every((verdict) => verdict === 'better' || verdict === 'equivalent');

test('the worse policy is 5 % worse, and the other one is not', () => {
  const means = names.map((_, variant) => {
    const values = [...done].filter(([key]) => key.startsWith(`${variant} `)).map(([, metrics]) => metrics['latency.mean']);
    return estimate(values).mean;
  });
  expect(means[1] / means[0]).toBeCloseTo(1, 2);
  expect(means[2] / means[0]).toBeGreaterThan(1.04);
  expect(means[2] / means[0]).toBeLessThan(1.06);
});

test('an unchanged policy is let pass: at most 5 % false alarms, and a decision in nine of ten gates', () => {
  expect(share(outcomes.same, failed)).toBeLessThanOrEqual(0.05);
  expect(share(outcomes.same, passed)).toBeGreaterThanOrEqual(0.9);
});

test('a 5 % worse policy is found in at least 90 % of the gates, and passes in at most 5 %', () => {
  expect(share(outcomes.worse, failed)).toBeGreaterThanOrEqual(0.9);
  expect(share(outcomes.worse, passed)).toBeLessThanOrEqual(0.05);
});

test('looking early saves seeds: less than two thirds of them are needed', () => {
  const used = [...outcomes.same, ...outcomes.worse].map(({ seeds }) => seeds);
  expect(estimate(used).mean).toBeLessThan((LOOKS.at(-1)!.seeds * 2) / 3);
});
