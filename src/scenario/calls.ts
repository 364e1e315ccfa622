/** `calls:` of a service to the steps of its requests, and the edges they need. */
import type { Path } from '../core/issue.ts';
import { show } from '../core/quantity.ts';
import { checkCall, compileCall, type Place, type Town, type WrittenCall } from './call.ts';
import { compileDistribution, type Env } from './distributions.ts';
import { messageEdge, noOptions } from './edges.ts';
import { keyHint, knownHint } from './hints.ts';
import { childOf, nodeAt, toPlain, type Node } from './node.ts';
import { memberCall, stepKinds, type StepKind } from './shape-edges.ts';
import { limits } from './shape-parts.ts';
import type { CallSpec, StepSpec } from './spec.ts';

/** The steps of the service at this index, and its calls; no steps after complaints. */
export async function compileCalls(caller: number, town: Town, env: Env): Promise<{ steps: StepSpec[]; calls: WrittenCall[] }> {
  const path = ['services', town.services[caller].name, 'calls'];
  const place: Place = { caller, town, env, calls: [], steps: 0 };
  const steps = env.complaints.has(path) ? await compileSteps(path, place, 1) : [];
  if (place.steps > limits.steps) {
    env.complaints.error('too-many', path, `${place.steps} steps; ${limits.steps} is the most`);
  }
  return { steps: steps ?? [], calls: place.calls };
}

const listHint = { hint: 'write calls: [auth, { to: db, timeout: 200ms }]' };

async function compileSteps(path: Path, place: Place, depth: number): Promise<StepSpec[] | undefined> {
  const { complaints } = place.env;
  if (depth > limits.stepDepth) {
    complaints.error('too-deep', path, `steps inside steps more than ${limits.stepDepth} deep`);
    return undefined;
  }
  const count = complaints.listLength(path, 'steps', listHint);
  place.steps += count;
  // What lies beyond is complained of by its number only.
  if (count === 0 || place.steps > limits.steps) return undefined;
  const steps: StepSpec[] = [];
  for (let index = 0; index < count; index++) {
    const step = await compileStep([...path, index], place, depth);
    if (step !== undefined) steps.push(step);
  }
  return steps.length === count ? steps : undefined;
}

async function compileStep(path: Path, place: Place, depth: number): Promise<StepSpec | undefined> {
  const { complaints } = place.env;
  const node = nodeAt(complaints.root, path)!;
  const kind = node.kind === 'scalar' && typeof node.value === 'string' ? 'to' : kindOf(node, path, place.env);
  switch (kind) {
    case undefined:
      return undefined;
    case 'to': {
      const shape = checkCall(stepKinds.to, node, path, place.env);
      const call = shape && (await compileCall(shape, path, place));
      if (shape === undefined || call === undefined) return undefined;
      const wait = compileWait(shape.wait, call.copies, path, place.env);
      return wait === undefined ? undefined : shared(shape.share, { type: 'calls', calls: [call], wait });
    }
    case 'parallel':
      return compileParallel(path, place);
    case 'work': {
      const shape = complaints.check(stepKinds.work, path);
      const work = shape && (await compileDistribution(shape.work, [...path, 'work'], place.env));
      return work && shared(shape!.share, { type: 'work', work });
    }
    case 'oneOf':
      return compileBranches(path, place, depth);
    case 'publish':
      return compilePublish(path, place);
  }
}

const kindNames = Object.keys(stepKinds) as readonly StepKind[];

/** By the key that tells it. */
function kindOf(node: Node, path: Path, { complaints }: Env): StepKind | undefined {
  const kind = node.kind === 'map' ? kindNames.find((key) => node.entries.has(key)) : undefined;
  if (kind !== undefined) return kind;
  const known = 'a service, or a map with one of to, parallel, work, oneOf, publish';
  if (node.kind !== 'map') {
    complaints.error('wrong-type', path, `expected a step, found ${show(toPlain(node))}`, `a step is ${known}`);
    return undefined;
  }
  const strange = [...node.entries.keys()].find((key) => keyHint(key, kindNames).startsWith('did'));
  if (strange === undefined) complaints.error('missing-key', path, 'cannot tell what this step does', `a step is ${known}`);
  else
    complaints.add({
      code: 'unknown-key',
      path,
      key: strange,
      message: `unknown key ${show(strange)}`,
      hint: keyHint(strange, kindNames),
    });
  return undefined;
}

