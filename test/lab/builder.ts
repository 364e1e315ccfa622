/** Small real experiments for tests. Invented results with exactly the numbers a test is about are in `results.ts`. */
import type { ExperimentInput } from '../../src/lab/experiment.ts';
import type { ParamSpecs, ParamValues } from '../../src/core/params.ts';
import type { PolicyUse, Scenario, VariantSpec } from '../../src/scenario/spec.ts';
import { buildWorld, type WorldSetup } from '../cluster/world-builder.ts';

export interface ScenarioSetup extends WorldSetup {
  readonly seeds?: number | readonly string[];
  /** Built-in balancers, or full variants; the first is the baseline. */
  readonly variants?: readonly (string | VariantSpec)[];
  readonly detector?: PolicyUse;
  readonly expect?: Scenario['expect'];
}

/** By default two seconds of two proxies before three instances at a load of one half: about 300 requests. */
export function scenarioOf(setup: ScenarioSetup = {}): Scenario {
  const world = buildWorld({
    instances: 3,
    work: { type: 'exponential', mean: 10 },
    arrivals: { type: 'poisson', perSecond: 150 },
    balancers: 2,
    durationMs: 2000,
    windowMs: 200,
    ...setup,
  });
  const seeds =
    typeof setup.seeds === 'object'
      ? setup.seeds
      : Array.from({ length: setup.seeds ?? 3 }, (_, k) => `${world.run.seed}:${k + 1}`);
  const variants = (setup.variants ?? ['round-robin']).map((variant) =>
    typeof variant === 'string' ? variantOf(variant, { use: variant, params: {} }, setup.detector) : variant,
  );
  return {
    ...world,
    run: { ...world.run, seeds },
    policies: variants[0].policies,
    variants,
    expect: setup.expect ?? [],
  };
}

export const variantOf = (label: string, balancer: PolicyUse, detector?: PolicyUse): VariantSpec => ({
  label,
  differs: `balancer=${balancer.use}`,
  policies: { balancer, ...(detector === undefined ? {} : { detector }) },
});

/** A policy of the user's own from this folder's fixtures. */
export const own = (file: string, exportName: string, params: ParamValues<ParamSpecs> = {}): PolicyUse => ({
  use: `./${file}#${exportName}`,
  module: { path: new URL(`./fixtures/${file}`, import.meta.url).pathname, exportName },
  params,
});

export const experimentOf = (scenario: Scenario, rest: Partial<ExperimentInput> = {}): ExperimentInput => ({
  kind: scenario.variants.length > 1 ? 'compare' : 'run',
  scenario,
  text: 'scenario: 1',
  sha256: 'abc',
  file: 'some/folder/small.yaml',
  overrides: [],
  warnings: [],
  jobs: 0,
  replay: 'clusterlab run small.yaml',
  ...rest,
});
