/** The command line as a table: arguments and files in, exit code and text out. */
import { describe, test, vi } from 'vitest';
import { version } from '../../src/core/version.ts';
import { clusterlab, folderWith, shell, tinyScenario } from './clusterlab.ts';

// Each row starts a program; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000 });

const throwing = `export class Throwing {
  update() {}
  pick() { throw new TypeError('undefined is not a balancer'); }
}
export class Clock {
  update() {}
  pick() { return Date.now() % 4; }
}
export const wrong = 42;
`;
const cwd = folderWith({
  'tiny.yaml': tinyScenario(),
  'failing.yaml': tinyScenario({ expect: "['latency.p99 < 1ms']" }),
  'holding.yaml': tinyScenario({ expect: "['availability > 50%']" }),
  'wrong.yaml': tinyScenario({ run: '{ duration: 10sec, seeds: 3 }', servises: '{}' }),
  'throwing.yaml': tinyScenario({ compare: '{ balancer: [round-robin, ./policies.mjs#Throwing] }' }),
  'clock.yaml': tinyScenario({ compare: '{ balancer: [round-robin, ./policies.mjs#Clock] }' }),
  'no-such-policy.yaml': tinyScenario({ compare: '{ balancer: [round-robin, ./policies.mjs#Absent] }' }),
  'policies.mjs': throwing,
  'not-a-run.json': '{}',
});

interface Row {
  readonly does: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly code: number;
  readonly stdout?: RegExp | string;
  readonly stderr?: RegExp | string;
}

