/** A sweep before it runs: every point's scenario, loaded and checked, and all of them put together into one scenario whose variants are
 *  variant x point, so that every executor runs it as it runs any other. */
import { InputError } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import { isProblem, parseFraction, show } from '../../core/quantity.ts';
import { atLoad } from '../../scenario/load-factor.ts';
import { type LoadedScenario, loadScenario, type LoadOptions } from '../../scenario/load.ts';
import { isRole } from '../../scenario/roles.ts';
import type { Scenario, VariantSpec } from '../../scenario/spec.ts';
import type { Cell } from '../cell.ts';
import { CellKeys } from '../cell-key.ts';
import { type Design, factorial, latinHypercube } from './design.ts';
import { parseSetting, type Setting } from './factors.ts';
import type { SweepFile } from './types.ts';

export interface SweepRequest {
  readonly file: string;
  /** `path=a,b,c`; those with one value are the same everywhere. */
  readonly sets: readonly string[];
  readonly design: 'factorial' | 'lhs';
  /** Of a Latin hypercube. */
  readonly points: number;
  /** Without overrides. */
  readonly load: LoadOptions;
  readonly readLines: (file: string) => Promise<readonly string[]>;
  /** Called after each point is loaded. */
  onPoint?(done: number, total: number): void;
}

/** Everything about a sweep that is known before it runs; plain data. */
export type SweepOutline = Pick<
  SweepFile,
  'scenario' | 'overrides' | 'design' | 'factors' | 'variants' | 'seeds' | 'metric' | 'replay'
> & { readonly levels: readonly (readonly number[])[] };

export interface PlannedCell extends Cell {
  readonly key: string;
}

export interface SweepPlan {
  readonly outline: Omit<SweepOutline, 'metric' | 'replay'>;
  /** Variants in the order point, variant. */
  readonly scenario: Scenario;
  readonly cells: readonly PlannedCell[];
  readonly warnings: readonly Issue[];
}

export async function planSweep(request: SweepRequest): Promise<SweepPlan> {
  const settings = await Promise.all(request.sets.map((set) => parseSetting(set, request.readLines)));
  const twice = settings.find(({ path }, i) => settings.findIndex((other) => other.path === path) !== i);
  if (twice !== undefined)
    throw InputError.of('duplicate', `--set ${twice.path} stands twice`, 'give all its values at once: a,b,c');
  const { fixed, varied } = await sorted(settings, request);
  if (varied.length === 0)
    throw InputError.of(
      'nothing-to-sweep',
      'nothing is varied',
      'name a path and its values: --set services.api.slots=2,4,8 or --set load=50%,80%',
    );
  const base = await loadPoint(request, fixed, []);
  const design: Design =
    request.design === 'lhs' ? latinHypercube(varied, request.points, base.scenario.run.seed) : factorial(varied);
  const { factors, points } = design;
  const loaded: LoadedScenario[] = [];
  for (const levels of points) {
    const chosen = levels.map((level, i): readonly [string, string] => [factors[i].path, factors[i].values[level]]);
    loaded.push(await loadPoint(request, fixed, chosen));
    request.onPoint?.(loaded.length, points.length);
  }
  const [first] = loaded;
  const labelsOf = ({ scenario }: LoadedScenario): string[] => scenario.variants.map(({ label }) => label);
  const variants = labelsOf(first);
  const different = loaded.find((each) => labelsOf(each).join('\n') !== variants.join('\n'));
  if (different !== undefined && variants.length > 1)
    throw InputError.of(
      'bad-sweep',
      'the variants have other names at other points',
      'give them labels: { use: p2c, label: p2c }',
    );
  const scenario: Scenario = {
    ...first.scenario,
    variants: loaded.flatMap(({ scenario: point }, at) => pointVariants(point, at)),
  };
  const keys = new CellKeys(scenario);
  const cells: PlannedCell[] = [];
  // By seed first: an interrupted sweep then has whole pairs.
  for (const seed of scenario.run.seeds)
    for (let variant = 0; variant < scenario.variants.length; variant++)
      cells.push({ variant, seed, key: await keys.key({ variant, seed }) });
  const { name, about } = base.scenario;
  return {
    outline: {
      scenario: { name, about, file: request.file.split(/[\\/]/).at(-1)!, text: base.text, sha256: base.sha256 },
      overrides: fixed,
      design: request.design,
      factors,
      variants,
      seeds: scenario.run.seeds,
      levels: points,
    },
    scenario,
    cells,
    warnings: distinct(loaded.flatMap(({ warnings }) => warnings)),
  };
}

/** What is the same everywhere, and what is varied. Where the file compares nobody, a role that is varied says whom to compare: then there
 *  is a winner. */
