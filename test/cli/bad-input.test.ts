/** Everything that can be wrong with what comes in, one table per kind, run as users run it. Each row must end with the right exit code, say
 *  where (a file and line, a flag, a path) and what instead, without a stack trace, in bounded time and memory, and leave nothing
 *  half-written behind. */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { clusterlab, folderWith, shell, tinyScenario } from './clusterlab.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
const quick = { run: '{ duration: 2s, warmup: 0s, seeds: 2 }' };
const good = tinyScenario(quick);
const withPolicy = (name: string): string => tinyScenario({ ...quick, compare: `{ balancer: [p2c, ./policies.mjs#${name}] }` });
const withTrace = (file: string): string =>
  tinyScenario({ ...quick, traffic: `[{ to: api, arrivals: { type: replay, file: ${file} } }]`, compare: '{ balancer: [p2c] }' });
const policies = `
class Base { update(view) { this.view = view; } pick() { return this.view.members[0] ?? -1; } }
export class Throws extends Base { pick() { throw new TypeError('out of ideas'); } }
export class ThrowsText extends Base { pick() { throw 'just a text'; } }
export class Loops extends Base { pick() { for (;;); } }
export class Grows extends Base { constructor() { super(); this.all = []; } pick() { for (;;) this.all.push(new Array(1000).fill(this.all.length)); } }
export class Clock extends Base { pick() { return Date.now() % 4; } }
export class Chance extends Base { pick() { return Math.floor(Math.random() * 4); } }
export class Nobody extends Base { pick() { return 9999; } }
export class Nothing extends Base { pick() {} }
export class NaNs extends Base { pick() { return NaN; } }
export class Quits extends Base { pick() { process.exit(0); } }
export class Later extends Base { pick() { setTimeout(() => {}, 1); return 0; } }
export class Incomplete {}
export class Fails extends Base { constructor() { super(); throw new Error('not today'); } }
export const number = 42;
`;
const cwd = folderWith({
  'good.yaml': good,
  'policies.mjs': policies,
  'syntax.mjs': 'export class {',
  'a-file': 'not a folder',
  'not-ours/precious.txt': 'keep me',
  'values.txt': '\n# nothing\n',
});
/** What lies there before, and may lie there after. */
let before: string[];
const files = (): string[] => readdirSync(cwd, { recursive: true, encoding: 'utf8' }).sort();

beforeAll(async () => {
  const made = await clusterlab(['baseline', 'save', 'main', 'good.yaml', '-q'], { cwd });
  expect(made.code).toBe(0);
  for (const shard of ['1/2', '2/2'])
    expect(
      (await clusterlab(['sweep', 'good.yaml', '--set', 'load=50%,80%', '-o', 'shards', '--shard', shard, '-q'], { cwd })).code,
    ).toBe(0);
  const write = (name: string, content: string | Uint8Array): void => {
    mkdirSync(join(cwd, name, '..'), { recursive: true });
    writeFileSync(join(cwd, name), content);
  };
  for (const [name, content] of Object.entries(inputs)) write(name, content);
  const baseline = readFileSync(join(cwd, 'baselines/main.json'), 'utf8');
  write('baselines/cut.json', baseline.slice(0, 300));
  write('baselines/edited.json', baseline.replace('"file": "good.yaml"', '"file": "other.yaml"'));
  write('baselines/newer.json', baseline.replace('clusterlab-baseline/1', 'clusterlab-baseline/7'));
  const shard = readFileSync(join(cwd, 'shards/shard-1-of-2.json'), 'utf8');
  write('cut-shard.json', shard.slice(0, -40));
  write('edited-shard.json', shard.replace(/"requests":\d+/, '"requests":1'));
  write('old-shard.json', shard.replace('clusterlab-shard/1', 'clusterlab-shard/0'));
  before = files();
});

