/** The text of a scenario file to a `Scenario`, or all that is wrong with it. Touches nothing outside but the data files the scenario
 *  names, and those through what is injected. */
import { InputError } from '../core/errors.ts';
import type { Issue } from '../core/issue.ts';
import { show } from '../core/quantity.ts';
import { compileVariants } from './compare.ts';
import { compileWorld, type World } from './compile.ts';
import { Complaints, placedIssue, sortIssues, textIssue } from './complaints.ts';
import type { DataFiles } from './data-files.ts';
import type { Env } from './distributions.ts';
import { parseText } from './document.ts';
import { setAt, settingPath } from './edit.ts';
import { compileExpect } from './expect.ts';
import { compileGate } from './gate.ts';
import { warnOfIdleDetection } from './idle-detection.ts';
import { judgeChanges } from './judge-changes.ts';
import { judgeOrchestration } from './judge-orchestration.ts';
import { warnOfIdlePolicies } from './idle-policies.ts';
import { toPlain, type Node } from './node.ts';
import type { SeedOptions } from './run.ts';
import { Source } from './source.ts';
import type { ExpectSpec, GateSpec, Scenario } from './spec.ts';
import { distinctViews, labelOf, ownViews, viewOf, type ViewQuery } from './views.ts';

export interface ParseOptions extends SeedOptions {
  /** `path=value`, as with --set; later ones win. */
  readonly overrides?: readonly Override[];
  readonly data: DataFiles;
}

/** A text comes from `--set`; complaints name where others come from. */
export type Override = string | { readonly assignment: string; readonly from: string };

/** Throws InputError with all complaints, in the order of the file. `file` is its name in them. */
export async function parseScenario(
  text: string,
  file: string,
  options: ParseOptions,
): Promise<{ scenario: Scenario; warnings: readonly Issue[] }> {
  const source = new Source(file, text.replace(/^\uFEFF/, ''));
  const root = override(parseRoot(source), options.overrides ?? []);
  const complaints = new Complaints(source, root);
  const env: Env = { complaints, data: options.data, traces: new Map(), recordings: new Map() };
  const { world, policies, durationMs } = await compileWorld(env, options);
  const variants = await compileVariants(policies, world, durationMs, env, options);
  const known = variants?.map((variant) => ({ label: variant.label, world: variant.world ?? world }));
  const expectations = compileExpect(known, complaints);
  const gates = compileGate(known, complaints);
  if (variants !== undefined && world !== undefined) {
    warnOfIdlePolicies(variants, world, complaints);
    warnOfIdleDetection(variants, world, complaints);
    judgeOrchestration(variants, world, complaints);
    judgeChanges(variants, world, complaints);
  }
  const worlds = [world, ...(variants ?? []).map((variant) => variant.world)].filter((each) => each !== undefined);
  const queries = [...worlds.flatMap(ownViews), ...[...expectations, ...(gates ?? [])].flatMap(({ part }) => part ?? [])];
  const views = distinctViews(queries, complaints);
  if (complaints.hasErrors || world === undefined || variants === undefined) throw new InputError(complaints.all);
  const expect: readonly ExpectSpec[] = expectations.map((expectation) => withView(expectation, views));
  const gate: readonly GateSpec[] | undefined = gates?.map((each) => withView(each, views));
  const complete = (each: World): Omit<Scenario, 'variants'> => ({
    ...each,
    expect,
    ...(gate === undefined ? {} : { gate }),
    views: views.map((view) => viewOf(view, each)),
  });
  return {
    scenario: {
      ...complete(world),
      variants: variants.map(({ world: own, ...variant }) => ({
        ...variant,
        ...(own === undefined ? {} : { scenario: complete(own) }),
      })),
    },
    warnings: complaints.all,
  };
}

function withView<Check>(
  { part, ...check }: Check & { readonly part?: ViewQuery },
  views: readonly ViewQuery[],
): Omit<Check & { readonly part?: ViewQuery }, 'part'> & { readonly view?: number } {
  if (part === undefined) return check;
  const label = labelOf(part);
  return { ...check, view: views.findIndex((view) => labelOf(view) === label) };
}

/** What to show to those who start from nothing. */
export const minimalExample = `scenario: 1
name: first
run: { duration: 1m }
services:
  api: { instances: 3, work: 10ms }
traffic:
  - { to: api, arrivals: { type: poisson, rate: 100/s } }`;

function parseRoot(source: Source): Node {
  const { root, issues } = parseText(source);
  if (issues.length > 0) throw new InputError(sortIssues(issues.map((issue) => textIssue(source, issue))));
  const hint = `a small scenario:\n${minimalExample}`;
  if (root === undefined || (root.kind === 'scalar' && root.value === null)) {
    throw new InputError([placedIssue(source, 'empty', { start: 0, end: 0 }, 'the file is empty', hint)]);
  }
  if (root.kind !== 'map') {
    throw new InputError([
      placedIssue(source, 'wrong-type', root.span, `a scenario is a map, found ${show(toPlain(root))}`, hint),
    ]);
  }
  return root;
}

function override(root: Node, overrides: readonly Override[]): Node {
  const issues: Issue[] = [];
  let edited = root;
  for (const each of overrides) {
    const { assignment, from } = typeof each === 'string' ? { assignment: each, from: '--set' } : each;
    const at = assignment.indexOf('=');
    const path = at < 1 ? undefined : settingPath(assignment.slice(0, at).trim());
    if (path === undefined) {
      const hint = `write path=value, as in ${from} services.api.slots=8 or ${from} traffic[0].timeout=1s`;
      issues.push({ severity: 'error', code: 'bad-path', path: [], message: `${show(assignment)} names no path`, hint });
      continue;
    }
    const source = new Source(from, assignment.slice(at + 1));
    const { root: value, issues: textIssues } = parseText(source, from);
    issues.push(...textIssues.map((issue) => ({ ...textIssue(source, issue, from), path })));
    if (textIssues.length > 0) continue;
    const empty: Node = { kind: 'scalar', value: null, span: { start: 0, end: 0 }, from, size: 1, depth: 0 };
    const edit = setAt(edited, path, value ?? empty);
    if ('root' in edit) edited = edit.root;
    else
      issues.push({
        severity: 'error',
        code: 'unknown-path',
        path,
        message: `${edit.problem} (from ${from})`,
        ...(edit.hint === undefined ? {} : { hint: edit.hint }),
      });
  }
  if (issues.length > 0) throw new InputError(issues);
  return edited;
}
