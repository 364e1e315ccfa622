/** `faults:` to what goes wrong, where and when. */
import type { z } from 'zod';
import type { Path } from '../core/issue.ts';
import { formatDuration, formatFraction, show } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import { compileDistribution, type Env } from './distributions.ts';
import { knownHint } from './hints.ts';
import { zonesOf, type KnownService } from './services.ts';
import { fault as faultShape } from './shape.ts';
import type { FaultEffect, FaultSchedule, FaultSpec } from './spec.ts';
import { findTargets } from './targets.ts';

type FaultShape = z.output<typeof faultShape>;
type Targets = FaultSpec['targets'];

export async function compileFaults(
  services: readonly KnownService[] | undefined,
  durationMs: Ms,
  env: Env,
): Promise<FaultSpec[]> {
  const { complaints } = env;
  if (!complaints.has(['faults'])) return [];
  const count = complaints.listLength(['faults'], 'faults', { mayBeEmpty: true });
  const faults: FaultSpec[] = [];
  const places: Path[] = [];
  for (let index = 0; index < count; index++) {
    const path = ['faults', index];
    const shape = complaints.check(faultShape, path);
    if (shape === undefined) continue;
    const schedule = await compileSchedule(shape, path, durationMs, env);
    const targets = services === undefined ? undefined : compileTargets(shape, path, services, env);
    if (schedule === undefined || targets === undefined) continue;
    faults.push({ label: labelOf(shape), targets, schedule, ...effectOf(shape) });
    places.push(path);
  }
  complainOfOverlaps(faults, places, services ?? [], env);
  return faults;
}

function compileTargets(
  shape: FaultShape,
  path: Path,
  services: readonly KnownService[],
  { complaints }: Env,
): Targets | undefined {
  if (shape.type !== 'zone-outage') return findTargets(shape.target, [...path, 'target'], services, complaints);
  const targets = services.flatMap(({ instances = [] }, service) =>
    instances.flatMap(({ zone }, instance) => (zone === shape.zone ? [{ service, instance }] : [])),
  );
  if (targets.length > 0) return targets;
  if (services.every(({ instances }) => instances !== undefined)) {
    complaints.error(
      'unknown-zone',
      [...path, 'zone'],
      `no instance is in zone ${show(shape.zone)}`,
      knownHint(shape.zone, zonesOf(services)),
    );
  }
  return undefined;
}

async function compileSchedule(shape: FaultShape, path: Path, durationMs: Ms, env: Env): Promise<FaultSchedule | undefined> {
  const { complaints } = env;
  if (shape.type !== 'zone-outage' && shape.random !== undefined) {
    for (const key of ['at', 'for'] as const) {
      if (shape[key] === undefined) continue;
      complaints.error('contradiction', [...path, key], `give either random, or at and for`);
      return undefined;
    }
    const timeToFailure = await compileDistribution(shape.random.mttf, [...path, 'random', 'mttf'], env, { above0: true });
    const timeToRepair = await compileDistribution(shape.random.mttr, [...path, 'random', 'mttr'], env, { above0: true });
    return timeToFailure && timeToRepair && { type: 'random', timeToFailure, timeToRepair };
  }
  if (shape.at === undefined) {
    complaints.error(
      'missing-key',
      path,
      'missing key "at"',
      'say when: at, and for if it ends; or random: { mttf: ..., mttr: ... }',
    );
    return undefined;
  }
  if (shape.at >= durationMs) {
    complaints.warn('after-the-end', [...path, 'at'], `never happens: the run ends at ${formatDuration(durationMs)}`);
  }
  return { type: 'once', atMs: shape.at, forMs: shape.for ?? Infinity };
}

function effectOf(shape: FaultShape): FaultEffect {
  switch (shape.type) {
    case 'slow':
      return { type: 'slow', factor: shape.factor };
    case 'errors':
      return { type: 'errors', share: shape.share };
    case 'zone-outage':
      return { type: 'zone-outage', zone: shape.zone };
    default:
      return { type: shape.type };
  }
}

/** `slow api/3 x5`. */
function labelOf(shape: FaultShape): string {
  if (shape.type === 'zone-outage') return `zone-outage ${shape.zone}`;
  const target = typeof shape.target === 'string' ? shape.target : shape.target.join(', ');
  const strength = shape.type === 'slow' ? ` x${shape.factor}` : shape.type === 'errors' ? ` ${formatFraction(shape.share)}` : '';
  return `${shape.type} ${target}${strength}`;
}

/** An instance that is down cannot crash: two crashes at once contradict each other. */
function complainOfOverlaps(
  faults: readonly FaultSpec[],
  places: readonly Path[],
  services: readonly KnownService[],
  { complaints }: Env,
): void {
  const earlier = new Map<string, { fromMs: Ms; toMs: Ms; isRandom: boolean; label: string }[]>();
  for (const [index, { type, targets, schedule, label }] of faults.entries()) {
    if (type !== 'crash' && type !== 'zone-outage') continue;
    const isRandom = schedule.type === 'random';
    const span =
      schedule.type === 'once' ? { fromMs: schedule.atMs, toMs: schedule.atMs + schedule.forMs } : { fromMs: 0, toMs: Infinity };
    for (const { service, instance } of targets) {
      const name = `${services[service]?.name}/${instance}`;
      const others = earlier.get(name) ?? [];
      // Random crashes may meet a planned one by chance, and that is no mistake; two of a kind always contradict.
      const other = others.find((each) => each.isRandom === isRandom && each.fromMs < span.toMs && span.fromMs < each.toMs);
      if (other !== undefined) {
        complaints.error('overlapping-faults', places[index], `${name} is down already at that time: ${other.label}`);
        break;
      }
      earlier.set(name, [...others, { ...span, isRandom, label }]);
    }
  }
}
