/** `gate` and `baseline` as users run them. A policy is what changes between the files; everything else stays. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { clusterlab, type Ended, folderWith, tinyScenario } from './clusterlab.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const traffic = '[{ to: api, arrivals: { type: poisson, rate: 600/s }, timeout: 1s }]';
const expectations = `
  - { check: availability > 50%, of: ours }
  - { check: latency.p99 < 1ms, level: warn }
  - { check: latency.p50 < 1ms, level: off }`;
const scenario = (ours: string, rest: Record<string, string> = {}): string =>
  tinyScenario({
    run: '{ duration: 6s, warmup: 1s, seeds: 10 }',
    traffic,
    compare: `{ balancer: [round-robin, { use: ${ours}, label: ours }] }`,
    expect: expectations,
    ...rest,
  });
const cwd = folderWith({
  'good.yaml': scenario('p2c'),
  'worse.yaml': scenario('random'),
  'alone.yaml': tinyScenario({ run: '{ duration: 6s, warmup: 1s, seeds: 5 }', traffic, policies: '{ balancer: p2c }' }).replace(
    /^compare: .*\n/m,
    '',
  ),
  'narrow.yaml': scenario('least-request', { gate: '[{ metric: latency.p99, maxWorse: 4%, of: ours }]' }),
  'failing.yaml': scenario('p2c', { name: 'other', expect: '[latency.p99 < 1ms]' }),
  'silent.yaml': scenario('p2c', { expect: '[]' }),
});
const run = (...args: string[]): Promise<Ended> => clusterlab(args, { cwd });

beforeAll(async () => {
  expect(await run('baseline', 'save', 'main', 'good.yaml')).toMatchObject({
    code: 0,
    stdout: 'Saved main: tiny (2 variants, 10 seeds) in baselines/main.json\n',
  });
});

describe('a gate', () => {
  test('passes what is unchanged, with the first seeds alone, and warns where it is told to', async () => {
    const { code, stdout } = await run('gate', 'good.yaml', '-b', 'main');
    expect(stdout).toMatch(/tiny {3}5 of 10 seeds/);
    expect(stdout).toMatch(/good\.yaml:11:14 ⚠ latency\.p99 < 1ms {3}ours: .* ms \(.* ms\)/);
    expect(stdout).not.toContain('latency.p50 <');
    expect(stdout).toMatch(/Passed against main: 13 checks \(2 warnings\)\.\n$/);
    expect(code).toBe(0);
  });

  test('fails what got worse, with place, numbers, interval and the command that repeats it', async () => {
    const { code, stdout } = await run('gate', 'worse.yaml', '-b', 'main');
    expect(stdout).toMatch(
      /worse\.yaml:1:1 ✗ latency\.mean against main {3}ours: [\d.]+ ms -> [\d.]+ ms, \+\d+ % \[\+\d+ \.\. \+\d+\], margin 1 %: worse after 5 seeds/,
    );
    expect(stdout).toMatch(/Again: clusterlab compare worse\.yaml/);
    expect(code).toBe(1);
  });

  test('a policy that stands alone is compared with the one that stood there before, whatever it is called', async () => {
    expect((await run('baseline', 'save', 'alone', 'alone.yaml')).code).toBe(0);
    const { code, stdout } = await run('gate', 'alone.yaml', '-b', 'alone', '--set', 'policies.balancer=random');
    expect(stdout).toMatch(/✗ latency\.mean against alone {3}random: /);
    expect(stdout).toContain('"random" is compared with "p2c" of baseline alone: each is the only variant');
    expect(code).toBe(1);
    expect((await run('baseline', 'rm', 'alone')).code).toBe(0);
  });

  test('a margin decides what is worse', async () => {
    const wide = ['latency.mean', 'latency.p50', 'latency.p99', 'latency.p99.9'].flatMap((name) => ['--margin', `${name}=300%`]);
    expect((await run('gate', 'worse.yaml', '-b', 'main', ...wide)).code).toBe(0);
  });

  test('says what it cannot tell, and only --strict makes that an exit code', async () => {
    const loose = await run('gate', 'narrow.yaml', '-b', 'main');
    expect(loose.stdout).toMatch(/narrow\.yaml:13:18 ~ latency\.p99 against main {3}ours: .*: inconclusive after 10 seeds/);
    expect(loose).toMatchObject({ code: 0, stderr: expect.stringContaining('--strict makes it exit code 3') });
    expect((await run('gate', 'narrow.yaml', '-b', 'main', '--strict')).code).toBe(3);
  });

  test('compares bytes when asked to', async () => {
    expect((await run('gate', 'good.yaml', '-b', 'main', '--exact')).code).toBe(0);
    const { code, stdout } = await run('gate', 'worse.yaml', '-b', 'main', '--exact');
    expect(stdout).toMatch(/✗ same bytes as main {3}ours: seed 1:\d+: digest [0-9a-f]+, the baseline has [0-9a-f]+/);
    expect(code).toBe(1);
  });

  test('checks several scenarios at once', async () => {
    const { code, stdout } = await run('gate', 'good.yaml', 'failing.yaml', '-b', 'main', '--lenient', '-q');
    expect(stdout).toMatch(
      /failing\.yaml:9:10 ✗ latency\.p99 < 1ms[\s\S]*note: baseline main has no scenario "other"[\s\S]*Failed/,
    );
    expect(code).toBe(1);
  });
});

describe('what cannot be compared is refused with exit code 5', () => {
  test.each<[string, string[], RegExp]>([
    [
      'a baseline that is not there',
      ['good.yaml', '-b', 'mian'],
      /there is no baseline "mian" in baselines; there is main\n {2}hint: did you mean "main"\?/,
    ],
    ['a scenario it does not know', ['failing.yaml', '-b', 'main'], /has no scenario "other"; it has tiny/],
    [
      'other traffic',
      ['good.yaml', '-b', 'main', '--lenient', '--set', 'traffic[0].timeout=2s'],
      /traffic of tiny differs from baseline main/,
    ],
    ['another duration', ['good.yaml', '-b', 'main', '--set', 'run.duration=7s'], /run of tiny differs/],
    [
      'other servers',
      ['good.yaml', '-b', 'main', '--set', 'services.api.slots=3'],
      /services of tiny differs.*\n {2}hint: only policies may differ/,
    ],
    [
      'other seeds',
      ['good.yaml', '-b', 'main', '--seed', 'x'],
      /has the seeds x:1 to x:10 \(10\), the baseline 1:1 to 1:10 \(10\)/,
    ],
    [
      'a variant that is gone',
      ['good.yaml', '-b', 'main', '--set', 'compare.balancer=[round-robin]', '--set', 'expect=[availability > 1%]'],
      /variant "ours" of baseline main is gone/,
    ],
  ])('%s', async (_, args, message) => {
    const { code, stderr, stdout } = await run('gate', ...args);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([5, '']);
  });

  test('--lenient passes over servers that changed, and says so', async () => {
    const { code, stdout } = await run('gate', 'good.yaml', '-b', 'main', '--set', 'services.api.queue=200', '--lenient');
    expect(stdout).toContain('note: services of tiny differs from baseline main');
    expect(code).toBe(0);
  });
});

describe('reporters', () => {
  const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(cwd, 'summary.md') };

  test('all of them from one gate', async () => {
    const list = 'default,json=out/gate.json,junit=out/junit.xml,github,markdown=out/gate.md,ghbench=out/bench.json';
    const { code, stdout } = await clusterlab(['gate', 'worse.yaml', '-b', 'main', '--reporter', list], { cwd, env });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^::error file=worse\.yaml,line=1,col=1,endColumn=2,title=latency\.\S+ against main \(ours\)::.*%25.*%0AAgain/m,
    );
    expect(stdout).toMatch(/^::warning file=worse\.yaml,line=11,col=14/m);
    const read = (name: string): string => readFileSync(join(cwd, name), 'utf8');
    const found = JSON.parse(read('out/gate.json')) as { schema: string; verdict: string; mode: string };
    expect(found).toMatchObject({ schema: 'clusterlab-gate/1', verdict: 'failed', mode: 'statistical' });
    expect(read('out/junit.xml')).toMatch(/<failure message="ours: [^"]*worse after \d+ seeds" type="baseline">/);
    expect(read('out/gate.md')).toMatch(
      /^### ❌ Failed against main[\s\S]*\| ❌ \|[\s\S]*\*\*tiny\*\* against main, 10 paired seeds/,
    );
    expect(read('summary.md')).toBe(read('out/gate.md'));
    const [point] = JSON.parse(read('out/bench.json')) as { name: string; unit: string; value: number }[];
    expect(point).toMatchObject({ name: 'tiny / round-robin / latency.mean', unit: 'ms', value: expect.any(Number) as number });
  });

  test('annotations come by themselves on GitHub', async () => {
    const { stdout } = await clusterlab(['gate', 'worse.yaml', '-b', 'main'], { cwd, env });
    expect(stdout).toContain('::error file=worse.yaml');
  });

  test('of a comparison without a baseline', async () => {
    const { code, stdout } = await run('compare', 'failing.yaml', '--seeds', '2', '--no-out', '--reporter', 'junit');
    expect(stdout).toMatch(/^<\?xml[\s\S]*<failure message="round-robin: .*" type="expectation">/);
    expect(code).toBe(1);
  });
});

describe('baseline', () => {
  test('list, show, diff, rm', async () => {
    await run('baseline', 'save', 'next', 'worse.yaml', '-q');
    expect((await run('baseline', 'list')).stdout).toBe('main  tiny (2 variants, 10 seeds)\nnext  tiny (2 variants, 10 seeds)\n');
    expect((await run('baseline', 'show', 'main')).stdout).toMatch(/round-robin +100 %|round-robin +99/);
    expect((await run('baseline', 'diff', 'main', 'next')).stdout).toMatch(
      /1 variant with the same bytes\n {2}ours +\S+[\s\S]*worse/,
    );
    expect((await run('baseline', 'rm', 'next')).stdout).toBe('Removed next\n');
    expect((await run('baseline', 'rm', 'next')).code).toBe(5);
  });

  test('saving again gives the same bytes', async () => {
    const before = readFileSync(join(cwd, 'baselines/main.json'), 'utf8');
    await run('baseline', 'save', 'main', 'good.yaml', '-q');
    expect(readFileSync(join(cwd, 'baselines/main.json'), 'utf8')).toBe(before);
  });

  test('an edited file is refused, by every command that reads it', async () => {
    const text = readFileSync(join(cwd, 'baselines/main.json'), 'utf8');
    writeFileSync(join(cwd, 'baselines/edited.json'), text.replace(/"latency.mean": \[\d/, '"latency.mean": [9'));
    for (const args of [
      ['baseline', 'show', 'edited'],
      ['baseline', 'list'],
      ['gate', 'good.yaml', '-b', 'edited'],
    ])
      expect(await run(...args)).toMatchObject({ code: 5, stderr: expect.stringContaining('was changed since it was saved') });
  });
});
