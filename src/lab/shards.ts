/** One experiment on several machines: each runs its share of the cells and writes one file, `merge` puts them together. The result is the
 *  same bytes as without shards, because it is made from the same cells by the same code. What does not belong together is refused: a
 *  part that is missing must never look like a whole. */
import { InputError, NotComparable } from '../core/errors.ts';
import { exactJson, parseExactJson } from '../core/exact-json.ts';
import { version } from '../core/version.ts';
import { sha256 } from './fingerprint.ts';

/** Both from 1. */
export interface ShardNumber {
  readonly index: number;
  readonly of: number;
}

const shardsMax = 10_000;

/** `2/5`, or `auto` for what the CI system says. `of` completes systems that tell the index alone. */
export function parseShard(text: string, env: Readonly<Record<string, string | undefined>>, of?: number): ShardNumber {
  if (text === 'auto') return fromEnvironment(env, of);
  const [, index, count] = /^(\d{1,5})\/(\d{1,5})$/.exec(text.trim()) ?? [];
  const shard = { index: Number(index), of: Number(count) };
  if (index === undefined || shard.of < 1 || shard.of > shardsMax || shard.index < 1 || shard.index > shard.of)
    throw InputError.of('bad-shard', `${JSON.stringify(text)} is not a shard`, 'write 2/5 for the second of five, or auto');
  return shard;
}

interface Convention {
  readonly system: string;
  readonly index: string;
  readonly count: string;
  /** Name of the variable with the first index; or the first index itself. */
  readonly first: string | 0 | 1;
}

/** In the order in which they are asked. */
const conventions: readonly Convention[] = [
  { system: 'GitLab', index: 'CI_NODE_INDEX', count: 'CI_NODE_TOTAL', first: 1 },
  { system: 'CircleCI', index: 'CIRCLE_NODE_INDEX', count: 'CIRCLE_NODE_TOTAL', first: 0 },
  { system: 'Buildkite', index: 'BUILDKITE_PARALLEL_JOB', count: 'BUILDKITE_PARALLEL_JOB_COUNT', first: 0 },
  { system: 'Bitbucket', index: 'BITBUCKET_PARALLEL_STEP', count: 'BITBUCKET_PARALLEL_STEP_COUNT', first: 0 },
  { system: 'Slurm', index: 'SLURM_ARRAY_TASK_ID', count: 'SLURM_ARRAY_TASK_COUNT', first: 'SLURM_ARRAY_TASK_MIN' },
  { system: 'AWS Batch', index: 'AWS_BATCH_JOB_ARRAY_INDEX', count: 'AWS_BATCH_JOB_ARRAY_SIZE', first: 0 },
];

function fromEnvironment(env: Readonly<Record<string, string | undefined>>, of: number | undefined): ShardNumber {
  const set = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const own = set('CLUSTERLAB_SHARD');
  if (own !== undefined && own !== 'auto') return parseShard(own, env, of);
  for (const { system, index, count, first } of conventions) {
    const [at, total] = [set(index), set(count)];
    // GitLab tells the total without parallel jobs, too.
    if (at === undefined && (total === undefined || (system === 'GitLab' && total === '1'))) continue;
    // Half a pair once made every shard run everything, and all of them green.
    if (at === undefined || total === undefined)
      throw bad(`${system} sets ${at === undefined ? count : index} but not ${at === undefined ? index : count}`);
    const start = typeof first === 'number' ? first : numberIn(set(first) ?? '0', first);
    return checked({ index: numberIn(at, index) - start + 1, of: numberIn(total, count) }, `${index}=${at}, ${count}=${total}`);
  }
  const completion = set('JOB_COMPLETION_INDEX');
  if (completion !== undefined) {
    if (of === undefined) throw bad('Kubernetes sets JOB_COMPLETION_INDEX but not the number of completions', 'add --of <n>');
    return checked(
      { index: numberIn(completion, 'JOB_COMPLETION_INDEX') + 1, of },
      `JOB_COMPLETION_INDEX=${completion}, --of ${of}`,
    );
  }
  throw bad('no CI system says which shard this is');
}

const bad = (problem: string, hint = 'write --shard 2/5, or set CLUSTERLAB_SHARD=2/5'): InputError =>
  InputError.of('bad-shard', `--shard auto: ${problem}`, hint);

function numberIn(text: string, name: string): number {
  if (!/^\d{1,6}$/.test(text)) throw bad(`${name}=${JSON.stringify(text)} is not a number`);
  return Number(text);
}

function checked(shard: ShardNumber, where: string): ShardNumber {
  if (shard.of < 1 || shard.of > shardsMax || shard.index < 1 || shard.index > shard.of) throw bad(`${where} is no shard`);
  return shard;
}

/** Whose turn a cell is: by its place in the order of keys, which spreads expensive neighbours. */
export function shareOf<Cell extends { readonly key: string }>(cells: readonly Cell[], { index, of }: ShardNumber): Cell[] {
  const place = new Map([...new Set(cells.map(({ key }) => key))].sort().map((key, i) => [key, i]));
  return cells.filter(({ key }) => place.get(key)! % of === index - 1);
}