const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x]',
  ...'bcdefghi'.split('').map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`),
].join('\n');
const inputs: Record<string, string | Uint8Array> = {
  'empty.yaml': '',
  'text.yaml': 'hello',
  'bomb.yaml': bomb,
  'cycle.yaml': 'a: &a { b: *a }\n',
  'deep.yaml': `${good}x: ${'['.repeat(20_000)}\n`,
  'duplicate.yaml': `${good}name: again\n`,
  'two.yaml': `${good}---\n${good}`,
  'poison.yaml': `${good}__proto__: { polluted: true }\n`,
  'latin1.yaml': Buffer.concat([Buffer.from(good), Buffer.from([0x23, 0xe9, 0x0a])]),
  'huge.yaml': `${good}# ${'x'.repeat(2 * 1024 * 1024)}\n`,
  'typo.yaml': good.replace('{ instances', '{ instnaces'),
  'no-unit.yaml': tinyScenario({ ...quick, traffic: '[{ to: api, arrivals: { type: poisson, rate: 200 }, timeout: 10 }]' }),
  'infinite.yaml': tinyScenario({ ...quick, run: '{ duration: .inf, seeds: 2 }' }),
  'negative.yaml': tinyScenario({ ...quick, services: '{ api: { instances: -4, work: 10ms } }' }),
  'many.yaml': tinyScenario({ ...quick, services: '{ api: { instances: 1000000000, work: 10ms } }' }),
  'escape.yaml': tinyScenario({ ...quick, name: '../../etc/passwd' }),
  'fault.yaml': tinyScenario({ ...quick, faults: '[{ type: crash, target: api/99, at: 1s }]' }),
  'metric.yaml': tinyScenario({ ...quick, expect: '[latncy.p99 < 1s]' }),
  'level.yaml': tinyScenario({ ...quick, expect: '[{ check: availability > 1%, level: fatal }]' }),
  'margin.yaml': tinyScenario({ ...quick, gate: '[{ metric: goodput }]' }),
  'gate.yaml': tinyScenario({ ...quick, gate: '[{ metric: latency.p99, maxWorse: lots }]' }),
  'part.yaml': tinyScenario({ ...quick, gate: "[{ metric: 'latency.p99{class=gold}' }]" }),
  'missing-policy.yaml': withPolicy('Absent'),
  'no-trace.yaml': withTrace('absent.csv'),
  'trace-empty.yaml': withTrace('traces/empty.csv'),
  'trace-header.yaml': withTrace('traces/header.csv'),
  'trace-text.yaml': withTrace('traces/text.csv'),
  'trace-back.yaml': withTrace('traces/back.csv'),
  'trace-negative.yaml': withTrace('traces/negative.csv'),
  'trace-work.yaml': withTrace('traces/work.csv'),
  'trace-line.yaml': withTrace('traces/line.csv'),
  'trace-binary.yaml': withTrace('traces/binary.csv'),
  'trace-outside.yaml': withTrace('../../../../etc/passwd'),
  'traces/empty.csv': '',
  'traces/header.csv': 'when,what\n1,2\n',
  'traces/text.csv': 'time_ms\n1\nnoon\n',
  'traces/back.csv': 'time_ms\n5\n3\n',
  'traces/negative.csv': 'time_ms\n-1\n',
  'traces/work.csv': 'time_ms,service_ms\n1,-5\n',
  'traces/line.csv': `time_ms\n${'9'.repeat(3_000_000)}\n`,
  'traces/binary.csv': gzipSync(Buffer.alloc(1000)),
  ...Object.fromEntries(
    [
      'Throws',
      'ThrowsText',
      'Loops',
      'Grows',
      'Clock',
      'Chance',
      'Nobody',
      'Nothing',
      'NaNs',
      'Quits',
      'Later',
      'Incomplete',
      'Fails',
      'number',
    ].map((name) => [`policy-${name}.yaml`, withPolicy(name)]),
  ),
  'policy-syntax.yaml': tinyScenario({ ...quick, compare: '{ balancer: [./syntax.mjs#X] }' }),
  'policy-outside.yaml': tinyScenario({ ...quick, compare: '{ balancer: [/etc/passwd#X] }' }),
};

interface Row {
  readonly args: readonly string[];
  readonly code: number;
  /** In what it says: the place and the way out. */
  readonly says: RegExp;
}

