/** `{ fromEnvoy: cluster.yaml }` and `{ fromIstio: destination-rule.yaml }` in place of a balancer, `{ fromKubernetes: hpa.yaml }` in place of
 *  an autoscaler, `{ fromKubernetes: rollout.yaml }` in place of a roll-out strategy: the one that runs in production, as its own configuration
 *  has it. What the file says beyond that is reported, key by key, and the scenario says it itself. */
import type { Path } from '../../core/issue.ts';
import { defaults, type ParamSpecs, type ParamValues } from '../../core/params.ts';
import { show } from '../../core/quantity.ts';
import type { Env } from '../distributions.ts';
import { keyHint, knownHint } from '../hints.ts';
import type { MapNode } from '../node.ts';
import { settingText } from '../param-text.ts';
import type { Draft, ReadParam } from './draft.ts';
import { argoStrategy } from './argo-rollout.ts';
import { envoyClusters } from './envoy-clusters.ts';
import { envoyBalancer } from './envoy.ts';
import { flaggerStrategy } from './flagger-canary.ts';
import { hpaAutoscaler } from './horizontal-pod-autoscaler.ts';
import { destinationRules, istioBalancer } from './istio.ts';
import { isKnative, knativeAutoscaler, knativeObjects } from './knative-service.ts';
import { kindOf, objectsOf } from './kubernetes-objects.ts';
import { type PastedFile, readPasted } from './pasted-file.ts';
import { kedaAutoscaler } from './scaled-object.ts';

interface Named {
  /** Empty where the file gives none. */
  readonly name: string;
  readonly node: MapNode;
}

interface Format {
  /** The key that names the file. */
  readonly key: string;
  /** What it can stand for. */
  readonly role: 'balancer' | 'autoscaler' | 'rollout';
  /** Key of the scenario that names which one of the file is meant. */
  readonly selector: string;
  readonly noun: string;
  /** For editors. */
  readonly about: string;
  find(file: PastedFile): readonly Named[];
  read(node: MapNode, file: PastedFile): Draft | undefined;
}

const formats: readonly Format[] = [
  {
    key: 'fromEnvoy',
    role: 'balancer',
    selector: 'cluster',
    noun: 'Envoy cluster',
    about: 'The balancer of an Envoy cluster: its file, relative to the scenario.',
    find: envoyClusters,
    read: envoyBalancer,
  },
  {
    key: 'fromIstio',
    role: 'balancer',
    selector: 'rule',
    noun: 'DestinationRule',
    about: 'The balancer of an Istio DestinationRule: its file, relative to the scenario.',
    find: destinationRules,
    read: istioBalancer,
  },
  {
    key: 'fromKubernetes',
    role: 'autoscaler',
    selector: 'name',
    noun: 'HorizontalPodAutoscaler, ScaledObject or Knative Service',
    about: 'A HorizontalPodAutoscaler, a ScaledObject of KEDA or a Service of Knative: its file, relative to the scenario.',
    find: (file) => [...objectsOf(['HorizontalPodAutoscaler', 'ScaledObject'], file), ...knativeObjects(file)],
    read: (node, file) => {
      if (isKnative(node)) return knativeAutoscaler(node, file);
      return kindOf(node) === 'ScaledObject' ? kedaAutoscaler(node, file) : hpaAutoscaler(node, file);
    },
  },
  {
    key: 'fromKubernetes',
    role: 'rollout',
    selector: 'name',
    noun: 'Rollout or Canary',
    about: 'A Rollout of Argo, with the AnalysisTemplates beside it, or a Canary of Flagger: its file, relative to the scenario.',
    find: (file) => objectsOf(['Rollout', 'Canary'], file),
    read: (node, file) => (kindOf(node) === 'Canary' ? flaggerStrategy(node, file) : argoStrategy(node, file)),
  },
];

/** Those that can stand for a policy in this role. */
export const formatsFor = (role: string): Readonly<Record<string, Format>> =>
  Object.fromEntries(formats.flatMap((format) => (format.role === role ? [[format.key, format]] : [])));

export interface PastedUse {
  /** `api: least-request`. */
  readonly label: string;
  /** `api of cluster.yaml: least-request choiceCount=3`. */
  readonly written: string;
  readonly use: string;
  readonly params: ParamValues<ParamSpecs>;
}

export const isPasted = (role: string, written: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(formatsFor(role)).some((key) => Object.hasOwn(written, key));

/** Undefined after complaints. `table` has the policies of the role, `path` is that of the map with the file's name. */
export async function pastedUse(
  role: string,
  written: Readonly<Record<string, unknown>>,
  path: Path,
  env: Env,
  table: Readonly<Record<string, { readonly params: ParamSpecs }>>,
  readParam: ReadParam,
): Promise<PastedUse | undefined> {
  const { complaints } = env;
  const [key, format] = Object.entries(formatsFor(role)).find(([each]) => Object.hasOwn(written, each))!;
  const { [key]: file, [format.selector]: wanted, ...others } = written;
  for (const other of Object.keys(others)) {
    const hint = keyHint(other, [key, format.selector, 'label']);
    complaints.add({ code: 'unknown-key', path, key: other, message: `unknown key ${show(other)} beside ${key}`, hint });
  }
  if (typeof file !== 'string' || file === '') {
    complaints.error('bad-path', [...path, key], `expected the path of a file, found ${show(file)}`);
    return undefined;
  }
  if (Object.keys(others).length > 0) return undefined;
  const pasted = await readPasted(file, [...path, key], env);
  if (pasted === undefined) return undefined;
  const chosen = choose(format, pasted, wanted, file, [...path, key], [...path, format.selector], env);
  if (chosen === undefined) return undefined;
  const settled = format.read(chosen.node, pasted)?.settle(table, readParam);
  if (settled === undefined) return undefined;
  const name = chosen.name.replace(/[\p{Cc}\u2028\u2029]/gu, ' ').trim();
  const settings = Object.entries(settled.written).map(([param, value]) => ` ${param}=${settingText(value)}`);
  return {
    label: `${name === '' ? file : name}: ${settled.use}`,
    written: `${name === '' ? '' : `${name} of `}${file}: ${settled.use}${settings.join('')}`,
    use: settled.use,
    params: { ...defaults(table[settled.use].params), ...settled.values },
  };
}

/** The one of its kind in the file, or the one that is named. */
function choose(
  { find, noun, selector }: Format,
  pasted: PastedFile,
  wanted: unknown,
  file: string,
  filePath: Path,
  selectorPath: Path,
  { complaints }: Env,
): Named | undefined {
  const all = find(pasted);
  const names = all.map(({ name }) => name);
  if (all.length === 0) complaints.error('not-found', filePath, `there is no ${noun} in ${show(file)}`);
  else if (wanted === undefined) {
    if (all.length === 1) return all[0];
    complaints.error(
      'ambiguous',
      filePath,
      `there are ${all.length} of kind ${noun} in ${show(file)}`,
      `say which with ${selector}: ${names.join(', ')}`,
    );
  } else {
    const found = all.find(({ name }) => name === String(wanted));
    if (found !== undefined) return found;
    complaints.error(
      'not-found',
      selectorPath,
      `${show(file)} has no ${noun} named ${show(wanted)}`,
      knownHint(String(wanted), names),
    );
  }
  return undefined;
}