async function sorted(settings: readonly Setting[], request: SweepRequest): Promise<{ fixed: string[]; varied: Setting[] }> {
  const fixed = settings.flatMap(({ path, values, range }) =>
    values.length === 1 && range === undefined ? [`${path}=${values[0]}`] : [],
  );
  const varied = settings.filter(({ values, range }) => values.length !== 1 || range !== undefined);
  for (const { path } of varied) refuse(path);
  const roles = varied.filter(({ path }) => roleOf(path) !== undefined);
  if (roles.length === 0) return { fixed, varied };
  const { scenario } = await loadPoint(request, fixed, []);
  if (scenario.variants.length > 1) {
    const clash = roles.find(({ path }) => scenario.variants.some(({ differs }) => ` ${differs}`.includes(` ${roleOf(path)}=`)));
    if (clash !== undefined)
      throw InputError.of(
        'bad-sweep',
        `the scenario compares variants already, by ${roleOf(clash.path)}, so --set ${clash.path} has no place`,
        `say there whom to compare: --set 'compare.${roleOf(clash.path)}=[${clash.values.join(', ')}]'`,
      );
    return { fixed, varied: varied.map(asFactor) };
  }
  // Balancers first: they are what most people compare.
  const compared = roles.find(({ path }) => roleOf(path) === 'balancer') ?? roles[0];
  return {
    fixed: [...fixed, `compare.${roleOf(compared.path)}=[${compared.values.join(', ')}]`],
    varied: varied.filter((each) => each !== compared).map(asFactor),
  };
}

/** A role that nobody is compared by is a setting like any other. */
function asFactor(setting: Setting): Setting {
  const role = roleOf(setting.path);
  return role === undefined ? setting : { ...setting, path: `policies.${role}` };
}

/** `balancer`, `policies.balancer`, `compare.balancer`. */
function roleOf(path: string): string | undefined {
  const role = /^(?:policies\.|compare\.)?(\w+)$/.exec(path)?.[1];
  return role !== undefined && isRole(role) ? role : undefined;
}

function refuse(path: string): void {
  const [first, second = ''] = path.split(/[.[]/);
  const why = (reason: string, hint: string): InputError => InputError.of('bad-sweep', `--set ${path}: ${reason}`, hint);
  if (first === 'run' && (second === 'seeds' || second === 'seed'))
    throw why('all points share their seeds', 'so that they see the same world; use --seeds');
  if (['scenario', 'name', 'about', 'demonstrates', 'expect', 'gate'].includes(first))
    throw why(`${first} changes nothing that is simulated`, 'name another path');
  if (first === 'compare' && roleOf(path) === undefined && !isLoad(path))
    throw why('what is compared is the same at all points', 'vary services, traffic, faults, policies or load');
}

/** `load` stands for the load of all streams. */
const isLoad = (path: string): boolean => path === 'load' || path === 'compare.load';

async function loadPoint(
  request: SweepRequest,
  fixed: readonly string[],
  chosen: readonly (readonly [path: string, value: string])[],
): Promise<LoadedScenario> {
  const all = [
    ...fixed.map((each): readonly [string, string] => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
    ...chosen,
  ];
  try {
    const overrides = all.flatMap(([path, value]) => (isLoad(path) ? [] : [`${path}=${value}`]));
    const loaded = await loadScenario(request.file, { ...request.load, overrides });
    return all.filter(([path]) => isLoad(path)).reduce((each, [, value]) => withLoad(each, value), loaded);
  } catch (error) {
    if (!(error instanceof InputError) || chosen.length === 0) throw error;
    // Which of the points it was is not said by the text of the file.
    const where = ` (at ${chosen.map((each) => each.join('=')).join(', ')})`;
    throw new InputError(error.issues.map((issue) => ({ ...issue, message: issue.message + where })));
  }
}

/** The load is laid upon the finished worlds, so that the variants keep their names. */
function withLoad(loaded: LoadedScenario, written: string): LoadedScenario {
  const reading = parseFraction(/^\d+(\.\d+)?$/.test(written) ? Number(written) : written, {
    min: 0,
    exclusiveMin: true,
    max: 100,
  });
  if (isProblem(reading)) throw InputError.of('bad-load', `--set load: ${reading.problem}`, reading.hint ?? 'write 80% or 0.8');
  const { scenario } = loaded;
  const variants = scenario.variants.map((variant) =>
    variant.scenario === undefined
      ? variant
      : { ...variant, scenario: { ...variant.scenario, ...atLoad(variant.scenario, reading.value) } },
  );
  return { ...loaded, scenario: { ...scenario, ...atLoad(scenario, reading.value), variants } };
}

function pointVariants(point: Scenario, at: number): VariantSpec[] {
  const { variants, ...world } = point;
  return variants.map((variant): VariantSpec => {
    const { load: _, group: __, ...rest } = variant;
    return {
      ...rest,
      label: `${variant.label} at ${at}`,
      scenario: { ...(variant.scenario ?? world), policies: variant.policies },
    };
  });
}

function distinct(warnings: readonly Issue[]): Issue[] {
  return [...new Map(warnings.map((each) => [`${each.code} ${show(each.message)} ${each.place?.line}`, each])).values()];
}