async function compileParallel(path: Path, place: Place): Promise<StepSpec | undefined> {
  const { env } = place;
  const shape = env.complaints.check(stepKinds.parallel, path);
  const count = env.complaints.listLength([...path, 'parallel'], 'calls', {
    hint: 'write parallel: [search, { to: ads, optional: true }]',
  });
  place.steps += count;
  const calls: CallSpec[] = [];
  for (let index = 0; index < count && place.steps <= limits.steps; index++) {
    const member = [...path, 'parallel', index];
    const node = nodeAt(env.complaints.root, member)!;
    if (isNested(node, member, env)) continue;
    const call = checkCall(memberCall, node, member, env);
    const compiled = call && (await compileCall(call, member, place));
    if (compiled !== undefined) calls.push(compiled);
  }
  if (shape === undefined || count === 0 || calls.length < count) return undefined;
  const copies = calls.reduce((sum, call) => sum + call.copies, 0);
  const wait = compileWait(shape.wait, copies, path, env);
  return wait === undefined ? undefined : shared(shape.share, { type: 'calls', calls, wait });
}

/** Only calls go on at once; and what concerns all of them is said once. */
function isNested(node: Node, path: Path, { complaints }: Env): boolean {
  if (node.kind === 'list') {
    complaints.error('wrong-type', path, 'expected a call, found a list');
    return true;
  }
  const key = kindNames.find((kind) => kind !== 'to' && childOf(node, kind) !== undefined);
  if (key === undefined) {
    for (const surplus of ['share', 'wait']) {
      if (node.kind !== 'map' || !node.entries.has(surplus)) continue;
      const hint = surplus === 'wait' ? 'write wait beside parallel' : 'a step with a share stands by itself';
      complaints.add({ code: 'misplaced-key', path, key: surplus, message: `a call within parallel has no ${surplus}`, hint });
      return true;
    }
    return false;
  }
  complaints.add({
    code: 'misplaced-key',
    path,
    key,
    message: `only calls can go on in parallel, not ${key}`,
    hint: 'let the called service do it',
  });
  return true;
}

function compileWait(wait: 'all' | 'first' | number, copies: number, path: Path, { complaints }: Env): number | undefined {
  if (wait === 'all') return Infinity;
  if (wait === 'first') return 1;
  if (wait <= copies) return wait;
  complaints.error(
    'bad-count',
    [...path, 'wait'],
    `waits for ${wait} of ${copies === 1 ? '1 call' : `${copies} calls`}`,
    'all is the most',
  );
  return undefined;
}

async function compileBranches(path: Path, place: Place, depth: number): Promise<StepSpec | undefined> {
  const { complaints } = place.env;
  const shape = complaints.check(stepKinds.oneOf, path);
  const branches: { share: number; steps: StepSpec[] }[] = [];
  const count = shape === undefined ? 0 : shape.oneOf.length;
  for (let index = 0; index < count; index++) {
    const steps = await compileSteps([...path, 'oneOf', index, 'calls'], place, depth + 1);
    if (steps !== undefined) branches.push({ share: shape!.oneOf[index].share, steps });
  }
  const sum = (shape?.oneOf ?? []).reduce((total, { share }) => total + share, 0);
  if (sum > 1 + 1e-9) {
    complaints.error('bad-shares', [...path, 'oneOf'], `shares sum to ${Number(sum.toPrecision(6))}, more than 1`);
    return undefined;
  }
  return count > 0 && branches.length === count ? { type: 'branch', branches } : undefined;
}

function compilePublish(path: Path, { caller, town, env }: Place): StepSpec | undefined {
  const { services, queues, edges } = town;
  const shape = env.complaints.check(stepKinds.publish, path);
  if (shape === undefined) return undefined;
  const queue = queues.findIndex(({ name }) => name === shape.publish);
  if (queue === -1) {
    const isService = services.some(({ name }) => name === shape.publish);
    const names = queues.map(({ name }) => name);
    const hint = isService
      ? `${shape.publish} is a service: write { to: ${shape.publish} }`
      : names.length === 0
        ? 'name it at the top: queues: { jobs: { to: worker } }'
        : knownHint(shape.publish, names);
    env.complaints.error('unknown-queue', [...path, 'publish'], `there is no queue ${show(shape.publish)}`, hint);
    return undefined;
  }
  const { name, service } = queues[queue];
  if (service === -1) return undefined;
  const edge = { caller, service, queue, ...messageEdge, ...noOptions };
  return shared(shape.share, { type: 'publish', edge: edges.add(edge, `${services[caller].name}->${name}`, shape.name, path) });
}

/** A step that only a share of the requests take is a branch of which the rest is nothing. */
const shared = (share: number | undefined, step: StepSpec): StepSpec =>
  share === undefined || share === 1 ? step : { type: 'branch', branches: [{ share, steps: [step] }] };
