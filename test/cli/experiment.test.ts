/** What `run` and `compare` leave on disk, and what becomes of it when they are interrupted, refused or repeated. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, test, vi } from 'vitest';
import { clusterlab, type Ended, folderWith, interruptedAt, shell, tinyScenario } from './clusterlab.ts';

// Each test starts programs; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

interface Run {
  readonly complete: boolean;
  readonly seeds: readonly string[];
  readonly variants: readonly { readonly digests: readonly string[] }[];
}
const json = <Shape>(...path: readonly string[]): Shape => JSON.parse(readFileSync(join(...path), 'utf8')) as Shape;
const tree = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

/** One finished comparison that several tests look at. */
let done: string;
let compared: Ended;
beforeAll(async () => {
  done = folderWith({ 'tiny.yaml': tinyScenario() });
  compared = await clusterlab(['compare', 'tiny.yaml'], { cwd: done });
});

describe('a result folder', () => {
  test.concurrent('holds report, data, charts with their specifications, and last a manifest with true hashes', async ({
    expect,
  }) => {
    const cwd = folderWith({ 'tiny.yaml': tinyScenario() });
    const { code, stderr } = await clusterlab(['compare', 'tiny.yaml'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Written: reports/tiny/ (open report.html in a browser)\n' });
    const folder = join(cwd, 'reports/tiny');
    const files = tree(folder);
    expect(files).toEqual(expect.arrayContaining(['manifest.json', 'report.html', 'run.json', 'summary.csv', 'timeseries.csv']));
    const charts = files.filter((file) => file.startsWith('charts/'));
    expect(charts.length).toBeGreaterThan(6);
    expect(charts.filter((file) => file.endsWith('.svg')).map((file) => file.replace('.svg', '.vl.json'))).toEqual(
      charts.filter((file) => file.endsWith('.vl.json')),
    );
    const manifest = json<{ complete: boolean; files: Record<string, string> }>(folder, 'manifest.json');
    expect(manifest.complete).toBe(true);
    const hashes = files
      .filter((file) => file !== 'manifest.json')
      .map((file) => [
        file,
        createHash('sha256')
          .update(readFileSync(join(folder, file)))
          .digest('hex'),
      ]);
    expect(manifest.files).toEqual(Object.fromEntries(hashes));
  });

  test.concurrent('is the same, byte for byte, wherever and with however many workers it is made', async ({ expect }) => {
    const one = folderWith({ 'tiny.yaml': tinyScenario({ expect: "['latency.p99 < 1s']" }) });
    const other = folderWith({ 'a b/tiny.yaml': tinyScenario({ expect: "['latency.p99 < 1s']" }) });
    await clusterlab(['compare', 'tiny.yaml', '--out', 'x'], { cwd: one });
    await clusterlab(['compare', join(other, 'a b/tiny.yaml'), '--out', join(other, 'y'), '--jobs', '2', '--quiet'], {
      cwd: other,
    });
    const files = tree(join(one, 'x'));
    expect(tree(join(other, 'y'))).toEqual(files);
    for (const file of files)
      expect(readFileSync(join(other, 'y', file), 'utf8'), file).toBe(readFileSync(join(one, 'x', file), 'utf8'));
  });

  test.concurrent('can be written again, and a chart that no longer applies is gone', async ({ expect }) => {
    const cwd = folderWith({ 'tiny.yaml': tinyScenario() });
    cpSync(join(done, 'reports/tiny'), join(cwd, 'x'), { recursive: true });
    expect(tree(join(cwd, 'x'))).toContain('charts/forest.svg');
    await clusterlab(['run', 'tiny.yaml', '--out', 'x', '-q'], { cwd });
    expect(tree(join(cwd, 'x'))).not.toContain('charts/forest.svg');
    expect(json<{ kind: string }>(cwd, 'x/run.json').kind).toBe('run');
  });

  test.concurrent('is not made of somebody else’s, and nothing is run before that is clear', async ({ expect }) => {
    const cwd = folderWith({
      'tiny.yaml': tinyScenario({ run: '{ duration: 24h, seeds: 100 }' }),
      'home/thesis.txt': 'years of work',
    });
    const refused = await clusterlab(['compare', 'tiny.yaml', '--out', 'home'], { cwd });
    expect(refused).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/home holds files that are not a clusterlab result[\s\S]*--force/),
    });
    expect(tree(join(cwd, 'home'))).toEqual(['thesis.txt']);
    const forced = await clusterlab(
      ['compare', 'tiny.yaml', '--out', 'home', '--force', '--set', 'run.duration=5s', '--seeds', '2', '-q'],
      { cwd },
    );
    expect(forced.code).toBe(0);
    expect(tree(join(cwd, 'home'))).toEqual(expect.arrayContaining(['run.json', 'thesis.txt']));
  });

  test.concurrent('that cannot be written ends with 4 and the reason', async ({ expect }) => {
    const cwd = folderWith({ 'tiny.yaml': tinyScenario(), file: '' });
    const { code, stderr } = await clusterlab(['compare', 'tiny.yaml', '--out', 'file/x', '-q'], { cwd });
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr: 'error: cannot write file/x: a part of the path is a file, not a folder (ENOTDIR)\n',
    });
  });

  test.concurrent('is not written with --no-out, even when the environment names one', async ({ expect }) => {
    const cwd = folderWith({ 'tiny.yaml': tinyScenario() });
    await clusterlab(['compare', 'tiny.yaml', '--no-out'], { cwd, env: { CLUSTERLAB_OUT: 'x' } });
    expect(tree(cwd)).toEqual(['tiny.yaml']);
    await clusterlab(['compare', 'tiny.yaml'], { cwd, env: { CLUSTERLAB_OUT: 'x' } });
    expect(existsSync(join(cwd, 'x/run.json'))).toBe(true);
  });
});

