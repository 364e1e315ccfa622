/** `sweep`, shards, `merge`, `emit`: one result, however and wherever its cells ran. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { clusterlab, type Ended, folderWith, tinyScenario } from './clusterlab.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const cwd = folderWith({
  'lab.yaml': tinyScenario({
    run: '{ duration: 4s, warmup: 1s, seeds: 4 }',
    services: '{ api: { instances: 6, slots: 1, work: { type: constant, value: 10ms }, queue: 1000 } }',
    traffic: '[{ to: api, arrivals: { type: poisson, rate: 550/s } }]',
    compare: '{ balancer: [round-robin, random] }',
  }),
  'alone.yaml': tinyScenario({ compare: '{ balancer: [p2c] }', run: '{ duration: 2s, warmup: 0s, seeds: 2 }' }),
  'slots.txt': '# slots\n1\n2\n',
});
const run = (...args: string[]): Promise<Ended> => clusterlab(args, { cwd });
const sets = ['--set', 'load=20%..80%:30%', '--set', 'services.api.slots=1,2'];
/** Files of a result, without the store of cells, the shards, and the manifest that lists what is there. */
const resultOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(join(cwd, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(json|csv|html|svg)$/.test(name) && !/^cells|^shard-|^manifest/.test(name))
      .map((name) => [name, readFileSync(join(cwd, folder, name), 'utf8')]),
  );

const main = resolve(import.meta.dirname, '../../dist/cli/main.js');

/** Starts the program, and ends it once something is the case. */
function terminatedOnce(isTime: () => boolean, args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...process.env, CLUSTERLAB_JOBS: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const watch = setInterval(() => {
    if (isTime()) child.kill('SIGTERM');
  }, 20);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += String(chunk);
    // A second signal would kill.
    clearInterval(watch);
  });
  return new Promise((done) => {
    child.on('close', (code) => {
      clearInterval(watch);
      done({ code, stdout: '', stderr });
    });
  });
}

let whole: Record<string, string>;
beforeAll(async () => {
  const { code, stdout } = await run('sweep', 'lab.yaml', ...sets, '-o', 'whole');
  expect(stdout).toMatch(/lab|tiny {3}6 points, 2 variants, 4 seeds {3}latency\.p99/);
  expect(code).toBe(0);
  whole = resultOf('whole');
});

