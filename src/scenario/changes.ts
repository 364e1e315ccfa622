/** `changes:` to what is rolled out, by time. */
import type { Path } from '../core/issue.ts';
import { formatDuration } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import type { Complaints } from './complaints.ts';
import { findService } from './edges.ts';
import type { KnownService } from './services.ts';
import { change as changeShape } from './shape-changes.ts';
import type { ChangeSpec, VersionSpec } from './spec.ts';
import { type KnownVersions, unknownVersion } from './versions.ts';

interface Written {
  readonly change: ChangeSpec;
  readonly path: Path;
}

/** Empty where nothing is rolled out; what is wrong is left out after complaints. */
export function compileChanges(
  services: readonly KnownService[] | undefined,
  versions: readonly KnownVersions[] | undefined,
  durationMs: Ms,
  complaints: Complaints,
): readonly ChangeSpec[] {
  const hint = 'write changes: [{ type: release, at: 2m, service: api, version: v2 }]';
  const count = complaints.listLength(['changes'], 'changes', { hint, mayBeEmpty: true });
  const written: Written[] = [];
  for (let index = 0; index < count; index++) {
    const path = ['changes', index];
    const change = compileChange(path, services, versions, durationMs, complaints);
    if (change !== undefined) written.push({ change, path });
  }
  const sorted = written.toSorted((a, b) => a.change.atMs - b.change.atMs);
  if (versions !== undefined) complainOfRepetition(sorted, services!, versions, complaints);
  return sorted.map(({ change }) => change);
}

function compileChange(
  path: Path,
  services: readonly KnownService[] | undefined,
  versions: readonly KnownVersions[] | undefined,
  durationMs: Ms,
  complaints: Complaints,
): ChangeSpec | undefined {
  const shape = complaints.check(changeShape, path);
  if (shape === undefined) return undefined;
  if (shape.at >= durationMs)
    complaints.warn('after-the-end', [...path, 'at'], `never happens: the run ends at ${formatDuration(durationMs)}`);
  const service = findService(shape.service, [...path, 'service'], services, complaints);
  if (service === -1 || versions === undefined) return undefined;
  const { names, specs } = versions[service];
  if (names === undefined) return undefined;
  if (!names.includes(shape.version)) {
    complaints.error('unknown-version', [...path, 'version'], ...unknownVersion(shape.service, shape.version, names));
    return undefined;
  }
  const spec = specs.find(({ name }) => name === shape.version);
  if (spec !== undefined && shape.type === 'release') complainOfConfiguration(spec, path, complaints);
  return {
    ...{ kind: shape.type, atMs: shape.at, service, version: shape.version },
    ...(shape.slow === undefined ? {} : { slowMs: shape.slow }),
  };
}

/** What hosts read cannot be released. */
function complainOfConfiguration({ name, clients, effects, isMalformed }: VersionSpec, path: Path, complaints: Complaints): void {
  const place = [...path, 'version'];
  const hint = 'write type: config';
  if (isMalformed)
    complaints.error('not-released', place, `${name} is malformed: hosts refuse it, which only configuration can be`, hint);
  else if (clients !== undefined && effects.length === 0)
    complaints.error('not-released', place, `${name} only says what clients do, which is configuration`, hint);
  else if (clients !== undefined)
    complaints.warn('idle', place, `what ${name} says of clients is not released with its instances`, hint);
}

/** Two at once, and what is asked for already. */
function complainOfRepetition(
  sorted: readonly Written[],
  services: readonly KnownService[],
  versions: readonly KnownVersions[],
  complaints: Complaints,
): void {
  const last = new Map<string, { readonly version: string; readonly atMs: Ms }>();
  for (const { change, path } of sorted) {
    const { kind, service, version, atMs } = change;
    const key = `${kind} ${service}`;
    const { name } = services[service];
    const before = last.get(key);
    last.set(key, change);
    if (before?.atMs === atMs) {
      const what = kind === 'release' ? `a release of ${name}` : `a configuration of ${name}`;
      const message = `${what} is asked for at that moment already: ${before.version}`;
      complaints.error('duplicate', path, message, 'give it another time');
    } else if ((before?.version ?? versions[service].names?.[0]) === version) {
      const since = before === undefined ? 'from the start' : `since ${formatDuration(before.atMs)}`;
      const message = `${version} is what ${name} shall have ${since}: nothing changes`;
      complaints.error('no-change', [...path, 'version'], message, 'name another version');
    }
  }
}
