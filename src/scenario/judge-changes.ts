/** Mistakes and warnings about what is rolled out: strategies that do not fit the change, versions that nobody asks for, policies, faults and
 *  keys with nothing to decide. In any variant. */
import { InputError } from '../core/errors.ts';
import type { Path } from '../core/issue.ts';
import type { Variant } from './compare.ts';
import type { World } from './compile.ts';
import type { Complaints } from './complaints.ts';
import { nodeAt } from './node.ts';
import { resolveRole } from './resolve-role.ts';
import { roles } from './roles.ts';
import type { ChangeSpec, PolicyChoice, PolicyUse } from './spec.ts';
import { firstVersion } from './versions.ts';

const roleNames = ['rollout', 'store', 'election', 'propagation'] as const;
const addChanges = 'write changes: [{ type: release, at: 2m, service: api, version: v2 }]';
const addConfig = 'write changes: [{ type: config, at: 2m, service: api, version: v2 }]';
const addControllers = 'write delivery: { controllers: 3 }';

export function judgeChanges(variants: readonly Variant[], base: World, complaints: Complaints): void {
  const worlds = variants.map((variant) => variant.world ?? base);
  const changes = worlds.flatMap((world) => world.changes ?? []);
  const idle = (path: Path, message: string, hint?: string): void => {
    if (complaints.has(path)) complaints.warn('idle', path, message, hint);
  };
  if (changes.length === 0) {
    for (const path of everything(base)) idle(path, 'nothing is rolled out', addChanges);
    return;
  }
  warnOfUnasked(base, worlds, complaints);
  warnOfServices(base, changes, complaints);
  for (const variant of variants) judgeStrategies(variant.world ?? base, variant.policies, complaints);
  if (!changes.some(({ kind }) => kind === 'config')) {
    for (const path of ofConfiguration(base)) idle(path, 'no configuration is rolled out', addConfig);
  }
  if (worlds.every(({ delivery }) => (delivery?.controllers ?? 1) === 1)) {
    const message = 'one controller has nobody to compete with';
    for (const path of [...rolePaths('election'), ['delivery', 'fencing']]) idle(path, message, addControllers);
  }
}

const rolePaths = (role: (typeof roleNames)[number]): readonly Path[] => [
  ['policies', role],
  ['compare', role],
];

const faultPaths = ({ faults }: World, types: readonly string[]): readonly Path[] =>
  faults.flatMap(({ type }, index) => (types.includes(type) ? [['faults', index]] : []));

/** What matters only where there are changes. */
const everything = (base: World): readonly Path[] => [
  ['delivery'],
  ...roleNames.flatMap(rolePaths),
  ...base.services.flatMap(({ name }): Path[] => [
    ['services', name, 'policies', 'rollout'],
    ['services', name, 'versions'],
  ]),
  ...faultPaths(base, ['store-outage', 'distributor-outage', 'controller-pause']),
];

const ofConfiguration = (base: World): readonly Path[] => [
  ...rolePaths('propagation'),
  ...['loss', 'distributors', 'pushesPerSecond', 'ackTimeout'].map((key) => ['delivery', key]),
  ...faultPaths(base, ['distributor-outage']),
];

/** Services of which nothing changes although others do. */
function warnOfServices(base: World, changes: readonly ChangeSpec[], complaints: Complaints): void {
  for (const [index, { name }] of base.services.entries()) {
    const path = ['services', name, 'policies', 'rollout'];
    if (changes.some(({ service }) => service === index) || !complaints.has(path)) continue;
    complaints.warn('idle', path, `nothing is rolled out to ${name}`, addChanges);
  }
}

function judgeStrategies({ services, changes = [] }: World, choice: PolicyChoice, complaints: Complaints): void {
  for (const { service, kind } of changes) {
    const { name, policies } = services[service];
    const use = resolveRole('rollout', [policies, choice]);
    if (use === undefined || use.module !== undefined) continue;
    const own = ['services', name, 'policies', 'rollout'];
    const path = [own, ...rolePaths('rollout').toReversed()].find((each) => complaints.has(each)) ?? ['changes'];
    for (const [message, hint] of nobodyThere(use, kind)) {
      complaints.warn('waits', path, message, hint);
    }
    const why = kind === 'config' ? whyNotOnHosts(use) : undefined;
    if (why !== undefined) {
      const hint = `write services: { ${name}: { policies: { rollout: staged-waves } } }, or another that is made for hosts`;
      complaints.error('unfit-strategy', path, `${name} has a change of type config: ${why}`, hint);
    }
  }
}

/** What waits for people, of whom there are none here, or measures what no request meets. */
function nobodyThere(
  { use, params }: PolicyUse,
  kind: ChangeSpec['kind'],
): readonly (readonly [message: string, hint: string])[] {
  const is = (key: string): boolean => params[key] === true;
  const found: (readonly [string, string])[] = [];
  const waits = 'and nobody does in a simulation';
  const steps = (params.steps ?? []) as readonly { readonly step?: string; readonly duration?: number }[];
  if (use === 'argo-canary' && steps.some(({ step, duration }) => step === 'pause' && duration === 0))
    found.push([`argo-canary has a pause that lasts until somebody promotes, ${waits}`, 'write { step: pause, duration: 5m }']);
  if (use === 'argo-blue-green' && !is('autoPromotionEnabled') && params.autoPromotionSeconds === 0)
    found.push([`argo-blue-green waits until somebody promotes, ${waits}`, 'write autoPromotionSeconds: 5m']);
  if (use === 'flagger' && is('confirmPromotion') && !is('skipAnalysis'))
    found.push([`flagger waits until somebody confirms, ${waits}`, 'leave confirmPromotion out']);
  if (kind !== 'release') return found;
  if (use === 'flagger' && params.iterations !== 0 && !is('mirror') && !is('skipAnalysis'))
    found.push([
      'flagger has iterations, in which no request meets the canary: checks without a value fail',
      'write mirror: true, or weights instead of iterations',
    ]);
  if (use === 'argo-blue-green' && (params.prePromotionTemplate ?? '') !== '')
    found.push([
      'argo-blue-green analyses a preview that no request meets: measurements without a value are errors',
      'use postPromotionTemplate, or leave the analysis out',
    ]);
  return found;
}

/** Only the strategy knows: it says so when it is made. */
function whyNotOnHosts({ use, params }: PolicyUse): string | undefined {
  try {
    roles.rollout.table[use].create(params, { unit: 'hosts' });
    return undefined;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.issues.map(({ message }) => message).join('; ');
  }
}

/** Versions that are written and never asked for; that others do not get on with one of them is not enough. */
function warnOfUnasked(base: World, worlds: readonly World[], complaints: Complaints): void {
  for (const [index, { name }] of base.services.entries()) {
    const path = ['services', name, 'versions'];
    const node = nodeAt(complaints.root, path);
    if (node?.kind !== 'map') continue;
    const asked = worlds.flatMap(({ changes = [] }) =>
      changes.flatMap(({ service, version }) => (service === index ? [version] : [])),
    );
    const known = [firstVersion(name, complaints), ...new Set(asked)];
    for (const key of node.entries.keys()) {
      if (known.includes(key)) continue;
      const hint = asked.length === 0 ? addChanges : `asked for: ${known.slice(1).join(', ')}`;
      complaints.add({ code: 'idle', path, key, message: `nothing asks for ${key} of ${name}`, hint }, 'warning');
    }
  }
}
