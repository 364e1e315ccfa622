/** `arrivals: { type: replay }` to recorded requests, read once whatever the number of variants. */
import type { z } from 'zod';
import type { Path } from '../core/issue.ts';
import { formatDuration } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import { findClass, whyNoClassName, type KnownClasses } from './class-mix.ts';
import { reading } from './data-error.ts';
import type { Env } from './distributions.ts';
import { childOf, nodeAt } from './node.ts';
import type { ReplayData } from './replay-data.ts';
import { loadReplay, unnamedClass } from './replay.ts';
import { arrivals as arrivalsShape } from './shape-traffic.ts';

export type ReplayShape = Extract<z.output<typeof arrivalsShape>, { type: 'replay' }>;

/** The classes of all recordings, in order of appearance, and whether some stream is none: read before anything refers to a class. */
export async function recordedClasses(env: Env): Promise<{ names: readonly string[]; hasOthers: boolean }> {
  const { complaints } = env;
  const node = nodeAt(complaints.root, ['traffic']);
  const names = new Set<string>();
  let hasOthers = false;
  for (const [index, stream] of (node?.kind === 'list' ? node.items : []).entries()) {
    const kind = childOf(childOf(stream, 'arrivals') ?? stream, 'type');
    if (kind?.kind !== 'scalar' || kind.value !== 'replay') {
      hasOthers = true;
      continue;
    }
    const path = ['traffic', index, 'arrivals'];
    const shape = complaints.check(arrivalsShape, path);
    const data = shape?.type === 'replay' ? await readRecording(shape, path, env) : undefined;
    for (const name of data?.classNames ?? []) names.add(name);
  }
  return { names: [...names], hasOthers };
}

/** With its classes numbered as the scenario's. Undefined after complaints. */
export async function compileReplay(
  shape: ReplayShape,
  path: Path,
  classes: KnownClasses,
  durationMs: Ms,
  env: Env,
): Promise<ReplayData | undefined> {
  const data = await readRecording(shape, path, env);
  if (data === undefined) return undefined;
  const filePath = [...path, 'file'];
  const { complaints } = env;
  if (shape.closed && data.sessions === undefined) {
    complaints.error(
      'no-sessions',
      [...path, 'closed'],
      'the recording has no sessions, so nobody would wait',
      'it needs a column session',
    );
    return undefined;
  }
  const lastMs = data.timesMs[data.timesMs.length - 1];
  if (!shape.closed && lastMs < durationMs * 0.95) {
    const message = `the recording lasts ${formatDuration(lastMs)}, the run ${formatDuration(durationMs)}`;
    complaints.warn('recording-ends', filePath, message, 'shorten the run, or the rest of it is silence');
  }
  const numbers = data.classNames.map((name) => {
    const problem = whyNoClassName(name);
    if (problem !== undefined) complaints.error('bad-name', filePath, problem);
    // Rows without a class are of the first one, as are the requests of a stream that names none.
    const isUnnamed = name === unnamedClass && !classes.specs.some((each) => each.name === name);
    return isUnnamed ? 0 : findClass(name, filePath, classes, env);
  });
  if (numbers.includes(-1)) return undefined;
  return { ...data, classes: data.classes.map((number) => numbers[number]), classNames: classes.specs.map(({ name }) => name) };
}

function readRecording({ file, from, length, speedup }: ReplayShape, path: Path, env: Env): Promise<ReplayData | undefined> {
  return reading(file, [...path, 'file'], env, (absolutePath) => {
    const key = JSON.stringify([absolutePath, from, length, speedup]);
    let recording = env.recordings.get(key);
    if (recording === undefined) {
      const options = { fromMs: from, speedup, ...(length === undefined ? {} : { lengthMs: length }) };
      recording = loadReplay(env.data.open(absolutePath), options);
      env.recordings.set(key, recording);
    }
    return recording;
  });
}