describe('an interrupted experiment', () => {
  // Each cell makes one balancer, whose constructor reports to standard error: the signal comes when the fifth cell has begun, so four
  // have ended. It never ends.
  const telling = `import { writeSync } from 'node:fs';
let made = 0;
export class Telling {
  #endless;
  #view;
  constructor() {
    made++;
    writeSync(2, 'cell ' + made + '\\n');
    this.#endless = made > 4;
  }
  update(view) { this.#view = view; }
  pick() {
    while (this.#endless);
    return this.#view.members[0];
  }
}
`;
  const scenario = tinyScenario({
    run: '{ duration: 2s, warmup: 0s, seeds: 4 }',
    compare: '{ balancer: [{ use: ./policy.mjs#Telling, label: a }, { use: ./policy.mjs#Telling, label: b }] }',
  });

  test.concurrent.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('keeps what is finished and says so: %s ends with %i', async ([signal, code], { expect }) => {
    const cwd = folderWith({ 'endless.yaml': scenario, 'policy.mjs': telling });
    const ended = await interruptedAt(/cell 5/, signal, ['compare', 'endless.yaml', '--out', 'x'], { cwd });
    expect(ended).toMatchObject({
      code,
      stdout: expect.stringMatching(/4 of 8 cells[\s\S]*Again: clusterlab compare endless\.yaml/),
    });
    expect(ended.stderr).toMatch(/interrupted: keeping what is finished[\s\S]*incomplete: 4 of 8 cells finished/);
    const run = json<Run>(cwd, 'x/run.json');
    expect(run.complete).toBe(false);
    expect(run.variants.map(({ digests }) => digests.length)).toEqual([2, 2]);
    expect(json<{ complete: boolean }>(cwd, 'x/manifest.json').complete).toBe(false);
  });

  test.concurrent('writes nothing when nothing has finished', async ({ expect }) => {
    const cwd = folderWith({ 'endless.yaml': scenario, 'policy.mjs': telling.replace('made > 4', 'true') });
    const ended = await interruptedAt(/cell 1/, 'SIGINT', ['compare', 'endless.yaml', '--out', 'x'], { cwd });
    expect(ended).toMatchObject({ code: 130, stdout: '' });
    expect(ended.stderr).toContain('nothing had finished yet, so nothing was written');
    expect(existsSync(join(cwd, 'x'))).toBe(false);
  });
});

test.concurrent('--until-ci adds seeds of the same series until p99 is known well enough', async ({ expect }) => {
  const cwd = folderWith({ 'tiny.yaml': tinyScenario() });
  const seedsFor = async (share: string): Promise<readonly string[]> => {
    const { stdout } = await clusterlab(['run', 'tiny.yaml', '--no-out', '--json', '--until-ci', share], { cwd });
    return (JSON.parse(stdout) as Run).seeds;
  };
  // Three seeds leave p99 unknown by more than 3 %; nearly everything satisfies 99 %.
  expect(await seedsFor('99%')).toEqual(['1:1', '1:2', '1:3']);
  const many = await seedsFor('3%');
  expect(many.length).toBeGreaterThanOrEqual(10);
  expect(many.slice(0, 4)).toEqual(['1:1', '1:2', '1:3', '1:4']);
});

