/** `services: { api: { fromKubernetes: deployment.yaml } }`: how many instances there are, what they reserve, where they may run and how they
 *  end, as the Deployment has it. What the scenario says itself is stronger. */
import type { Path } from '../../core/issue.ts';
import { show } from '../../core/quantity.ts';
import type { Env } from '../distributions.ts';
import { knownHint } from '../hints.ts';
import { deployments, type PastedDeployment, readDeployment } from './deployment.ts';
import type { MapNode } from '../node.ts';
import { type PastedFile, readPasted } from './pasted-file.ts';
import { Section } from './section.ts';

/** The Deployment of the service's name, or the only one. Undefined after complaints. */
export async function pastedService(file: string, service: string, path: Path, env: Env): Promise<PastedDeployment | undefined> {
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
  warnOfRest(chosen.node, pasted);
  return readDeployment(chosen.node, pasted);
}

/** What is understood of a Deployment and plays no part in a service. */
function warnOfRest(node: MapNode, file: PastedFile): void {
  const spec = new Section(node, file, node.span).section('spec');
  const silent = {
    strategy: 'nothing is rolled out',
    minReadySeconds: 'nothing is rolled out',
    progressDeadlineSeconds: 'nothing is rolled out',
  };
  for (const [key, why] of Object.entries(silent)) {
    if (spec?.has(key) === true) file.warn('ignored', spec.keySpan(key), `${key} plays no part: ${why}`);
  }
  const containers = spec?.section('template')?.section('spec')?.sections('containers') ?? [];
  for (const key of ['livenessProbe', 'startupProbe']) {
    const first = containers.find((container) => container.has(key));
    if (first === undefined) continue;
    const hint = 'write policies.healthCheck: { use: kubelet, ... }';
    file.warn('ignored', first.keySpan(key), `${key} plays no part in how a service is described`, hint);
  }
}
