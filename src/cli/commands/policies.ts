/** `policies`: what the tables know, as a list and one by one; all text comes from the policies' own definitions. */
import { exitCodes, InputError, type ExitCode } from '../../core/errors.ts';
import type { Param } from '../../core/params.ts';
import { resolvePolicy } from '../../core/policy-table.ts';
import { families, type Family, familyFolders } from '../../policies/index.ts';
import { formatDefault, formatScalar } from '../../scenario/param-text.ts';
import { isRole } from '../../scenario/roles.ts';
import { table } from '../table.ts';
import type { Terminal } from '../terminal.ts';

/** A policy of any family; what it makes does not matter here. */
type Definition = Omit<(typeof families)[keyof typeof families][string], 'create' | 'make'>;
interface Options {
  readonly json?: boolean;
}

/** The key under `policies:` in a scenario file. */
const scenarioKeys: Readonly<Record<keyof typeof families, string>> = {
  balancing: 'balancer',
  detection: 'detector',
  membership: 'membership',
  checks: 'healthCheck',
  outliers: 'outlier',
  discovery: 'discovery',
  registries: 'registry',
  placement: 'scheduler',
  restarts: 'restart',
  retries: 'retry',
  budgets: 'budget',
  hedging: 'hedge',
  breakers: 'breaker',
  admission: 'admission',
  queueing: 'queueing',
  autoscaling: 'autoscaler',
  nodes: 'nodeAutoscaler',
  alarms: 'alarm',
  vertical: 'vertical',
  replicas: 'replicas',
  eviction: 'eviction',
  failover: 'failover',
  rollouts: 'rollout',
  stores: 'store',
  elections: 'election',
  propagation: 'propagation',
};
const definitions: readonly Definition[] = Object.values(families).flatMap((family): Definition[] => Object.values(family));

export function listPolicies(options: Options, terminal: Terminal): ExitCode {
  if (options.json === true) {
    terminal.print(json(definitions.map(described)));
    return exitCodes.ok;
  }
  for (const [family, key] of Object.entries(scenarioKeys)) {
    const rows = definitions.filter((each) => each.family === family).map((each) => [each.name, summaryWithNames(each)]);
    const place = family === 'admission' ? 'at clients, as policies.shedding at instances' : '';
    const use = isRole(key)
      ? `as policies.${[key, place].join(' ').trimEnd()}`
      : `as modules: clusterlab/policies/${familyFolders[family as Family]}`;
    terminal.print(`${family}, ${use}\n${table(rows, { indent: '  ', width: terminal.results.width })}\n`);
  }
  terminal.print('One in full: clusterlab policies show <name>. One of your own: clusterlab init\n');
  return exitCodes.ok;
}

export function showPolicy(name: string, options: Options, terminal: Terminal): ExitCode {
  const policy = find(name);
  if (options.json === true) {
    terminal.print(json(described(policy)));
    return exitCodes.ok;
  }
  const layout = { indent: '  ', width: terminal.results.width };
  const facts = [
    ['Use when', policy.useWhen],
    ['Fails when', policy.failsWhen],
    ['Cost', policy.cost],
    ...policy.aliases.map(({ system, name: alias }, index) => [index === 0 ? 'Elsewhere' : '', `${system} ${alias}`]),
    ...policy.sources.map((source, index) => [index === 0 ? 'Sources' : '', source]),
  ];
  terminal.print(`${policy.name}  (${policy.family})\n${policy.summary}\n\n${table(facts, layout)}\n`);
  const params = Object.entries(policy.params);
  if (params.length === 0) terminal.print('It has no parameters.\n\n');
  else terminal.print(`Parameters\n${table(params.flatMap(paramRows), layout)}\n`);
  const family = policy.family as Family;
  if (isRole(scenarioKeys[family])) terminal.print(`In a scenario file\n  policies:\n    ${example(policy)}\n`);
  else terminal.print(`A module; scenarios do not use it yet\n  import from clusterlab/policies/${familyFolders[family]}\n`);
  return exitCodes.ok;
}

/** By its name, with the family in front where several families have it: `breakers/envoy`. */
function find(name: string): Definition {
  const inFamily = definitions.find((each) => `${each.family}/${each.name}` === name);
  if (inFamily !== undefined) return inFamily;
  const namesakes = definitions.filter((each) => each.name === name).map((each) => `${each.family}/${each.name}`);
  if (namesakes.length > 1) {
    throw InputError.of('ambiguous-policy', `several families have a policy "${name}"`, `say which: ${namesakes.join(', ')}`);
  }
  const byName = Object.fromEntries(definitions.map((each) => [`${each.family}/${each.name}`, each]));
  const found = resolvePolicy(byName, name);
  if (found.kind === 'found') return found.policy;
  if (found.kind === 'ambiguous') {
    throw InputError.of('ambiguous-policy', `several policies go by the name "${name}"`, `say which: ${found.names.join(', ')}`);
  }
  const suggestion = found.suggestion === undefined ? '' : `did you mean "${found.suggestion}"? `;
  throw InputError.of('unknown-policy', `there is no policy "${name}"`, `${suggestion}"clusterlab policies list" names them all`);
}

/** `Picks … Also: Envoy LEAST_REQUEST, nginx least_conn.` */
function summaryWithNames({ summary, aliases }: Definition): string {
  const bySystem = new Map<string, string[]>();
  for (const { system, name } of aliases) bySystem.set(system, [...(bySystem.get(system) ?? []), name]);
  const names = [...bySystem].map(([system, all]) => `${system} ${all.join(' or ')}`);
  return names.length === 0 ? summary : `${summary} Also: ${names.join(', ')}.`;
}

/** Of a list of records, the fields follow. */
function paramRows([name, param]: [string, Param]): readonly string[][] {
  const official = param.official === undefined ? '' : ` (${param.official})`;
  const row = [name, formatDefault(param), rangeOf(param), `${param.about}${official}`];
  if (param.type !== 'records') return [row];
  const fields = Object.entries(param.fields).flatMap(([field, spec]) => paramRows([field, spec]));
  return [row, ...fields.map(([field, usual, ...rest]) => [`  ${field}`, param.required.includes(field) ? '' : usual, ...rest])];
}

function rangeOf(param: Param): string {
  if (param.type === 'choice') return param.choices.join(' | ');
  if (param.type === 'set') return `list of ${param.choices.join(', ')}`;
  if (param.type === 'records') return 'list of maps';
  if (param.type === 'policies') return 'list of policies';
  if (param.type === 'boolean' || param.type === 'string') return param.type;
  const { min, max } = param;
  const above = param.type === 'number' && param.exclusiveMin === true ? 'above' : 'from';
  const range = [
    ...(min === undefined ? [] : [`${above} ${formatScalar(param, min)}`]),
    ...(max === undefined ? [] : [`to ${formatScalar(param, max)}`]),
  ];
  return [param.type, ...range].join(' ');
}

function example(policy: Definition): string {
  const settings = Object.entries(policy.params).map(([name, param]) => `${name}: ${formatDefault(param)}`);
  return `${scenarioKeys[policy.family as keyof typeof scenarioKeys]}: { ${[`use: ${policy.name}`, ...settings].join(', ')} }`;
}

/** What is known of a policy, in reading order; without the functions, which JSON would drop anyway. */
function described(policy: Definition): Definition {
  const { family, name, summary, useWhen, failsWhen, cost, aliases, sources, params } = policy;
  return { family, name, summary, useWhen, failsWhen, cost, aliases, sources, params };
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