describe('a sweep', () => {
  test('writes the map of winners, effects, and all numbers', () => {
    expect(Object.keys(whole).sort()).toEqual([
      'charts/effects.svg',
      'charts/effects.vl.json',
      'charts/lines.svg',
      'charts/lines.vl.json',
      'charts/winners.svg',
      'charts/winners.vl.json',
      'report.html',
      'sweep.csv',
      'sweep.json',
    ]);
    const result = JSON.parse(whole['sweep.json']!) as { points: unknown[]; winners: { winner: number }[]; complete: boolean };
    expect(result.points).toHaveLength(6);
    // With constant work, rotation beats chance at the highest load.
    expect(result.winners.some(({ winner }) => winner === 0)).toBe(true);
    expect(result.complete).toBe(true);
  });

  test('runs nothing again that is there, and anything that is damaged', async () => {
    const cells = readdirSync(join(cwd, 'whole/cells'));
    expect(cells).toHaveLength(48);
    const again = await run('sweep', 'lab.yaml', ...sets, '-o', 'whole');
    expect(again.stderr).toContain('48 cells of 48 were there already');
    writeFileSync(join(cwd, 'whole/cells', cells[0]!), '{"half":');
    writeFileSync(
      join(cwd, 'whole/cells', cells[1]!),
      readFileSync(join(cwd, 'whole/cells', cells[1]!), 'utf8').replace(/"requests":\d/, '"requests":9'),
    );
    const third = await run('sweep', 'lab.yaml', ...sets, '-o', 'whole');
    expect(third.stderr).toContain('46 cells of 48 were there already');
    expect(resultOf('whole')).toEqual(whole);
  });

  test('one more value runs only its own cells', async () => {
    const { stderr } = await run(
      'sweep',
      'lab.yaml',
      '--set',
      'load=20%,50%,80%,90%',
      '--set',
      'services.api.slots=1',
      '-o',
      'whole',
    );
    expect(stderr).toContain('24 cells of 32 were there already');
    await run('sweep', 'lab.yaml', ...sets, '-o', 'whole', '-q');
  });

  test('interrupted, keeps what is finished and goes on there', async () => {
    const args = ['sweep', 'lab.yaml', ...sets, '--set', 'run.duration=100s', '-o', 'cut'];
    const { code, stderr } = await terminatedOnce(() => existsSync(join(cwd, 'cut/cells')), args);
    expect(stderr).toMatch(/incomplete: \d+ of 48 cells finished; the same command goes on from there/);
    expect(code).toBe(143);
    expect(readdirSync(join(cwd, 'cut')).sort()).toEqual(['cells', 'manifest.json']);
    const kept = readdirSync(join(cwd, 'cut/cells')).length;
    expect(kept).toBeGreaterThan(0);
    expect((await run(...args)).stderr).toContain(`${kept} cell${kept === 1 ? '' : 's'} of 48 were there already`);
  });

  test('compares the policies of a factor where the scenario compares nobody', async () => {
    const roles = await run(
      'sweep',
      'alone.yaml',
      '--set',
      'balancer=round-robin,p2c',
      '--set',
      'services.api.slots=@slots.txt',
      '--no-out',
    );
    expect(roles.stdout).toMatch(/2 points, 2 variants[\s\S]*services\.api\.slots/);
    expect(roles.code).toBe(0);
    const taken = await run('sweep', 'lab.yaml', '--set', 'policies.balancer=round-robin,p2c', '--no-out');
    expect(taken).toMatchObject({ code: 2, stderr: expect.stringContaining('compares variants already') });
    // A role that is not what is compared is a setting like any other.
    const other = await run('sweep', 'lab.yaml', '--set', 'policies.detector=none,heartbeat', '--no-out');
    expect(other.stdout).toMatch(/2 points, 2 variants[\s\S]*policies\.detector/);
  });

  test('takes a Latin hypercube of ranges', async () => {
    const args = [
      '--design',
      'lhs',
      '--points',
      '5',
      '--set',
      'load=20%..80%',
      '--set',
      'services.api.instances=4..8',
      '--no-out',
    ];
    const { stdout, code } = await run('sweep', 'lab.yaml', ...args, '--json');
    expect(code).toBe(0);
    const { factors, points } = JSON.parse(stdout) as { factors: { numbers: number[] }[]; points: { levels: number[] }[] };
    // Each fifth of the range is used once.
    const parts = factors[0]!.numbers.map((load) => Math.floor((load - 20) / 12));
    expect(parts).toEqual([0, 1, 2, 3, 4]);
    expect(points.map(({ levels }) => levels[0]).sort()).toEqual([0, 1, 2, 3, 4]);
    expect((await run('sweep', 'lab.yaml', ...args, '--json')).stdout).toBe(stdout);
  });
});

describe('shards', () => {
  test.each([2, 3])('%d of them give the same bytes as none', async (count) => {
    const folder = `shards-${count}`;
    for (let index = 1; index <= count; index++)
      expect((await run('sweep', 'lab.yaml', ...sets, '-o', folder, '--shard', `${index}/${count}`, '-q')).code).toBe(0);
    rmSync(join(cwd, folder, 'cells'), { recursive: true });
    expect((await run('merge', folder, '-o', `merged-${count}`, '-q')).code).toBe(0);
    expect(resultOf(`merged-${count}`)).toEqual(whole);
  });

  test('of a comparison as well, in folders of their own, numbered by the CI system', async () => {
    const args = ['compare', 'lab.yaml', '--seeds', '2', '-q'];
    expect((await run(...args, '-o', 'compared')).code).toBe(0);
    for (const index of ['0', '1']) {
      const env = { CIRCLE_NODE_INDEX: index, CIRCLE_NODE_TOTAL: '2' };
      await clusterlab([...args, '-o', `part-${index}`, '--shard', 'auto'], { cwd, env });
    }
    expect((await run('merge', 'part-0', 'part-1', '-o', 'joined', '-q')).code).toBe(0);
    expect(resultOf('joined')).toEqual(resultOf('compared'));
  });

  test('that are missing, foreign, conflicting or damaged are refused', async () => {
    const shard = (name: string): string => join(cwd, 'shards-2', name);
    const text = readFileSync(shard('shard-1-of-2.json'), 'utf8');
    await run('sweep', 'lab.yaml', '--set', 'load=20%,50%', '-o', 'foreign', '--shard', '2/2', '-q');
    const cases: [string[], RegExp][] = [
      [['shards-2/shard-1-of-2.json'], /shard 2 of 2 is missing/],
      [['shards-2', 'foreign'], /foreign\/shard-2-of-2\.json belongs to another experiment/],
      [['shards-2/shard-1-of-2.json', 'shards-3/shard-2-of-3.json'], /one of 3 shards, not of 2/],
      [['absent'], /cannot read absent \(ENOENT\)/],
      [['whole'], /there are no shards in whole/],
      [['lab.yaml'], /lab\.yaml is not JSON/],
      [['whole/sweep.json'], /is not a shard/],
    ];
    for (const [paths, message] of cases) {
      const { code, stderr } = await run('merge', ...paths, '--no-out');
      expect(stderr).toMatch(message);
      expect(code).toBe(5);
    }
    writeFileSync(join(cwd, 'shard-9-of-9.json'), text.slice(0, 500));
    expect(await run('merge', 'shard-9-of-9.json', '--no-out')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('is not JSON'),
    });
    writeFileSync(join(cwd, 'shard-9-of-9.json'), text.replace('"requests":', '"requests":1'));
    expect(await run('merge', 'shard-9-of-9.json', '--no-out')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('checksum'),
    });
  });

  test('a part can be looked at, marked as such', async () => {
    const { code, stderr, stdout } = await run('merge', 'shards-2/shard-1-of-2.json', '--allow-partial', '-o', 'partial');
    expect(stderr).toContain('without 1 of the shards (2)');
    expect(stdout).toContain('Incomplete');
    expect(code).toBe(5);
    expect(readFileSync(join(cwd, 'partial/manifest.json'), 'utf8')).toContain('"complete": false');
  });

  test('half a pair of variables is an error, not one shard that does it all', async () => {
    const { code, stderr } = await clusterlab(['sweep', 'lab.yaml', ...sets, '--shard', 'auto', '-o', 'half'], {
      cwd,
      env: { CI_NODE_TOTAL: '4' },
    });
    expect(stderr).toMatch(/GitLab sets CI_NODE_TOTAL but not CI_NODE_INDEX/);
    expect(code).toBe(2);
  });
});

