/** `{ fromEnvoy: cluster.yaml }` and `{ fromIstio: destination-rule.yaml }` in place of a balancer: the one that runs in production, as
 *  its own configuration has it. What the file says beyond that is reported, key by key, and the scenario says it itself. */
import type { Path } from '../../core/issue.ts';
import { defaults, type ParamSpecs, type ParamValues } from '../../core/params.ts';
import { show } from '../../core/quantity.ts';
import type { Env } from '../distributions.ts';
import { keyHint, knownHint } from '../hints.ts';
import type { MapNode } from '../node.ts';
import type { Draft, ReadParam } from './draft.ts';
import { envoyClusters } from './envoy-clusters.ts';
import { envoyBalancer } from './envoy.ts';
import { destinationRules, istioBalancer } from './istio.ts';
import { type PastedFile, readPasted } from './pasted-file.ts';

interface Named {
  /** Empty where the file gives none. */
  readonly name: string;
  readonly node: MapNode;
}

interface Format {
  /** Key of the scenario that names which one of the file is meant. */
  readonly selector: string;
  readonly noun: string;
  /** For editors. */
  readonly about: string;
  find(file: PastedFile): readonly Named[];
  read(node: MapNode, file: PastedFile): Draft | undefined;
}

export const formats: Readonly<Record<string, Format>> = {
  fromEnvoy: {
    selector: 'cluster',
    noun: 'Envoy cluster',
    about: 'The balancer of an Envoy cluster: its file, relative to the scenario.',
    find: envoyClusters,
    read: envoyBalancer,
  },
  fromIstio: {
    selector: 'rule',
    noun: 'DestinationRule',
    about: 'The balancer of an Istio DestinationRule: its file, relative to the scenario.',
    find: destinationRules,
    read: istioBalancer,
  },
};

export interface PastedUse {
  /** `api: least-request`. */
  readonly label: string;
  /** `api of cluster.yaml: least-request choiceCount=3`. */
  readonly written: string;
  readonly use: string;
  readonly params: ParamValues<ParamSpecs>;
}

export const isPasted = (written: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(formats).some((key) => Object.hasOwn(written, key));

/** Undefined after complaints. `table` has the balancers, `path` is that of the map with the file's name. */
export async function pastedUse(
  written: Readonly<Record<string, unknown>>,
  path: Path,
  env: Env,
  table: Readonly<Record<string, { readonly params: ParamSpecs }>>,
  readParam: ReadParam,
): Promise<PastedUse | undefined> {
  const { complaints } = env;
  const key = Object.keys(formats).find((each) => Object.hasOwn(written, each))!;
  const format = formats[key];
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
  const settings = Object.entries(settled.written).map(([param, value]) => ` ${param}=${String(value)}`);
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
