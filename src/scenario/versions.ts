/** `version:` and `versions:` of services to what can be rolled out. A service has one version where nothing is written: `v1`. */
import type { z } from 'zod';
import type { Path } from '../core/issue.ts';
import { formatDuration, show } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import type { Complaints } from './complaints.ts';
import { compileDistribution, type Env } from './distributions.ts';
import { findService } from './edges.ts';
import { readName } from './fields.ts';
import { knownHint } from './hints.ts';
import { nodeAt, toPlain } from './node.ts';
import { zonesOfNodes } from './nodes.ts';
import { compileOverrides } from './overrides.ts';
import { zonesOf, type KnownService } from './services.ts';
import { versionKeys, versionShape } from './shape-changes.ts';
import type { ChangeSpec, ClientSettings, EdgeSpec, NodeGroupSpec, ServiceSpec, VersionEffect, VersionSpec } from './spec.ts';

/** Of one service. */
export interface KnownVersions {
  /** The first one first; also those that are wrong. Undefined if they cannot be told. */
  readonly names: readonly string[] | undefined;
  /** Those that could be understood. */
  readonly specs: readonly VersionSpec[];
}

interface Town {
  readonly services: readonly KnownService[];
  readonly nodes: readonly NodeGroupSpec[] | undefined;
  readonly edges: readonly EdgeSpec[];
  /** Services with a call that has a cache. */
  readonly cached: ReadonlySet<number>;
  readonly durationMs: Ms;
}

/** By service. */
type Names = readonly KnownVersions['names'][];
type EffectShape = NonNullable<z.output<typeof versionShape>['effects']>[number];

/** As `services`. */
export async function compileVersions(town: Town, env: Env): Promise<readonly KnownVersions[]> {
  const names = town.services.map(({ name }) => namesOf(name, env.complaints));
  const compiled: KnownVersions[] = [];
  for (const service of town.services.keys()) {
    const specs: VersionSpec[] = [];
    for (const version of names[service] ?? []) {
      const spec = await compileVersion(service, version, names, town, env);
      if (spec !== undefined) specs.push(spec);
    }
    compiled.push({ names: names[service], specs });
  }
  return compiled;
}

/** Services with the versions that matter: where something is rolled out, and of those with which a version does not get on. */
export function withVersions(
  services: readonly ServiceSpec[],
  versions: readonly KnownVersions[],
  changes: readonly ChangeSpec[],
): readonly ServiceSpec[] {
  const rolledOut = changes.map(({ service }) => service);
  const others = rolledOut.flatMap((service) =>
    versions[service].specs.flatMap(({ effects }) =>
      effects.flatMap((effect) => (effect.type === 'incompatible' ? [effect.service] : [])),
    ),
  );
  const matters = new Set([...rolledOut, ...others]);
  return services.map((spec, service) => (matters.has(service) ? { ...spec, versions: versions[service].specs } : spec));
}