describe('emit k8s', () => {
  test('is an Indexed Job whose pods run what its manifest says, as shards', async () => {
    const { stdout, code } = await run(
      'emit',
      'k8s',
      '--shards',
      '2',
      '--image',
      'registry/lab:1',
      '--',
      'sweep',
      'lab.yaml',
      ...sets,
    );
    expect(code).toBe(0);
    const job = parse(stdout) as {
      spec: {
        completionMode: string;
        completions: number;
        template: { spec: { restartPolicy: string; containers: { args: string[]; command: string[] }[] } };
      };
    };
    expect(job.spec).toMatchObject({ completionMode: 'Indexed', completions: 2, backoffLimitPerIndex: 2 });
    const [{ args, command }] = job.spec.template.spec.containers as [{ args: string[]; command: string[] }];
    expect(command).toEqual(['npx', 'clusterlab']);
    // What the two pods would do, with a folder for the volume.
    const here = args.map((each) => (each === '/results' ? 'pods' : each));
    for (const index of ['0', '1']) expect((await clusterlab(here, { cwd, env: { JOB_COMPLETION_INDEX: index } })).code).toBe(0);
    expect((await run('merge', 'pods', '-o', 'from-pods', '-q')).code).toBe(0);
    expect(resultOf('from-pods')).toEqual(whole);
  });

  test('holds strange arguments as they are', async () => {
    const strange = `a: "b" 'c' # d\n- e`;
    const { stdout } = await run('emit', 'k8s', '--image', 'x', '--', 'compare', strange);
    const args = (parse(stdout) as { spec: { template: { spec: { containers: { args: string[] }[] } } } }).spec.template.spec
      .containers[0]!.args;
    expect(args.slice(0, 2)).toEqual(['compare', strange]);
  });
});

test('init --ci writes a workflow that parses, and whose gate works', async () => {
  const folder = folderWith({});
  expect((await clusterlab(['init', '.', '--ci'], { cwd: folder })).code).toBe(0);
  const workflow = parse(readFileSync(join(folder, '.github/workflows/clusterlab.yml'), 'utf8')) as {
    jobs: { gate: { steps: { run?: string }[] } };
  };
  const line = workflow.jobs.gate.steps.map((step) => step.run ?? '').find((each) => each.includes('clusterlab gate'))!;
  const args = line.split(' ').slice(2);
  const quick = [
    '--seeds',
    '3',
    '--set',
    'run.duration=20s',
    '--set',
    'run.warmup=2s',
    '--set',
    'faults=[]',
    '--set',
    'expect=[availability > 1%]',
  ];
  expect((await clusterlab(['baseline', 'save', 'main', 'scenario.yaml', ...quick], { cwd: folder })).code).toBe(0);
  expect((await clusterlab([...args, ...quick], { cwd: folder })).code).toBe(0);
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(['gate.md', 'gate.xml', 'baselines']));
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  expect(readme).toContain(readFileSync(join(folder, '.github/workflows/clusterlab.yml'), 'utf8'));
});
