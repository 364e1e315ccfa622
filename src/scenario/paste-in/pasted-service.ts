/** `services: { api: { fromKubernetes: deployment.yaml } }`: how many instances there are, what they reserve, where they may run and how they
 *  end and are replaced, as the Deployment has it. What the scenario says itself is stronger. */
import type { Path } from '../../core/issue.ts';
import { show } from '../../core/quantity.ts';
import { recreate, rollingUpdate } from '../../policies/rollout/strategies/index.ts';
import { defaults } from '../../core/params.ts';
import type { Env } from '../distributions.ts';
import { knownHint } from '../hints.ts';
import { deployments, type PastedDeployment, readDeployment } from './deployment.ts';
import type { MapNode } from '../node.ts';
import { type PastedFile, readPasted } from './pasted-file.ts';
import type { PolicyUse } from '../spec.ts';
import { Section } from './section.ts';

/** The Deployment of the service's name, or the only one. Undefined after complaints. `silence` says why nothing comes of how it is rolled
 *  out; undefined if something does. */
export async function pastedService(
  file: string,
  service: string,
  path: Path,
  silence: string | undefined,
  env: Env,
): Promise<PastedDeployment | undefined> {
  const { complaints } = env;
  const pasted = await readPasted(file, path, env);
  if (pasted === undefined) return undefined;
  const all = deployments(pasted);
  const chosen = all.find(({ name }) => name === service) ?? (all.length === 1 ? all[0] : undefined);
  if (chosen === undefined) {
    const names = all.map(({ name }) => name);
    const found =
      all.length === 0 ? `there is no Deployment in ${show(file)}` : `${show(file)} has no Deployment named ${show(service)}`;
    complaints.error('not-found', path, found, all.length === 0 ? undefined : knownHint(service, names));
    return undefined;
  }
  warnOfRest(chosen.node, silence, pasted);
  return readDeployment(chosen.node, pasted);
}

/** What is understood of a Deployment and plays no part in a service. */
function warnOfRest(node: MapNode, silence: string | undefined, file: PastedFile): void {
  const spec = new Section(node, file, node.span).section('spec');
  for (const key of silence === undefined ? [] : ['strategy', 'minReadySeconds', 'progressDeadlineSeconds']) {
    if (spec?.has(key) === true) file.warn('ignored', spec.keySpan(key), `${key} plays no part: ${silence}`);
  }
  const containers = spec?.section('template')?.section('spec')?.sections('containers') ?? [];
  for (const key of ['livenessProbe', 'startupProbe']) {
    const first = containers.find((container) => container.has(key));
    if (first === undefined) continue;
    const hint = 'write policies.healthCheck: { use: kubelet, ... }';
    file.warn('ignored', first.keySpan(key), `${key} plays no part in how a service is described`, hint);
  }
}

/** How the controller of Deployments replaces instances of this one. */
export function strategyOf({ strategy, minReadyMs, progressDeadlineMs }: PastedDeployment): PolicyUse {
  const { type, maxSurge, maxUnavailable } = strategy;
  const waits = { minReadySeconds: minReadyMs, progressDeadlineSeconds: progressDeadlineMs };
  return type === 'Recreate'
    ? { use: 'recreate', params: { ...defaults(recreate.params), ...waits } }
    : { use: 'rolling-update', params: { ...defaults(rollingUpdate.params), ...waits, maxSurge, maxUnavailable } };
}
