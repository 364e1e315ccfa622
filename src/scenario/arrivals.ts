/** `arrivals:` of a stream to the process its requests arrive by. */
import type { z } from 'zod';
import type { DistributionSpec } from '../core/distribution-spec.ts';
import type { Path } from '../core/issue.ts';
import { formatDuration } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import type { KnownClasses } from './class-mix.ts';
import { balancedMeans, compileDistribution, normalised, oneOf, type Env } from './distributions.ts';
import { constantCurve } from './rate-curve-spec.ts';
import { compileReplay } from './recordings.ts';
import type { arrivals } from './shape-traffic.ts';
import type { ArrivalSpec, RateCurveSpec } from './spec.ts';
import { compileTrace } from './trace.ts';

export type ArrivalShape = z.output<typeof arrivals>;

/** The curve is what the arrivals bring along, before any profile. */
interface Arrivals {
  readonly spec: ArrivalSpec;
  readonly curve: RateCurveSpec;
}

/** Undefined after complaints. */
export async function compileArrivals(
  shape: ArrivalShape,
  path: Path,
  classes: KnownClasses,
  durationMs: Ms,
  env: Env,
): Promise<Arrivals | undefined> {
  if (shape.type === 'trace') {
    const trace = await compileTrace(shape, path, durationMs, env);
    return trace && { spec: trace.arrivals, curve: trace.curve };
  }
  if (shape.type === 'replay') {
    const data = await compileReplay(shape, path, classes, durationMs, env);
    return data && { spec: { type: 'replay', data, closed: shape.closed }, curve: constantCurve };
  }
  if (shape.type === 'users') {
    const spec = await compileUsers(shape, path, env);
    return spec && { spec, curve: constantCurve };
  }
  const spec = compileProcess(shape, path, durationMs, env);
  return spec && { spec, curve: constantCurve };
}

type Process = Exclude<ArrivalShape, { type: 'trace' | 'replay' | 'users' }>;

function compileProcess(shape: Process, path: Path, durationMs: Ms, env: Env): ArrivalSpec | undefined {
  switch (shape.type) {
    case 'constant':
    case 'poisson':
      return { type: shape.type, perSecond: shape.rate };
    case 'gamma':
      if (!oneOf(shape, ['shape', 'cv'], path, env)) return undefined;
      return { type: 'gamma', perSecond: shape.rate, shape: shape.shape ?? 1 / (shape.cv! * shape.cv!) };
    case 'weibull':
      return { type: 'weibull', perSecond: shape.rate, shape: shape.shape };
    case 'hyperexponential': {
      if (!oneOf(shape, ['cv2', 'branches'], path, env)) return undefined;
      if (shape.branches === undefined)
        return { type: 'hyperexponential', perSecond: shape.rate, branches: balancedMeans(1, shape.cv2!) };
      const shares = normalised(shape.branches, [...path, 'branches'], env);
      const branches = shares && shape.branches.map(({ mean }, index) => ({ share: shares[index], mean }));
      return branches && { type: 'hyperexponential', perSecond: shape.rate, branches };
    }
    case 'mmpp':
      if (shape.states.every(({ rate }) => rate === 0)) {
        env.complaints.error('bad-arrivals', [...path, 'states'], 'the rate is 0 in every state');
        return undefined;
      }
      return { type: 'mmpp', states: shape.states.map(({ rate, mean }) => ({ perSecond: rate, meanMs: mean })) };
    case 'batch':
      return { type: 'batch', perSecond: shape.rate, size: shape.size };
    case 'bursts': {
      const { every, size, spread, first } = shape;
      if (spread > every) {
        const message = `a burst spread over ${formatDuration(spread)} is not over when the next one comes, after ${formatDuration(every)}`;
        env.complaints.error('bad-arrivals', [...path, 'spread'], message);
        return undefined;
      }
      if (first >= durationMs) {
        env.complaints.error('bad-arrivals', [...path, 'first'], `no burst comes: the run ends at ${formatDuration(durationMs)}`);
        return undefined;
      }
      return { type: 'bursts', everyMs: every, size, spreadMs: spread, firstMs: first };
    }
  }
}

async function compileUsers(
  shape: Extract<ArrivalShape, { type: 'users' }>,
  path: Path,
  env: Env,
): Promise<ArrivalSpec | undefined> {
  const think = await compileDistribution(shape.think, [...path, 'think'], env);
  const gap =
    shape.session === undefined ? never : await compileDistribution(shape.session.gap, [...path, 'session', 'gap'], env);
  return think && gap && { type: 'users', users: shape.users, think, requests: shape.session?.requests ?? Infinity, gap };
}

/** Between sessions that never end. */
const never: DistributionSpec = { type: 'constant', value: 0 };