const compare = (file: string, says: RegExp, code = 2, ...more: string[]): Row => ({
  args: ['compare', file, '-q', '--cell-timeout', '2', ...more],
  code,
  says,
});
const sweep = (says: RegExp, ...sets: string[]): Row => ({ args: ['sweep', 'good.yaml', '-q', ...sets], code: 2, says });
const gate = (code: number, says: RegExp, ...more: string[]): Row => ({ args: ['gate', 'good.yaml', '-q', ...more], code, says });
const merge = (says: RegExp, ...paths: string[]): Row => ({ args: ['merge', ...paths], code: 5, says });

const tables: Record<string, Row[]> = {
  scenarios: [
    compare('absent.yaml', /cannot read absent\.yaml: no such file/),
    compare('.', /\.: is a folder/),
    compare('/dev/zero', /\/dev\/zero: is not a regular file/),
    compare('empty.yaml', /empty\.yaml:1:1 .*the file is empty[\s\S]*hint: a small scenario/),
    compare('text.yaml', /text\.yaml:1:1 .*a scenario is a map/),
    compare('bomb.yaml', /bomb\.yaml:6:7 .*more than 200000 values/),
    compare('cycle.yaml', /cycle\.yaml:1:12 .*cyclic reference/),
    compare('deep.yaml', /deep\.yaml:\d+:\d+ .*nesting deeper than 64/),
    compare('duplicate.yaml', /duplicate\.yaml:9:1 .*duplicate key "name", lines 2 and 9/),
    compare('two.yaml', /two\.yaml:9:1 .*a second document[\s\S]*own/),
    compare('poison.yaml', /poison\.yaml:9:1 .*"__proto__" is not allowed/),
    compare('latin1.yaml', /latin1\.yaml.*UTF-8/i),
    compare('huge.yaml', /huge\.yaml: larger than 1048576 bytes/),
    compare('typo.yaml', /typo\.yaml:6:\d+ .*unknown key "instnaces" \(did you mean "instances"\?\)/),
    compare('no-unit.yaml', /no-unit\.yaml:7:\d+ .*200 has no unit; write 200\/s[\s\S]*10 has no unit; write 10ms/),
    compare('infinite.yaml', /infinite\.yaml:5:\d+ .*finite|infinite\.yaml:5:\d+ .*duration/),
    compare('negative.yaml', /negative\.yaml:6:\d+ .*-4/),
    compare('many.yaml', /many\.yaml:6:\d+ .*1000000000/),
    compare('escape.yaml', /escape\.yaml:2:7 .*name/),
    compare('fault.yaml', /fault\.yaml:9:\d+ .*api\/99/),
    compare('metric.yaml', /metric\.yaml:9:\d+ .*unknown metric "latncy\.p99"[\s\S]*latency\.p99/),
    compare('level.yaml', /level\.yaml:9:\d+ .*fatal[\s\S]*error, warn/),
    compare('margin.yaml', /margin\.yaml:9:\d+ .*goodput has no margin of its own[\s\S]*maxWorse/),
    compare('gate.yaml', /gate\.yaml:9:\d+ .*"lots" is not a duration/),
    compare('part.yaml', /part\.yaml:9:\d+ .*there is no class "gold"/),
  ],
  traces: [
    compare('no-trace.yaml', /no-trace\.yaml:7:\d+ .*absent\.csv/),
    compare('trace-empty.yaml', /trace-empty\.yaml:7:\d+ .*empty/),
    compare('trace-header.yaml', /header\.csv[\s\S]*time_ms/),
    compare('trace-text.yaml', /line 3: expected a number in column "time_ms", found "noon"/),
    compare('trace-back.yaml', /line 3: time goes back from 5 in line 2 to 3/),
    compare('trace-negative.yaml', /line 2: a time of -1 is negative/),
    compare('trace-work.yaml', /line 2: a service_ms of -5 is negative/),
    compare('trace-line.yaml', /line 2/),
    compare('trace-binary.yaml', /binary\.csv/),
    compare('trace-outside.yaml', /outside/),
  ],
  baselines: [
    gate(5, /no baseline "mein" in baselines; there are[\s\S]*did you mean "main"/, '-b', 'mein'),
    gate(5, /baselines\/cut\.json is not JSON[\s\S]*save it again/, '-b', 'cut'),
    gate(5, /baselines\/edited\.json was changed since it was saved[\s\S]*save it again/, '-b', 'edited'),
    gate(5, /baselines\/newer\.json has schema "clusterlab-baseline\/7"/, '-b', 'newer'),
    gate(2, /"\.\.\/main" cannot name a baseline[\s\S]*letters, digits/, '-b', '../main'),
    gate(2, /"CON" cannot name a baseline/, '-b', 'CON'),
    gate(2, /--margin latncy=5%: there is no metric "latncy"/, '-b', 'main', '--margin', 'latncy=5%'),
    gate(2, /--margin latency\.p99=5: 5 has no unit|"5" is not a duration/, '-b', 'main', '--margin', 'latency.p99=5'),
    gate(2, /there is nothing to check[\s\S]*--baseline main/),
    gate(2, /--exact compares with a baseline/, '--exact'),
    gate(2, /no reporter "junt" \(did you mean "junit"\?|there is no reporter "junt"/, '-b', 'main', '--reporter', 'junt'),
    gate(2, /json and junit|out-needed|do not fit on standard output/, '-b', 'main', '--reporter', 'json,junit'),
    { args: ['baseline', 'save', '../up', 'good.yaml'], code: 2, says: /cannot name a baseline/ },
    {
      args: ['baseline', 'save', 'one', 'good.yaml', '--seeds', '1'],
      code: 2,
      says: /one seed; nothing can be compared[\s\S]*--seeds 10/,
    },
    { args: ['baseline', 'rm', 'absent'], code: 5, says: /no baseline "absent"/ },
    { args: ['baseline', 'diff', 'main', 'cut'], code: 5, says: /cut\.json is not JSON/ },
  ],
  shards: [
    merge(/cannot read nowhere \(ENOENT\)/, 'nowhere'),
    merge(/shard 1 of 2 is missing[\s\S]*--allow-partial/, 'shards/shard-2-of-2.json'),
    merge(/cut-shard\.json is not JSON/, 'cut-shard.json'),
    merge(/edited-shard\.json is damaged or was changed/, 'edited-shard.json'),
    merge(/old-shard\.json has schema clusterlab-shard\/0/, 'old-shard.json'),
    merge(/good\.yaml is not JSON/, 'good.yaml'),
    merge(/baselines\/main\.json is not a shard/, 'baselines/main.json'),
    sweep(/"3\/2" is not a shard[\s\S]*2\/5/, '--set', 'load=50%,80%', '--shard', '3/2'),
    sweep(/"0\/2" is not a shard/, '--set', 'load=50%,80%', '--shard', '0/2'),
    sweep(/no CI system says which shard/, '--set', 'load=50%,80%', '--shard', 'auto'),
    compare('good.yaml', /--until-ci looks at all cells[\s\S]*--seeds/, 2, '--shard', '1/2', '--until-ci', '5%'),
  ],
  flags: [
    sweep(/nothing is varied[\s\S]*--set/),
    sweep(/nothing is varied/, '--set', 'services.api.slots=2'),
    sweep(/services\.api: unknown key "slts"[\s\S]*slots/, '--set', 'services.api.slts=1,2'),
    sweep(/"2" stands twice/, '--set', 'services.api.slots=2,2'),
    sweep(/empty value/, '--set', 'services.api.slots=1,,2'),
    sweep(/the range "5\.\.2:1" is empty/, '--set', 'services.api.slots=5..2:1'),
    sweep(/lead nowhere/, '--set', 'services.api.slots=1..5:0'),
    sweep(/does not grow/, '--set', 'services.api.slots=1..5:x1'),
    sweep(/points; 5000 is the most/, '--set', 'services.api.slots=1..100:1', '--set', 'services.api.queue=1..100:1'),
    sweep(/cannot read no\.txt \(ENOENT\)/, '--set', 'services.api.slots=@no.txt'),
    sweep(/"values\.txt" holds no values/, '--set', 'services.api.slots=@values.txt'),
    sweep(/all points share their seeds/, '--set', 'run.seeds=1,2'),
    sweep(/--set load: "fast" is not a share[\s\S]*30% or 0\.3/, '--set', 'load=fast,slow'),
    sweep(/there is no metric "latency\.p98" \(did you mean/, '--set', 'load=50%,80%', '--metric', 'latency.p98'),
    sweep(/--executor bullmq needs to know where Redis is/, '--set', 'load=50%,80%', '--executor', 'bullmq'),
    sweep(
      /is not the address of a Redis[\s\S]*redis:\/\/localhost/,
      '--set',
      'load=50%,80%',
      '--executor',
      'bullmq',
      '--redis',
      'http://x',
    ),
    sweep(/'lots' is invalid/, '--set', 'load=50%,80%', '--design', 'lhs', '--points', 'lots'),
    { args: ['emit', 'k8s', '--image', 'x', '--', 'rm', '-rf'], code: 2, says: /"rm" cannot be sharded/ },
    {
      args: ['emit', 'k8s', '--image', 'x', '--name', 'Bad Name', '--', 'sweep', 'good.yaml'],
      code: 2,
      says: /not a name in Kubernetes/,
    },
    { args: ['gate', 'good.yaml', '--alpha', '2'], code: 2, says: /Expected a share/ },
    { args: ['worker'], code: 2, says: /--redis <url>' not specified/ },
    { args: ['gaet'], code: 2, says: /Did you mean gate/ },
  ],
  policies: [
    compare('policy-Throws.yaml', /policies\.mjs#Throws threw TypeError: out of ideas[\s\S]*policies\.mjs:\d+:\d+/),
    compare('policy-ThrowsText.yaml', /policies\.mjs#ThrowsText threw just a text/),
    compare(
      'policy-Loops.yaml',
      /policies\.mjs#Loops did not come back for 2 s \(variant .* under seed 1:1, after 0 ms of simulated time\)/,
    ),
    compare('policy-Clock.yaml', /called Date\.now.*use the time passed to each call/),
    compare('policy-Chance.yaml', /called Math\.random.*draw from the injected rng/),
    compare('policy-Later.yaml', /called setTimeout.*nextTimerMs/),
    compare('policy-Nobody.yaml', /Nobody.*9999/),
    compare('policy-Nothing.yaml', /Nothing.*undefined/),
    compare('policy-NaNs.yaml', /NaNs.*NaN/),
    compare('policy-Quits.yaml', /a worker thread ended while running variant/, 4),
    compare('policy-Incomplete.yaml', /Incomplete[\s\S]*pick/),
    compare('policy-Fails.yaml', /Fails[\s\S]*not today/),
    compare('policy-number.yaml', /number/),
    compare('missing-policy.yaml', /Absent/),
    compare('policy-syntax.yaml', /syntax\.mjs/),
    compare('policy-outside.yaml', /outside/),
  ],
  outputs: [
    compare('good.yaml', /a-file.*a part of the path is a file|cannot write a-file/, 4, '-o', 'a-file'),
    compare('good.yaml', /cannot write a-file\/deep/, 4, '-o', 'a-file/deep'),
    compare('good.yaml', /not-ours holds files that are not a clusterlab result[\s\S]*--force/, 2, '-o', 'not-ours'),
    compare('good.yaml', /cannot write \/proc\/clusterlab/, 4, '-o', '/proc/clusterlab'),
    {
      args: ['sweep', 'good.yaml', '--set', 'load=50%,80%', '-q', '-o', 'a-file/sweep'],
      code: 4,
      says: /cannot write a-file\/sweep/,
    },
    { args: ['sweep', 'good.yaml', '--set', 'load=50%,80%', '-q', '-o', 'not-ours'], code: 2, says: /not a clusterlab result/ },
    gate(4, /cannot write \/dev\/full: no space left on the device \(ENOSPC\)/, '-b', 'main', '--reporter', 'junit=/dev/full'),
    {
      args: ['baseline', 'save', 'new', 'good.yaml', '-q', '--baselines', 'a-file'],
      code: 4,
      says: /cannot write a-file\/new\.json/,
    },
    {
      args: ['emit', 'k8s', '--image', 'x', '-o', 'a-file/job.yaml', '--', 'sweep', 'good.yaml'],
      code: 4,
      says: /cannot write a-file\/job\.yaml/,
    },
    { args: ['merge', 'shards', '-o', 'not-ours'], code: 2, says: /not a clusterlab result/ },
  ],
};

test('there are many of them', () => {
  expect(Object.values(tables).flat().length).toBeGreaterThanOrEqual(100);
});

/** The program without the half second that a process takes to start: its commands, its terminal, its way to explain failures. */
async function inThisProcess(args: readonly string[]): Promise<{ code: number; stderr: string }> {
  const [{ createProgram }, { openTerminal }, { explain }] = (await Promise.all(
    ['program', 'terminal', 'failure'].map((name) => import(/* @vite-ignore */ join(main, `../${name}.js`))),
  )) as [
    typeof import('../../src/cli/program.ts'),
    typeof import('../../src/cli/terminal.ts'),
    typeof import('../../src/cli/failure.ts'),
  ];
  let stderr = '';
  const stream = (write: (text: string) => unknown) => ({ write, on: () => undefined });
  const host = {
    argv: ['node', main, ...args],
    env: { NO_COLOR: '1' },
    stdout: stream(() => true),
    stderr: stream((text) => (stderr += text)),
    exitCode: 0,
  };
  const terminal = openTerminal(host);
  try {
    await createProgram(terminal).parseAsync([...args], { from: 'user' });
  } catch (failure) {
    terminal.exitWith(await explain(failure, terminal));
  }
  return { code: host.exitCode, stderr };
}

describe.each(Object.entries(tables))('%s', (_, rows) => {
  const home = process.cwd();
  beforeAll(() => {
    process.chdir(cwd);
    vi.stubEnv('CLUSTERLAB_JOBS', '1');
    for (const name of ['GITHUB_ACTIONS', 'CI_NODE_INDEX', 'CI_NODE_TOTAL', 'CLUSTERLAB_SHARD', 'CLUSTERLAB_REDIS'])
      vi.stubEnv(name, undefined);
  });
  afterAll(() => {
    process.chdir(home);
    vi.unstubAllEnvs();
  });

  test.each(rows.map((row) => [row.args.join(' '), row] as const))('%s', async (__, { args, code, says }) => {
    const started = performance.now();
    const ended = await inThisProcess(args);
    expect(ended.stderr).toMatch(says);
    expect(ended.code).toBe(code);
    expect(ended.stderr).not.toMatch(/\n +at .*dist\/|bug in clusterlab/);
    // A machine that does other things too needs room; what hangs is found all the same.
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test('and so does the program itself', async () => {
    const { args, code, says } = rows[0]!;
    const ended = await clusterlab(args, { cwd });
    expect(ended.stderr).toMatch(says);
    expect(ended.code).toBe(code);
  });
});

describe('limits', () => {
  test('a policy that allocates without end ends the run, with a bounded heap', async () => {
    const env = { NODE_OPTIONS: '--max-old-space-size=128' };
    const { code, stderr } = await clusterlab(['compare', 'policy-Grows.yaml', '-q'], { cwd, env });
    expect(stderr).toMatch(/a worker thread ran out of memory while running variant Grows under seed/);
    expect(code).toBe(4);
  });

  test('a file that may not grow is not left half-written, and the result before it stays', async () => {
    expect((await clusterlab(['compare', 'good.yaml', '-q', '-o', 'limited'], { cwd })).code).toBe(0);
    const old = readFileSync(join(cwd, 'limited/run.json'), 'utf8');
    // 8 blocks of 1 KiB are too few for any of the large files.
    const { code, stderr } = await shell('ulimit -f 8; clusterlab compare good.yaml -q -o limited --seeds 3', { cwd });
    expect(stderr).toMatch(/cannot write limited\/\S+: the file may not be that large \(EFBIG\)/);
    expect(code).toBe(4);
    expect(readFileSync(join(cwd, 'limited/run.json'), 'utf8')).toBe(old);
    expect(readFileSync(join(cwd, 'limited/manifest.json'), 'utf8')).toContain('"complete": false');
  });

  test('memory stays small where the input is hostile', async () => {
    for (const file of ['bomb.yaml', 'deep.yaml', 'huge.yaml']) expect(await peakMiB(['validate', file])).toBeLessThan(250);
  });
});

/** Of a program that ends by itself. */
function peakMiB(args: readonly string[]): Promise<number> {
  const child = spawn(
    process.execPath,
    [
      '-e',
      `process.argv.splice(1, 0, ${JSON.stringify(main)}); process.on('exit', () => console.log('peak', process.resourceUsage().maxRSS)); import(${JSON.stringify(main)})`,
      '--',
      ...args,
    ],
    { cwd, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += String(chunk)));
  return new Promise((done) => child.on('close', () => done(Number(/peak (\d+)/.exec(text)?.[1]) / 1024)));
}

describe('names that are meant to do harm', () => {
  const evil = ['<script>alert(1)</script>', '=HYPERLINK("http://x")', '../../up', 'a|b`c*d', '{{7*7}}'];
  const folder = folderWith({
    'evil.yaml': tinyScenario({
      ...quick,
      about: JSON.stringify('<img src=x onerror=alert(1)>'),
      compare: `{ balancer: [${evil.map((label, i) => `{ use: ${i % 2 === 0 ? 'p2c' : 'random'}, label: ${JSON.stringify(label)} }`).join(', ')}] }`,
      expect: '[latency.p99 < 1ms]',
    }),
    'control.yaml': tinyScenario({ ...quick, compare: '{ balancer: [{ use: p2c, label: "a\\u001b[31mb" }] }' }),
  });
  const outside = statSync(join(folder, '..')).mtimeMs;
  const all = (name: string, kinds: RegExp): string =>
    readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' })
      .filter((file) => kinds.test(file))
      .map((file) => readFileSync(join(folder, name, file), 'utf8'))
      .join('\n');

  test('are shown as they are, in every output', async () => {
    expect((await clusterlab(['compare', 'evil.yaml', '-q', '-o', 'compared'], { cwd: folder })).code).toBe(1);
    expect((await clusterlab(['sweep', 'evil.yaml', '-q', '-o', 'swept', '--set', 'load=50%,80%'], { cwd: folder })).code).toBe(
      0,
    );
    const list = 'junit=gated/a.xml,markdown=gated/a.md,ghbench=gated/a.json';
    expect((await clusterlab(['gate', 'evil.yaml', '-q', '--reporter', list], { cwd: folder })).code).toBe(1);
    for (const name of ['compared', 'swept', 'gated']) {
      const pages = all(name, /\.(html|svg|md|xml)$/);
      expect(pages).not.toMatch(/<script>alert|<img src=x/);
      expect(pages).toContain('alert');
      // A cell that begins so is a formula to a spreadsheet.
      expect(all(name, /\.csv$/)).not.toMatch(/(^|,)"?=HYPERLINK/m);
    }
    expect(all('compared', /\.csv$/)).toContain("'=HYPERLINK");
    expect(all('swept', /\.csv$/)).toContain("'=HYPERLINK");
  });

  test('lead nowhere', () => expect(statSync(join(folder, '..')).mtimeMs).toBe(outside));

  test('steer no terminal', async () => {
    const { code, stderr } = await clusterlab(['compare', 'control.yaml', '--no-out'], { cwd: folder });
    expect(stderr).toMatch(/control\.yaml:8:\d+ .*is not a label: one line of text/);
    expect(stderr).not.toContain('\u001b');
    expect(code).toBe(2);
  });
});

afterAll(() => {
  // Nothing new but what was asked for; above all no temporary file.
  const after = files().filter((name) => !before.includes(name) && !name.startsWith('limited'));
  expect(after).toEqual([]);
  expect(readFileSync(join(cwd, 'not-ours/precious.txt'), 'utf8')).toBe('keep me');
});