const rows: readonly Row[] = [
  {
    does: 'prints its help when called bare',
    args: [],
    code: 0,
    stdout: /^Usage: clusterlab \[options\] \[command\]/,
    stderr: '',
  },
  { does: 'prints its help', args: ['--help'], code: 0, stdout: /Simulate:[\s\S]*compare[\s\S]*Exit codes: 0 fine/, stderr: '' },
  { does: 'prints its version', args: ['--version'], code: 0, stdout: `${version}\n`, stderr: '' },
  { does: 'prints the help of a command', args: ['compare', '--help'], code: 0, stdout: /--until-ci <percent>/, stderr: '' },
  {
    does: 'prints the help of a command by name',
    args: ['help', 'plan'],
    code: 0,
    stdout: /^Usage: clusterlab plan/,
    stderr: '',
  },

  {
    does: 'suggests a command',
    args: ['compre'],
    code: 2,
    stdout: '',
    stderr: /unknown command 'compre'\n\(Did you mean compare\?\)/,
  },
  {
    does: 'suggests an option',
    args: ['run', '--sed', '1', 'tiny.yaml'],
    code: 2,
    stdout: '',
    stderr: /\(Did you mean one of --seed, --set\?\)|Did you mean/,
  },
  { does: 'wants a file', args: ['compare'], code: 2, stdout: '', stderr: /missing required argument 'file'/ },
  { does: 'wants one file', args: ['run', 'tiny.yaml', 'failing.yaml'], code: 2, stdout: '', stderr: /too many arguments/ },
  {
    does: 'refuses half a number',
    args: ['run', 'tiny.yaml', '--seeds', '10abc'],
    code: 2,
    stdout: '',
    stderr: /'10abc' is invalid\. Expected a whole number from 1 to 1000\./,
  },
  {
    does: 'refuses no workers',
    args: ['run', 'tiny.yaml', '--jobs', '0'],
    code: 2,
    stdout: '',
    stderr: /Expected a whole number from 1 to 1024/,
  },
  {
    does: 'refuses a bad number from the environment, by its name',
    args: ['run', 'tiny.yaml'],
    env: { CLUSTERLAB_JOBS: 'all' },
    code: 2,
    stdout: '',
    stderr: /env 'CLUSTERLAB_JOBS' is invalid/,
  },
  {
    does: 'refuses a setting without a value',
    args: ['run', 'tiny.yaml', '--set', 'run.duration'],
    code: 2,
    stdout: '',
    stderr: /Expected path=value/,
  },
  {
    does: 'refuses a setting of what is not there',
    args: ['run', 'tiny.yaml', '--set', 'services.apy.slots=3'],
    code: 2,
    stdout: '',
    stderr: /apy[\s\S]*api/,
  },

  {
    does: 'says which file is missing',
    args: ['compare', 'absent.yaml'],
    code: 2,
    stdout: '',
    stderr: /cannot read absent\.yaml: no such file/,
  },
  { does: 'says that a folder is no scenario', args: ['compare', '.'], code: 2, stdout: '', stderr: /is a folder/ },
  {
    does: 'names every mistake of a file with its place',
    args: ['compare', 'wrong.yaml'],
    code: 2,
    stdout: '',
    stderr: /wrong\.yaml:5:\d+[\s\S]*"10sec" is not a duration[\s\S]*"servises"[\s\S]*2 errors/,
  },
  {
    does: 'validates several files',
    args: ['validate', 'tiny.yaml', 'wrong.yaml'],
    code: 2,
    stdout: 'tiny.yaml: valid, 2 variants x 3 seeds\n',
    stderr: /2 errors/,
  },
  { does: 'validates quietly what is right', args: ['validate', 'tiny.yaml'], code: 0, stdout: /valid/, stderr: '' },

  {
    does: 'names a policy that throws, and where',
    args: ['compare', 'throwing.yaml', '--no-out'],
    code: 2,
    stdout: '',
    stderr: /Throwing threw TypeError: undefined is not a balancer[\s\S]*policies\.mjs:3[\s\S]*fault of the policy/,
  },
  {
    does: 'names a policy that reads the clock, and what to use instead',
    args: ['compare', 'clock.yaml', '--no-out'],
    code: 2,
    stdout: '',
    stderr: /Date\.now[\s\S]*use the time passed/,
  },
  {
    does: 'names a policy that is not there, and what is',
    args: ['compare', 'no-such-policy.yaml', '--no-out'],
    code: 2,
    stdout: '',
    stderr: /Absent[\s\S]*Throwing, wrong|Absent[\s\S]*Clock/,
  },

  {
    does: 'passes when every expectation holds',
    args: ['compare', 'holding.yaml', '--no-out'],
    code: 0,
    stdout: /availability > 50%/,
    stderr: '',
  },
  {
    does: 'fails when an expectation does not',
    args: ['compare', 'failing.yaml', '--no-out'],
    code: 1,
    stdout: /failing\.yaml:9:\d+ ✗ latency\.p99 < 1ms/,
    stderr: '',
  },
  {
    does: 'keeps verdict and failures when quiet',
    args: ['compare', 'failing.yaml', '--no-out', '--quiet'],
    code: 1,
    stdout:
      /^[^\n]+\.\nfailing\.yaml:9:\d+ ✗ latency\.p99 < 1ms {2}round-robin: [^\n]+\n[^\n]+p2c: [^\n]+\nAgain: clusterlab compare failing\.yaml\n$/,
    stderr: '',
  },
  {
    does: 'uses ASCII where the locale has no more',
    args: ['compare', 'failing.yaml', '--no-out'],
    env: { LANG: 'C' },
    code: 1,
    stdout: /^[\x20-\x7E\n]+$/,
    stderr: '',
  },
  {
    does: 'calls an open question one, when strict',
    args: ['compare', 'tiny.yaml', '--no-out', '--strict'],
    code: 3,
    stdout: /./,
    stderr: /inconclusive: p2c against round-robin on latency\.[\s\S]*with 3 seeds/,
  },
  {
    does: 'says which variant it runs',
    args: ['run', 'tiny.yaml', '--no-out', '--quiet'],
    code: 0,
    stdout: /round-robin/,
    stderr: 'run takes one variant: "round-robin", the first of 2; clusterlab compare takes them all\n',
  },
  {
    does: 'runs the scenario’s own policy where it has one',
    args: ['run', 'tiny.yaml', '--no-out', '--quiet', '--set', 'policies.balancer=least-request'],
    code: 0,
    stdout: /least-request/,
    stderr: '',
  },
  {
    does: 'prints the plan',
    args: ['plan', 'tiny.yaml'],
    code: 0,
    stdout: /cells +6 of about 2000 requests[\s\S]*utilization[\s\S]*api +200 \/s +25 %[\s\S]*Nothing was run/,
    stderr: /p99\.9 rests on about 1 requests/,
  },

  {
    does: 'lists policies by family',
    args: ['policies'],
    code: 0,
    stdout:
      /^balancing, as policies\.balancer\n[\s\S]*\n {2}p2c +Of two[\s\S]*detection, as policies\.detector\n[\s\S]*heartbeat/,
    stderr: '',
  },
  {
    does: 'shows a policy',
    args: ['policies', 'show', 'least-request'],
    code: 0,
    stdout:
      /^least-request {2}\(balancing\)\n[\s\S]*Use when[\s\S]*Fails when[\s\S]*Parameters[\s\S]*policies:\n {4}balancer: \{ use: least-request/,
    stderr: '',
  },
  {
    does: 'shows a policy by its name elsewhere',
    args: ['policies', 'show', 'LEAST_REQUEST'],
    code: 0,
    stdout: /^least-request /,
    stderr: '',
  },
  {
    does: 'suggests a policy',
    args: ['policies', 'show', 'peek-ewma'],
    code: 2,
    stdout: '',
    stderr: /there is no policy "peek-ewma"[\s\S]*did you mean "peak-ewma"\?/,
  },

  {
    does: 'says what is no run',
    args: ['report', 'not-a-run.json'],
    code: 2,
    stdout: '',
    stderr: /not-a-run\.json is not a result of clusterlab/,
  },
  { does: 'says which run is missing', args: ['report', 'absent'], code: 2, stdout: '', stderr: /there is no absent/ },
  {
    does: 'suggests a format',
    args: ['report', 'absent', '--format', 'htlm'],
    code: 2,
    stdout: '',
    stderr: /there is no format "htlm"[\s\S]*did you mean "html"\?/,
  },
  {
    does: 'asks where to write several formats',
    args: ['report', 'absent', '--format', 'json,md'],
    code: 2,
    stdout: '',
    stderr: /several formats do not fit[\s\S]*--out/,
  },
  {
    does: 'asks what to draw',
    args: ['chart', 'absent'],
    code: 2,
    stdout: '',
    stderr: /required option '-m, --metric <name>' not specified/,
  },
  {
    does: 'asks for an ending it knows',
    args: ['chart', 'absent', '-m', 'availability', '-o', 'chart.jpg'],
    code: 2,
    stdout: '',
    stderr: /cannot tell from "chart\.jpg"[\s\S]*\.svg, \.png, \.vl\.json/,
  },
  {
    does: 'prints the schema',
    args: ['schema'],
    code: 0,
    stdout: /"\$schema": "http:\/\/json-schema\.org\/draft-07\/schema#"/,
    stderr: '',
  },
  {
    does: 'tests the baseline against itself',
    args: ['aa', 'tiny.yaml', '--trials', '4'],
    code: 0,
    stdout: /round-robin against itself: \d of 4 trials with 3 seeds a side/,
    stderr: '',
  },
];

describe('clusterlab', () => {
  test.concurrent.for(rows)('$does: $args', async ({ args, env = {}, code, stdout = /(?:)/, stderr = /(?:)/ }, { expect }) => {
    const ended = await clusterlab(args, { cwd, env });
    const matching = (wanted: RegExp | string): unknown => (typeof wanted === 'string' ? wanted : expect.stringMatching(wanted));
    expect(ended).toEqual({ code, stdout: matching(stdout), stderr: matching(stderr) });
  });
});

describe('start-up', () => {
  test.concurrent.for(['--help', '--version'])('%s loads neither the schema, YAML nor the charts', async (flag, { expect }) => {
    // Node lists every module file it opens in this trace; packages that are not in it were not imported.
    const { code, stderr } = await shell(`NODE_DEBUG=esm,module clusterlab ${flag} >/dev/null`, { cwd });
    expect(code).toBe(0);
    expect(stderr).toContain('commander');
    expect(stderr.match(/node_modules\/(zod|yaml|vega[a-z-]*|jiti|csv-stringify)\//g)).toBeNull();
  });
});

describe('standard output', () => {
  test.concurrent('carries the JSON of the run and nothing else', async ({ expect }) => {
    const { code, stdout, stderr } = await clusterlab(['compare', 'failing.yaml', '--json', '--no-out'], { cwd });
    expect([code, stderr]).toEqual([1, '']);
    const run = JSON.parse(stdout) as { schema: string; complete: boolean; replay: string };
    expect(run).toMatchObject({ schema: 'clusterlab-run/2', complete: true, replay: 'clusterlab compare failing.yaml' });
  });

  test.concurrent('carries diagnostics as JSON', async ({ expect }) => {
    const { code, stdout } = await clusterlab(['validate', 'wrong.yaml', '--json'], { cwd });
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ valid: false, errorCount: 2 });
  });

  test.concurrent.for(['plan tiny.yaml', 'policies list', 'policies show p2c', 'aa tiny.yaml --trials 2'])(
    '%s --json is JSON',
    async (line, { expect }) => {
      const { code, stdout } = await clusterlab([...line.split(' '), '--json'], { cwd });
      expect(code).toBe(0);
      expect(typeof JSON.parse(stdout)).toBe('object');
    },
  );

  test.concurrent('is coloured only when somebody looks or asks', async ({ expect }) => {
    const plain = await clusterlab(['compare', 'tiny.yaml', '--no-out'], { cwd });
    const colored = await clusterlab(['compare', 'tiny.yaml', '--no-out'], { cwd, env: { FORCE_COLOR: '1' } });
    const refused = await clusterlab(['compare', 'tiny.yaml', '--no-out', '--no-color'], { cwd, env: { FORCE_COLOR: '1' } });
    expect(colored.stdout).toContain('\u001B[');
    expect(refused.stdout).toBe(plain.stdout);
    expect(plain.stdout).not.toContain('\u001B');
  });

  test.concurrent('may be closed early without a complaint, and without hiding a failure', async ({ expect }) => {
    const cut = await shell('set -o pipefail; clusterlab policies list --json | head -c 1', { cwd });
    expect(cut).toEqual({ code: 0, stdout: '[', stderr: '' });
    const failing = await shell('clusterlab compare failing.yaml --json --no-out | head -c 1; echo " ${PIPESTATUS[0]}"', { cwd });
    expect(failing).toEqual({ code: 0, stdout: '{ 1\n', stderr: '' });
  });
});

describe('settings', () => {
  const seedsOf = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<unknown> => {
    const { stdout } = await clusterlab(['compare', 'tiny.yaml', '--json', '--no-out', ...args], { cwd, env });
    return (JSON.parse(stdout) as { seeds: unknown }).seeds;
  };

  test.concurrent('of the command line beat the environment, which beats the file', async ({ expect }) => {
    expect(await seedsOf([])).toEqual(['1:1', '1:2', '1:3']);
    expect(await seedsOf([], { CLUSTERLAB_SEED: 'env' })).toEqual(['env:1', 'env:2', 'env:3']);
    expect(await seedsOf(['--seed', 'cli'], { CLUSTERLAB_SEED: 'env' })).toEqual(['cli:1', 'cli:2', 'cli:3']);
    expect(await seedsOf(['--seeds', '2'], { CLUSTERLAB_SEED: '' })).toEqual(['1:1', '1:2']);
    expect(await seedsOf(['--seeds', 'x,y'])).toEqual(['x', 'y']);
  });

  test.concurrent('are part of the replay command and of the record, and give the same bytes again', async ({ expect }) => {
    const args = ['compare', 'tiny.yaml', '--json', '--no-out', '--seed', 'a b', '--set', 'traffic[0].arrivals.rate=300/s'];
    const first = (await clusterlab(args, { cwd })).stdout;
    const { replay, overrides } = JSON.parse(first) as { replay: string; overrides: unknown };
    expect(replay).toBe(`clusterlab compare tiny.yaml --seed 'a b' --set 'traffic[0].arrivals.rate=300/s'`);
    expect(overrides).toEqual(['traffic[0].arrivals.rate=300/s']);
    expect((await shell(`${replay} --json --no-out --jobs 2`, { cwd })).stdout).toBe(first);
  });
});