/** What is there at first, then the others as written. */
function namesOf(service: string, complaints: Complaints): readonly string[] | undefined {
  const path = ['services', service];
  const first = firstVersion(service, complaints);
  const node = nodeAt(complaints.root, [...path, 'versions']);
  if (node === undefined) return [first];
  if (node.kind !== 'map') {
    const hint = 'write versions: { v2: { effects: [...] } }';
    complaints.error(
      'wrong-type',
      [...path, 'versions'],
      `expected a map of versions by name, found ${show(toPlain(node))}`,
      hint,
    );
    return undefined;
  }
  const names = [...node.entries.keys()];
  for (const name of names) {
    const reading = readName(name);
    if ('value' in reading) continue;
    const { problem, hint } = reading;
    complaints.add({
      ...{ code: 'bad-name', path: [...path, 'versions'], key: name, message: problem },
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return [first, ...names.filter((name) => name !== first)];
}

/** What the service has at first. Where that is wrong, the shape of the service says so. */
export function firstVersion(service: string, complaints: Complaints): string {
  const node = nodeAt(complaints.root, ['services', service, 'version']);
  const parsed = versionKeys.version.safeParse(node === undefined ? undefined : toPlain(node));
  return parsed.success ? parsed.data : 'v1';
}

async function compileVersion(
  service: number,
  name: string,
  names: Names,
  town: Town,
  env: Env,
): Promise<VersionSpec | undefined> {
  const { complaints } = env;
  const path = ['services', town.services[service].name, 'versions', name];
  if (!complaints.has(path)) return { name, isBad: false, effects: [], isMalformed: false };
  const shape = complaints.check(versionShape, path);
  if (shape === undefined) return undefined;
  const effects: VersionEffect[] = [];
  for (const [index, each] of (shape.effects ?? []).entries()) {
    const effect = await compileEffect(each, [...path, 'effects', index], service, names, town, env);
    if (effect !== undefined) effects.push(effect);
  }
  const clients = shape.clients && (await compileClients(shape.clients, [...path, 'clients'], service, town, env));
  if (name === names[service]?.[0]) complainOfFirst(name, shape, path, complaints);
  if (effects.length < (shape.effects?.length ?? 0) || (shape.clients !== undefined && clients === undefined)) return undefined;
  const isHarmful = effects.some(({ type }) => type !== 'cold-start' && type !== 'cold-caches');
  return {
    name,
    isBad: shape.bad ?? (shape.malformed || isHarmful),
    effects,
    ...(clients === undefined ? {} : { clients }),
    isMalformed: shape.malformed,
  };
}

/** What serves at first is in force already, whatever it does to its instances. */
function complainOfFirst(name: string, shape: z.output<typeof versionShape>, path: Path, complaints: Complaints): void {
  const hint = `that is ${name} by service and version; give the new one another name`;
  if (shape.clients !== undefined) {
    const message = `${name} is there at first: what clients do at first is what their edges say`;
    complaints.error('contradiction', [...path, 'clients'], message, hint);
  }
  if (shape.malformed) {
    const message = `${name} is there at first, so hosts cannot have refused it`;
    complaints.error('contradiction', [...path, 'malformed'], message, hint);
  }
}

async function compileEffect(
  shape: EffectShape,
  path: Path,
  service: number,
  names: Names,
  town: Town,
  env: Env,
): Promise<VersionEffect | undefined> {
  const { complaints } = env;
  const zones = shape.zones === undefined ? [] : [shape.zones].flat();
  const isPlaced = areKnown(zones, shape.zones, path, service, town, complaints);
  if (shape.after > town.durationMs) {
    const message = `after ${formatDuration(shape.after)}, the run has ended: ${formatDuration(town.durationMs)}`;
    complaints.warn('after-the-end', [...path, 'after'], message);
  }
  if (shape.type === 'cold-caches' && !town.cached.has(service)) {
    const message = `no call of ${town.services[service].name} has a cache`;
    complaints.warn('idle', path, message, 'write calls: [{ to: db, cache: ... }] there, or leave it out');
  }
  const kind = await compileKind(shape, path, service, names, town, env);
  return isPlaced && kind !== undefined ? { afterMs: shape.after, load: shape.load, zones, ...kind } : undefined;
}

/** `Omit` for each member of a union. */
type Without<Union, Key extends PropertyKey> = Union extends unknown ? Omit<Union, Key> : never;
type Kind = Without<VersionEffect, 'afterMs' | 'load' | 'zones'>;

async function compileKind(
  shape: EffectShape,
  path: Path,
  service: number,
  names: Names,
  town: Town,
  env: Env,
): Promise<Kind | undefined> {
  switch (shape.type) {
    case 'slow':
      return { type: 'slow', factor: shape.factor };
    case 'errors':
      return { type: 'errors', share: shape.share };
    case 'crash':
      return await compileCrash(shape, path, env);
    case 'memory-leak':
      return { type: 'memory-leak', fillsMs: shape.fills, factor: shape.factor };
    case 'cold-start':
      return { type: 'cold-start', forMs: shape.for, factor: shape.factor };
    case 'cold-caches':
      return { type: 'cold-caches' };
    case 'incompatible':
      return compileIncompatible(shape, path, service, names, town, env.complaints);
  }
}

async function compileCrash(
  { onStart, every }: EffectShape & { readonly type: 'crash' },
  path: Path,
  env: Env,
): Promise<Kind | undefined> {
  if (onStart === undefined && every === undefined) {
    const hint = 'give onStart: 20%, every: { type: exponential, mean: 10m }, or both';
    env.complaints.error('missing-key', path, 'when does it crash?', hint);
    return undefined;
  }
  if (every === undefined) return { type: 'crash', onStart: onStart ?? 0 };
  const law = await compileDistribution(every, [...path, 'every'], env, { above0: true });
  return law && { type: 'crash', onStart: onStart ?? 0, every: law };
}

function compileIncompatible(
  shape: EffectShape & { readonly type: 'incompatible' },
  path: Path,
  service: number,
  names: Names,
  { services, edges }: Town,
  complaints: Complaints,
): Kind | undefined {
  const other = findService(shape.with, [...path, 'with'], services, complaints);
  if (other === -1) return undefined;
  const versions = [...new Set([shape.versions].flat())];
  const known = names[other];
  const stranger = versions.findIndex((version) => known?.includes(version) === false);
  if (known !== undefined && stranger !== -1) {
    const place = typeof shape.versions === 'string' ? [...path, 'versions'] : [...path, 'versions', stranger];
    complaints.error('unknown-version', place, ...unknownVersion(shape.with, versions[stranger], known));
    return undefined;
  }
  const joins = ({ caller, service: called }: EdgeSpec): boolean =>
    (caller === service && called === other) || (caller === other && called === service);
  if (!edges.some(joins)) {
    const message = `neither of ${services[service].name} and ${shape.with} calls the other: nothing fails between them`;
    complaints.warn('idle', [...path, 'with'], message);
  }
  return { type: 'incompatible', service: other, versions, share: shape.share };
}

/** The message and the hint. Names such as v2 and v3 resemble each other and are not mistaken for each other. */
export function unknownVersion(service: string, version: string, known: readonly string[]): [string, string] {
  const listed = version.length < 4 ? `known: ${known.join(', ')}` : knownHint(version, known);
  const written = `services: { ${service}: { versions: { ${version}: {} } } }`;
  return [`${service} has no version ${show(version)}`, `${listed}; others are written as ${written}`];
}

/** False after complaints. */
function areKnown(
  zones: readonly string[],
  written: EffectShape['zones'],
  path: Path,
  service: number,
  { services, nodes }: Town,
  complaints: Complaints,
): boolean {
  if (nodes === undefined || services[service].instances === undefined) return true;
  const known = nodes.length > 0 ? zonesOfNodes(nodes) : zonesOf([services[service]]);
  const stranger = zones.findIndex((zone) => !known.includes(zone));
  if (stranger === -1) return true;
  const place = typeof written === 'string' ? [...path, 'zones'] : [...path, 'zones', stranger];
  const message = `no instance of ${services[service].name} is in zone ${show(zones[stranger])}`;
  complaints.error('unknown-zone', place, message, knownHint(zones[stranger], known));
  return false;
}

/** Undefined after complaints. */
async function compileClients(
  { timeout, attemptTimeout, ...written }: NonNullable<z.output<typeof versionShape>['clients']>,
  path: Path,
  service: number,
  { services, edges, durationMs }: Town,
  env: Env,
): Promise<ClientSettings | undefined> {
  const { complaints } = env;
  const policies = await compileOverrides(written, path, durationMs, env);
  if (policies === undefined) return undefined;
  const settings: ClientSettings = {
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(attemptTimeout === undefined ? {} : { attemptTimeoutMs: attemptTimeout }),
    policies,
  };
  if (Object.keys(settings).length === 1 && Object.keys(policies).length === 0)
    complaints.error('too-few', path, 'must not be empty', 'write what differs for clients, as in { timeout: 50ms }');
  else if (!edges.some((edge) => edge.service === service && edge.queue === -1)) {
    const message = `nobody calls ${services[service].name}, so there are no clients that could read this`;
    complaints.error('no-edge', path, message, 'write traffic to it, or calls of another service');
  } else if (timeout !== undefined && attemptTimeout !== undefined && attemptTimeout >= timeout) {
    const message = `attempts may take ${formatDuration(attemptTimeout)}, all together only ${formatDuration(timeout)}: no attempt will time out by itself`;
    complaints.warn('idle-timeout', [...path, 'attemptTimeout'], message);
  }
  return settings;
}
