/** `metastability:` to the rule by which a lasting failure is told from a passing one. */
import type { Path } from '../core/issue.ts';
import { formatDuration } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import type { Complaints } from './complaints.ts';
import { nodeAt } from './node.ts';
import { metastability as shapeOf } from './shape-edges.ts';
import { profile as profileShape } from './shape-traffic.ts';
import type { FaultSpec, MetastabilitySpec } from './spec.ts';

interface Span {
  readonly fromMs: Ms;
  readonly toMs: Ms;
}

/** Undefined when it is not asked for, or after complaints. */
export function compileMetastability(
  faults: readonly FaultSpec[],
  durationMs: Ms,
  warmupMs: Ms,
  complaints: Complaints,
): MetastabilitySpec | undefined {
  const path = ['metastability'];
  const shape = complaints.check(shapeOf, path);
  if (shape === undefined) return undefined;
  const trigger =
    shape.trigger === undefined
      ? triggerOf(faults, durationMs, complaints)
      : { fromMs: shape.trigger.from, toMs: shape.trigger.to };
  if (trigger === undefined) {
    complaints.error(
      'no-trigger',
      path,
      'nothing here can trigger a failure',
      'plan a fault or a spike that ends, or write trigger: { from: 60s, to: 70s }',
    );
    return undefined;
  }
  return isPossible(trigger, shape.trigger === undefined ? path : [...path, 'trigger'], durationMs, warmupMs, complaints)
    ? {
        ...{ triggerBeginsMs: trigger.fromMs, triggerEndsMs: trigger.toMs, recoveredShare: shape.recovered },
        ...(shape.escape === undefined ? {} : { escape: shape.escape }),
      }
    : undefined;
}

/** From the first begin to the last end of what is planned and passes. */
function triggerOf(faults: readonly FaultSpec[], durationMs: Ms, complaints: Complaints): Span | undefined {
  const planned = faults.flatMap(({ schedule }) =>
    schedule.type !== 'random' ? [{ fromMs: schedule.atMs, toMs: schedule.atMs + schedule.forMs }] : [],
  );
  const passing = [...planned, ...spikes(complaints)].filter(({ toMs }) => toMs < durationMs);
  if (passing.length === 0) return undefined;
  return { fromMs: Math.min(...passing.map(({ fromMs }) => fromMs)), toMs: Math.max(...passing.map(({ toMs }) => toMs)) };
}

function spikes(complaints: Complaints): Span[] {
  const traffic = nodeAt(complaints.root, ['traffic']);
  const count = traffic?.kind === 'list' ? traffic.items.length : 0;
  return Array.from({ length: count }, (_, index) => complaints.check(profileShape, ['traffic', index, 'profile']))
    .flatMap((profile) => profile ?? [])
    .flatMap((part) => (part.type === 'spike' ? [{ fromMs: part.at, toMs: part.at + part.for }] : []));
}

function isPossible({ fromMs, toMs }: Span, path: Path, durationMs: Ms, warmupMs: Ms, complaints: Complaints): boolean {
  const complain = (message: string, hint: string): false => {
    complaints.error('bad-trigger', path, message, hint);
    return false;
  };
  if (fromMs > toMs)
    return complain(
      `the trigger ends at ${formatDuration(toMs)}, before it begins at ${formatDuration(fromMs)}`,
      'from is before to',
    );
  if (toMs >= durationMs)
    return complain(
      `the trigger ends at ${formatDuration(toMs)}, the run at ${formatDuration(durationMs)}`,
      'recovery needs time to be seen',
    );
  if (fromMs <= warmupMs) {
    const message = `the trigger begins at ${formatDuration(fromMs)}, within the warm-up of ${formatDuration(warmupMs)}`;
    return complain(message, 'what came before it is what recovery is measured by');
  }
  return true;
}