describe('report', () => {
  test.concurrent('renders every format again from run.json alone', async ({ expect }) => {
    const cwd = folderWith({});
    cpSync(join(done, 'reports/tiny'), join(cwd, 'x'), { recursive: true });
    expect((await clusterlab(['report', 'x'], { cwd })).stdout).toBe(compared.stdout);
    expect((await clusterlab(['report', 'x/run.json', '-f', 'json'], { cwd })).stdout).toBe(
      readFileSync(join(cwd, 'x/run.json'), 'utf8'),
    );
    expect((await clusterlab(['report', 'x', '-f', 'csv'], { cwd })).stdout).toBe(
      readFileSync(join(cwd, 'x/summary.csv'), 'utf8'),
    );
    expect((await clusterlab(['report', 'x', '-f', 'html'], { cwd })).stdout).toBe(
      readFileSync(join(cwd, 'x/report.html'), 'utf8'),
    );
    const files = await clusterlab(['report', 'x', '-f', 'vega,svg,csv,json,html,md', '--out', 'y'], { cwd });
    expect(files).toEqual({ code: 0, stdout: '', stderr: 'Written: y/\n' });
    expect(tree(join(cwd, 'y'))).toEqual([...tree(join(cwd, 'x')), 'report.md'].sort());
    const same = await shell('for f in $(cd x && find . -type f ! -name manifest.json); do cmp "x/$f" "y/$f" || exit 1; done', {
      cwd,
    });
    expect(same).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test.concurrent('says what is wrong with a run that was cut short or changed', async ({ expect }) => {
    const cwd = folderWith({
      'cut.json': '{ "schema": "clusterlab-run/2", ',
      'empty.json': '{ "schema": "clusterlab-run/2" }',
      'next.json': '{ "schema": "clusterlab-run/9" }',
    });
    for (const [file, message] of [
      ['cut.json', 'is not JSON'],
      ['empty.json', 'variants'],
      ['next.json', 'clusterlab-run/9'],
    ] as const) {
      const { code, stdout, stderr } = await clusterlab(['report', file], { cwd });
      expect({ code, stdout }, file).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(message);
    }
  });
});

describe('chart', () => {
  test.concurrent('draws what is asked for, in the format of the file’s ending', async ({ expect }) => {
    const cwd = folderWith({});
    cpSync(join(done, 'reports/tiny'), join(cwd, 'x'), { recursive: true });
    const svg = await clusterlab(['chart', 'x', '-m', 'latency.p99', '--title', 'My <title>'], { cwd });
    expect(svg).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^<svg [\s\S]*My &lt;title&gt;[\s\S]*<\/svg>\n?$/),
    });
    await clusterlab(['chart', 'x', '-m', 'latency.p99', '--by', 'time', '--filter', 'variant=p2c', '-o', 'c/p99.vl.json'], {
      cwd,
    });
    expect(JSON.stringify(json(cwd, 'c/p99.vl.json'))).toContain('p2c');
    expect(JSON.stringify(json(cwd, 'c/p99.vl.json'))).not.toContain('round-robin');
    const png = await clusterlab(['chart', 'x', '-m', 'availability', '-o', 'c.png'], { cwd });
    expect(png).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(readFileSync(join(cwd, 'c.png')).subarray(1, 4).toString()).toBe('PNG');
  });

  test.concurrent('says what could be asked for instead', async ({ expect }) => {
    const cwd = folderWith({});
    cpSync(join(done, 'reports/tiny'), join(cwd, 'x'), { recursive: true });
    const metric = await clusterlab(['chart', 'x', '-m', 'latency.p98'], { cwd });
    expect(metric).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('latency.p9') });
    const filter = await clusterlab(['chart', 'x', '-m', 'latency.p99', '--filter', 'p2c'], { cwd });
    expect(filter).toMatchObject({ code: 2, stderr: expect.stringContaining('variant=p2c') });
  });
});

describe('init', () => {
  test.concurrent('writes a lab that is valid, runs within seconds, and passes its own checks', async ({ expect }) => {
    const cwd = folderWith({});
    const made = await clusterlab(['init', 'my lab'], { cwd });
    expect(made).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining(`Next: cd 'my lab' && clusterlab compare scenario.yaml\n`),
    });
    const lab = join(cwd, 'my lab');
    expect(tree(lab)).toEqual(['policies/my-balancer.ts', 'scenario.schema.json', 'scenario.yaml']);
    expect(await clusterlab(['validate', 'scenario.yaml'], { cwd: lab })).toEqual({
      code: 0,
      stdout: 'scenario.yaml: valid, 3 variants x 5 seeds\n',
      stderr: '',
    });
    const { code, stdout } = await clusterlab(['compare', 'scenario.yaml', '--json', '--no-out'], { cwd: lab });
    expect(code).toBe(0);
    const { expectations } = JSON.parse(stdout) as { expectations: readonly { variant: string; passed: boolean }[] };
    expect(expectations.some(({ variant }) => variant === 'mine')).toBe(true);
  });

  test.concurrent('overwrites nothing: all files or none', async ({ expect }) => {
    const cwd = folderWith({ 'scenario.yaml': 'mine' });
    const refused = await clusterlab(['init'], { cwd });
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('scenario.yaml exists already') });
    expect(tree(cwd)).toEqual(['scenario.yaml']);
    writeFileSync(join(cwd, 'notes.txt'), '');
    expect((await clusterlab(['init', 'lab'], { cwd })).code).toBe(0);
  });
});
