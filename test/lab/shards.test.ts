import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeShards, parseShard, serializeShard, shardFile, shareOf } from '../../src/lab/shards.ts';
import { sha256 } from '../../src/lab/fingerprint.ts';

describe('--shard', () => {
  test.each<[string, Record<string, string>, number | undefined, string]>([
    ['2/5', {}, undefined, '2/5'],
    ['auto', { CLUSTERLAB_SHARD: '3/4', CI_NODE_INDEX: '1', CI_NODE_TOTAL: '2' }, undefined, '3/4'],
    ['auto', { CI_NODE_INDEX: '2', CI_NODE_TOTAL: '3' }, undefined, '2/3'],
    ['auto', { CIRCLE_NODE_INDEX: '0', CIRCLE_NODE_TOTAL: '3' }, undefined, '1/3'],
    ['auto', { BUILDKITE_PARALLEL_JOB: '2', BUILDKITE_PARALLEL_JOB_COUNT: '3' }, undefined, '3/3'],
    ['auto', { BITBUCKET_PARALLEL_STEP: '1', BITBUCKET_PARALLEL_STEP_COUNT: '2' }, undefined, '2/2'],
    ['auto', { SLURM_ARRAY_TASK_ID: '12', SLURM_ARRAY_TASK_MIN: '10', SLURM_ARRAY_TASK_COUNT: '4' }, undefined, '3/4'],
    ['auto', { AWS_BATCH_JOB_ARRAY_INDEX: '0', AWS_BATCH_JOB_ARRAY_SIZE: '2' }, undefined, '1/2'],
    ['auto', { JOB_COMPLETION_INDEX: '4' }, 5, '5/5'],
    // GitLab sets the total to 1 without parallel jobs.
    ['auto', { CI_NODE_TOTAL: '1', JOB_COMPLETION_INDEX: '0' }, 2, '1/2'],
  ])('%s with %o is %s', (text, env, of, expected) => {
    const { index, of: count } = parseShard(text, env, of);
    expect(`${index}/${count}`).toBe(expected);
  });

  test.each<[Record<string, string>, RegExp]>([
    [{}, /no CI system says/],
    [{ CI_NODE_TOTAL: '4' }, /sets CI_NODE_TOTAL but not CI_NODE_INDEX/],
    [{ CIRCLE_NODE_INDEX: '0' }, /sets CIRCLE_NODE_INDEX but not CIRCLE_NODE_TOTAL/],
    [{ JOB_COMPLETION_INDEX: '0' }, /not the number of completions/],
    [{ CI_NODE_INDEX: '5', CI_NODE_TOTAL: '4' }, /is no shard/],
    [{ CI_NODE_INDEX: 'two', CI_NODE_TOTAL: '4' }, /is not a number/],
  ])('auto with %o is refused', (env, message) => {
    expect(() => parseShard('auto', env)).toThrow(message);
  });
});

const cellOf = (key: string) => ({ metrics: { x: key.length }, digest: key });
const shardsOf = (keys: readonly string[], of: number) =>
  Array.from({ length: of }, (_, i) => {
    const shard = { index: i + 1, of };
    const own = shareOf(
      keys.map((key) => ({ key })),
      shard,
    );
    const cells = Object.fromEntries(own.map(({ key }) => [key, cellOf(key)]));
    return { file: shardFile(shard), text: serializeShard({ kind: 'sweep', shard, request: { about: 'x' }, keys, cells }) };
  });

test('any number of shards, in any order and some of them twice, are the whole', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 40 }), fc.nat(), (of, count, turn) => {
      const keys = Array.from({ length: count }, (_, i) => sha256(String(i)));
      const shards = shardsOf(keys, of);
      const mixed = [...shards, shards[turn % of]].toSorted((a, b) => (sha256(a.file + turn) < sha256(b.file + turn) ? -1 : 1));
      const { cells, keys: all } = mergeShards(mixed, { allowPartial: false });
      expect(all.map((key) => cells.get(key))).toEqual(keys.map(cellOf));
      expect(cells.size).toBe(count);
      // No shard has more than its share.
      for (const { text } of shards)
        expect(Object.keys((JSON.parse(text) as { cells: object }).cells).length).toBeLessThanOrEqual(Math.ceil(count / of));
    }),
    { numRuns: 100, seed: 11 },
  );
});

describe('shards are refused', () => {
  const keys = ['a', 'b', 'c', 'd'].map(sha256);
  const [one, two] = shardsOf(keys, 2);
  const merge = (...files: { file: string; text: string }[]) => mergeShards(files, { allowPartial: false });
  /** The same with other content and a checksum that fits. */
  const forged = (change: (shard: { cells: Record<string, unknown>; request: unknown; keys: string[] }) => void) => {
    const body = JSON.parse(two.text) as {
      kind: 'sweep';
      shard: { index: number; of: number };
      request: unknown;
      keys: string[];
      cells: Record<string, unknown>;
    };
    change(body);
    const { kind, shard, request, keys: all, cells } = body;
    return { file: 'forged.json', text: serializeShard({ kind, shard, request, keys: all, cells }) };
  };

  test('when one is missing', () => expect(() => merge(one)).toThrow('shard 2 of 2 is missing'));
  test('when there are none', () => expect(() => merge()).toThrow('no shards'));
  test('when two disagree about a cell', () => {
    const other = forged(({ cells }) => (cells[Object.keys(cells)[0]] = cellOf('other')));
    expect(() => merge(one, two, other)).toThrow(/disagree about cell/);
  });
  test('when a cell is lost', () => {
    const lossy = forged(({ cells }) => delete cells[Object.keys(cells)[0]]);
    expect(() => merge(one, lossy)).toThrow('1 cells are missing');
  });
  test('when a cell belongs to another shard', () => {
    const greedy = forged(
      ({ cells }) => (cells[Object.keys((JSON.parse(one.text) as { cells: object }).cells)[0]] = cellOf('x')),
    );
    expect(() => merge(one, greedy)).toThrow('not its own');
  });
  test('when the request is another one', () => {
    expect(() =>
      merge(
        one,
        forged((shard) => (shard.request = { about: 'y' })),
      ),
    ).toThrow('belongs to another experiment');
  });
});