export const shardSchema = 'clusterlab-shard/1';

export interface Shard {
  readonly kind: 'sweep' | 'run' | 'compare';
  readonly shard: ShardNumber;
  /** Everything but the cells that the result is made from; the same in all shards. */
  readonly request: unknown;
  /** What else is needed, but differs with the place where a shard ran; that of the first shard counts. */
  readonly aside?: unknown;
  /** Of all shards together, in the plan's order. */
  readonly keys: readonly string[];
  /** Those of this shard. */
  readonly cells: Readonly<Record<string, unknown>>;
}

/** Shards of one experiment do not clash in one folder. */
export const shardFile = ({ index, of }: ShardNumber): string => `shard-${index}-of-${of}.json`;

export function serializeShard(shard: Shard): string {
  const body = { schema: shardSchema, version, plan: planOf(shard), ...shard };
  return `${exactJson({ ...body, checksum: sha256(exactJson(body)) })}\n`;
}

const planOf = ({ kind, request, keys }: Shard): string => sha256(exactJson({ kind, request, keys }));

interface ReadShard extends Shard {
  readonly version: string;
  readonly plan: string;
}

/** Throws NotComparable for anything but what `serializeShard` wrote. */
export function parseShardFile(text: string, file: string): ReadShard {
  const again = 'run this shard again';
  let data: unknown;
  try {
    data = parseExactJson(text);
  } catch (error) {
    throw new NotComparable(`${file} is not JSON (${error instanceof Error ? error.message : String(error)})`, again);
  }
  if (typeof data !== 'object' || data === null || !String((data as { schema?: unknown }).schema).startsWith('clusterlab-shard/'))
    throw new NotComparable(`${file} is not a shard of clusterlab`, 'give the files that --shard wrote, or their folders');
  const { checksum, ...body } = data as ReadShard & { readonly schema: string; readonly checksum: string };
  if (body.schema !== shardSchema)
    throw new NotComparable(`${file} has schema ${body.schema}; this version reads ${shardSchema}`, again);
  if (checksum !== sha256(exactJson(body)) || body.plan !== planOf(body))
    throw new NotComparable(`${file} is damaged or was changed: its checksum does not fit`, again);
  return body;
}

export interface Merged {
  readonly kind: Shard['kind'];
  readonly request: unknown;
  readonly aside: unknown;
  readonly keys: readonly string[];
  readonly cells: ReadonlyMap<string, unknown>;
  /** Shards that are not there; only where that was allowed. */
  readonly missing: readonly number[];
}

export function mergeShards(
  files: readonly { readonly file: string; readonly text: string }[],
  { allowPartial }: { readonly allowPartial: boolean },
): Merged {
  if (files.length === 0)
    throw new NotComparable('there are no shards to merge', 'name the files that --shard wrote, or their folders');
  const shards = files.map(({ file, text }) => ({ file, ...parseShardFile(text, file) }));
  const [first] = shards;
  const cells = new Map<string, unknown>();
  const from = new Map<string, string>();
  for (const each of shards) {
    if (each.version !== version)
      throw new NotComparable(
        `${each.file} was made by clusterlab ${each.version}, this is ${version}`,
        'run all shards with one version',
      );
    if (each.plan !== first.plan || each.shard.of !== first.shard.of)
      throw new NotComparable(
        `${each.file} belongs to another experiment than ${first.file}${each.shard.of === first.shard.of ? '' : ` (one of ${each.shard.of} shards, not of ${first.shard.of})`}`,
        'merge the shards of one command, run on the same files',
      );
    const own = new Set(
      shareOf(
        each.keys.map((key) => ({ key })),
        each.shard,
      ).map(({ key }) => key),
    );
    for (const [key, cell] of Object.entries(each.cells)) {
      if (!own.has(key))
        throw new NotComparable(`${each.file} holds a cell that is not its own (${key.slice(0, 12)})`, 'run this shard again');
      if (cells.has(key) && exactJson(cells.get(key)) !== exactJson(cell))
        throw new NotComparable(
          `${each.file} and ${from.get(key)} disagree about cell ${key.slice(0, 12)}`,
          'equal cells give equal bytes: one of them ran with other files or another Node; run both again',
        );
      cells.set(key, cell);
      from.set(key, each.file);
    }
  }
  const there = new Set(shards.map(({ shard }) => shard.index));
  const missing = Array.from({ length: first.shard.of }, (_, i) => i + 1).filter((index) => !there.has(index));
  const lost = [...new Set(first.keys)].filter((key) => !cells.has(key));
  if (!allowPartial) {
    if (missing.length > 0)
      throw new NotComparable(
        `${missing.length === 1 ? 'shard' : 'shards'} ${missing.map((index) => `${index} of ${first.shard.of}`).join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
        'run them, or add --allow-partial for a report that says it is incomplete',
      );
    if (lost.length > 0)
      throw new NotComparable(`${lost.length} cells are missing from shards that were interrupted`, 'run these shards again');
  }
  return { kind: first.kind, request: first.request, aside: first.aside, keys: first.keys, cells, missing };
}
