/** From a checked choice of policies to makers: built-in ones from their tables, a user's own loaded from its module. Loading runs
 *  the user's code; there is no sandbox, and none is claimed. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { PolicyFault } from '../core/errors.ts';
import type { ParamSpecs, ParamValues } from '../core/params.ts';
import { defaults } from '../core/params.ts';
import type { Balancer, BalancerDeps } from '../policies/balancing/balancer.ts';
import { balancers } from '../policies/balancing/index.ts';
import type { Detector, DetectorDeps } from '../policies/detection/detector.ts';
import { detectors } from '../policies/detection/index.ts';
import type { PolicyChoice, PolicyUse } from './spec.ts';

export interface Makers {
  readonly balancerName: string;
  /** Whether any of them is the user's code. */
  readonly isUserPolicy: boolean;
  /** Files of the user's policies, to tell their errors from ours. */
  readonly userFiles: readonly string[];
  makeBalancer(deps: BalancerDeps): Balancer;
  readonly makeDetector?: (deps: DetectorDeps) => Detector;
}

export async function makePolicies(choice: PolicyChoice): Promise<Makers> {
  const balancer = await maker<BalancerDeps, Balancer>(choice.balancer, balancers, ['pick', 'update']);
  const detector =
    choice.detector === undefined
      ? undefined
      : await maker<DetectorDeps, Detector>(choice.detector, detectors, ['onHeartbeat', 'watch', 'nextTimerMs', 'onTimer']);
  const userFiles = [choice.balancer, choice.detector].flatMap((use) => (use?.module === undefined ? [] : [use.module.path]));
  return {
    balancerName: choice.balancer.use,
    isUserPolicy: userFiles.length > 0,
    userFiles,
    makeBalancer: balancer,
    ...(detector === undefined ? {} : { makeDetector: detector }),
  };
}

type Values = ParamValues<ParamSpecs>;
interface Definition {
  readonly params: ParamSpecs;
  create(params: Values, deps: unknown): unknown;
}

async function maker<Deps, Made>(
  use: PolicyUse,
  table: Readonly<Record<string, unknown>>,
  methods: readonly string[],
): Promise<(deps: Deps) => Made> {
  if (use.module === undefined) {
    const definition = table[use.use] as Definition;
    return (deps) => definition.create(use.params, deps) as Made;
  }
  const exported = await loadExport(use.use, use.module.path, use.module.exportName);
  const make = makeFrom(exported, use.params);
  return (deps) => {
    let made: unknown;
    try {
      made = make(deps);
    } catch (error) {
      throw new PolicyFault(use.use, `${use.use} could not be made: ${messageOf(error)}`, { cause: error });
    }
    const missing = methods.filter((method) => typeof (made as Record<string, unknown> | undefined)?.[method] !== 'function');
    if (missing.length > 0) throw new PolicyFault(use.use, `${use.use} lacks ${missing.map((name) => `${name}()`).join(', ')}`);
    return made as Made;
  };
}

/** A definition (`defineBalancer`), a class taking (deps, params), or a function taking (deps, params). */
function makeFrom(exported: unknown, params: Values): (deps: unknown) => unknown {
  if (isDefinition(exported)) return (deps) => exported.create({ ...defaults(exported.params), ...params }, deps);
  const callable = exported as (deps: unknown, params: Values) => unknown;
  const isClass = /^class\b/.test(Function.prototype.toString.call(callable));
  return isClass ? (deps) => Reflect.construct(callable, [deps, params]) as unknown : (deps) => callable(deps, params);
}

const isDefinition = (value: unknown): value is Definition =>
  typeof value === 'object' && value !== null && 'create' in value && typeof value.create === 'function' && 'params' in value;

async function loadExport(name: string, path: string, exportName: string): Promise<unknown> {
  let module: Record<string, unknown>;
  try {
    module = await importModule(path);
  } catch (error) {
    throw new PolicyFault(name, `${name} cannot be loaded: ${messageOf(error)}`, { cause: error });
  }
  const exported = module[exportName];
  if (typeof exported === 'function' || isDefinition(exported)) return exported;
  const names = Object.keys(module).filter((key) => key !== 'default');
  const found = names.length > 0 ? `it exports ${names.join(', ')}` : 'it exports nothing';
  throw new PolicyFault(name, `${name}: ${path} has no policy named ${exportName}; ${found}`);
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  if (/\.[cm]?ts$/.test(path)) {
    const { createJiti } = await import('jiti');
    return createJiti(import.meta.url, { interopDefault: false }).import<Record<string, unknown>>(path);
  }
  const resolved = path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path) ? path : createRequire(import.meta.url).resolve(path);
  return (await import(pathToFileURL(resolved).href)) as Record<string, unknown>;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
