import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RunFile } from '../../src/lab/types.ts';
import { renderHtml } from '../../src/report/html.ts';
import { configured, rollouts } from './change.ts';
import { fixture } from './fixture.ts';
import { elastic, outage, shop, storm, sweep } from './life.ts';

const attack = '</title></script><script>document.documentElement.dataset.owned="yes"</script><img src=x onerror=1>';
const run = fixture({ windows: 60, seeds: 3 });
let html = '';
let calls = '';
let loads = '';
beforeAll(async () => {
  html = await renderHtml(run);
  calls = await renderHtml(shop());
  loads = await renderHtml(sweep());
});

describe('the report', () => {
  test('is the same bytes every time', async () => {
    expect(await renderHtml(run)).toBe(html);
  });

  test('goes from the verdict to the inputs', () => {
    const order = [
      'class="verdict"',
      'id="chart-forest"',
      '<tbody>',
      'id="chart-latency-over-time"',
      'id="chart-latency-survival"',
      'id="chart-instance-heatmap"',
      'id="inputs"',
    ];
    const places = order.map((each) => html.indexOf(each));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  test('has every variant, every expectation with its measured value, and what it takes to run again', () => {
    for (const { label } of run.variants) expect(html).toContain(`${label}<small>`);
    for (const { file, line, column } of run.expectations) expect(html).toContain(`${file}:${line}:${column}`);
    for (const seed of run.seeds) expect(html).toContain(`<code>${seed}</code>`);
    for (const digest of run.variants.flatMap((variant) => variant.digests)) expect(html).toContain(digest);
    expect(html).toContain(run.scenario.sha256);
  });

  test('refers to nothing outside itself', () => {
    const body = html.replace(/<script[\s\S]*?<\/script>/g, '');
    expect([...body.matchAll(/\b(?:src|href|action|data)="([^"]*)"/g)].map(([, url]) => url!.charAt(0))).toEqual(
      expect.not.arrayContaining(['h', '/', '.']),
    );
    expect(body).not.toMatch(/@import|url\(/);
  });

  test('allows exactly the scripts and the style it contains', () => {
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)![1]!;
    expect(policy).toMatch(/^default-src 'none'; script-src /);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const scripts = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text]) => digest(text!));
    const styles = [...html.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, text]) => digest(text!));
    expect(scripts).toHaveLength(2);
    expect(policy.match(/'sha256-[^']*'/g)).toEqual([...scripts, ...styles]);
    expect(html).not.toMatch(/ (?:on\w+|style)="/);
  });

  test('shows foreign text literally', async () => {
    const labels = [attack, `${attack}2`];
    const nasty = await renderHtml({
      ...fixture({ variants: 2, windows: 10, seeds: 2, name: attack, labels }),
      verdict: [attack],
      replay: attack,
    });
    expect(nasty.match(/<script/g)).toHaveLength(3);
    expect(nasty).not.toContain('<img');
  });

  test('has tables of calls, queues and recovery and the slowest requests where there are any, and else not', async () => {
    const parts = ['id="calls"', 'id="queues"', 'id="requests"', 'id="recovery"', 'id="loads"'];
    expect(parts.filter((part) => html.includes(part))).toEqual([]);
    const recovery = await renderHtml(storm());
    expect(parts.filter((part) => calls.includes(part))).toEqual(parts.slice(0, 3));
    expect(parts.filter((part) => recovery.includes(part))).toEqual(['id="recovery"']);
    expect(parts.filter((part) => loads.includes(part))).toEqual(['id="loads"']);
    expect(calls).toContain('<span>timeout 1.74 %</span>');
    expect(recovery).toContain('55 % to 60 % of the load');
  });

  test('has faults, truth and belief, and who noticed what, and shows foreign names among them literally', async () => {
    const file = outage();
    const named = (text: string): string => text.replace('api/0', attack);
    const variants = file.variants.map((each) => ({
      ...each,
      availability: {
        ...each.availability,
        faults: each.availability.faults.map((fault) => ({ ...fault, label: named(fault.label) })),
      },
      beliefs: each.beliefs.map((belief) => ({ ...belief, instance: named(belief.instance) })),
      truth: each.truth.map((span) => ({ ...span, instance: named(span.instance), what: attack })),
    }));
    const page = await renderHtml({ ...file, variants });
    expect(page).toContain('<h2 id="faults-title">Faults, and who noticed them</h2>');
    for (const name of ['belief-timeline', 'detection-frontier', 'budget-burn']) expect(page).toContain(`id="chart-${name}"`);
    expect(page).toContain('<h3>Detectors and users</h3>');
    expect(page.match(/<script/g)).toHaveLength(3);
    expect(page).not.toContain('<img');
  });

  test('has replicas, cost, nodes and alarms where there are any, and shows foreign names among them literally', async () => {
    const named = <T extends { readonly [key: string]: unknown }>(each: T, key: keyof T): T => ({ ...each, [key]: attack });
    const file = elastic();
    const variants = file.variants.map((each) => ({
      ...each,
      elastic: each.elastic && {
        services: each.elastic.services.map((service, index) => ({ ...service, name: `${attack}${index}` })),
        changes: each.elastic.changes.map((change) => ({ ...change, reason: attack })),
        nodes: each.elastic.nodes.map((node) => ({
          ...node,
          id: `${attack}${node.id}`,
          spans: node.spans.map((span) => named({ ...span }, 'end')),
        })),
      },
      alarms: each.alarms.map((change) => ({ ...change, service: attack })),
    }));
    const page = await renderHtml({ ...file, variants });
    expect(page).toContain('<h2 id="scaling-title">Did capacity follow demand?</h2>');
    for (const name of ['replicas', 'pareto', 'nodes', 'alarms']) expect(page).toContain(`id="chart-${name}"`);
    for (const title of ['Scaling', 'Scaling by service', 'Alarms']) expect(page).toContain(`<h3>${title}</h3>`);
    expect(page.match(/<script/g)).toHaveLength(3);
    expect(page).not.toContain('<img');
    expect(html).not.toMatch(/id="scaling"|id="chart-(replicas|pareto|nodes|alarms)"|<h3>(Scaling|Alarms)/);
  });

  test('has roll-outs where there are any, and shows foreign names among them literally', async () => {
    const file = configured();
    const renamed = JSON.parse(
      JSON.stringify(file, (_, value: unknown) => (value === Infinity ? 1e12 : value)),
      (key, value: unknown) =>
        typeof value === 'string' && key !== 'kind'
          ? value.replace(/^(retry-[25]|v[123]|api|halted|Stage 1|controller-0)(?=$|[/#])/, (name) => attack + name)
          : value === null && ['exposedMs', 'decidedMs', 'endedMs'].includes(key)
            ? NaN
            : value,
    ) as RunFile;
    const page = await renderHtml(renamed);
    expect(page).toContain('<h2 id="changes-title">Changes</h2>');
    for (const name of ['traffic-by-version', 'canary', 'version-map', 'leaders']) expect(page).toContain(`id="chart-${name}"`);
    for (const title of ['Roll-outs', 'Each roll-out', 'Delivery of changes']) expect(page).toContain(`<h3>${title}</h3>`);
    expect(page.match(/<script/g)).toHaveLength(3);
    expect(page).not.toContain('<img');
    expect(await renderHtml(rollouts())).not.toContain('<h3>Delivery of changes</h3>');
    expect(html).not.toMatch(/id="changes"|id="chart-(traffic-by-version|canary|version-map|leaders)"|<h3>(Roll-outs|Each)/);
  });

  test('shows names of edges, queues, classes and instances literally, too', async () => {
    const renamed = (file: RunFile): RunFile =>
      JSON.parse(
        JSON.stringify(file, (_, value: unknown) => (value === Infinity ? 1e12 : value)),
        (key, value: unknown) =>
          typeof value === 'string' && !['kind', 'state', 'metric', 'verdict', 'before', 'after', 'outcome'].includes(key)
            ? value.replace(/^(web->db|jobs|db\/1|shoppers|read)$/, (name) => attack + name)
            : value,
      ) as RunFile;
    const nasty = await renderHtml(renamed(shop()));
    expect(nasty.match(/<script/g)).toHaveLength(3);
    expect(nasty).not.toContain('<img');
    expect(nasty).toContain('&#60;img');
  });

  test('of an interrupted run, has what there is', async () => {
    const file = shop();
    const [first, second] = file.variants;
    const empty = { median: [], min: [], max: [] };
    const columns = Object.fromEntries(Object.keys(first!.series.columns).map((name) => [name, empty]));
    const nothing = {
      ...second!,
      ...{ metrics: {}, estimates: {}, views: [], queues: [], waterfalls: [], instances: [], digests: [] },
      series: { windowMs: 0, columns: columns as unknown as RunFile['variants'][number]['series']['columns'] },
      latency: { ...second!.latency, count: 0, counts: [], min: 0, max: 0 },
      ledger: { ...second!.ledger, offered: 0, ok: 0, inFlight: 0 },
    };
    const interrupted = await renderHtml({ ...file, complete: false, comparisons: [], variants: [first!, nothing] });
    expect(interrupted).toContain('id="calls"');
    expect(interrupted).not.toMatch(/\bNaN\b(?=<)|undefined<|Infinity</);
  });

  test('says what became of every request, and whether traffic waits for answers', () => {
    expect(html).toContain('<th scope="row" class="name">failed: circuit open</th>');
    expect(html).toContain('Open loop: requests arrive no matter how long answers take.');
  });

  test('in a sweep over loads the groups can be picked out, not every load of them', async () => {
    expect([...loads.matchAll(/data-variant="([^"]*)"/g)].map(([, name]) => name)).toEqual(['round-robin', 'p2c']);
  });

  test('shows recorded decisions, and what could be seen of the places', async () => {
    const decision = {
      atMs: 31_000,
      request: 7,
      balancer: 1,
      picked: 'api/3',
      best: 'api/0',
      regretMs: 48,
      visible: [
        { instance: 'api/3', active: 2, healthy: true, ageMs: 120, present: 9, takesMs: 60 },
        { instance: 'api/0', active: 2, healthy: true, ageMs: Infinity, present: 1, takesMs: 12 },
      ],
    };
    const [first, ...rest] = run.variants;
    const explained = await renderHtml({ ...run, variants: [{ ...first!, decisions: [decision] }, ...rest] });
    expect(explained).toContain('own in flight 2, heard of 120 ms ago; truly 9 there, done in 60.0 ms');
    expect(explained).toContain('own in flight 2, never heard of; truly 1 there, done in 12.0 ms');
    expect(explained).toContain('round-robin: 0 of 1 decision went to the best place');
  });

  test('stays below 5 MB for 20 variants of 1000 instances', async () => {
    const big = await renderHtml(fixture({ variants: 20, instances: 1000, windows: 200, seeds: 2 }));
    expect(Buffer.byteLength(big)).toBeLessThan(5_000_000);
  });
});

const chromium = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && path !== '' && existsSync(path),
);

describe.skipIf(chromium === undefined)('in a browser', () => {
  test('every chart is drawn under the page’s own policy, and foreign text does not run', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clusterlab-report-'));
    try {
      const file = join(folder, 'report.html');
      await writeFile(
        file,
        await renderHtml(fixture({ variants: 3, windows: 40, seeds: 2, name: attack, labels: [attack, 'a.b', '__proto__'] })),
      );
      const flags =
        '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --virtual-time-budget=8000 --dump-dom';
      const { stdout } = await promisify(execFile)(
        chromium!,
        [...flags.split(' '), `--user-data-dir=${folder}/profile`, `file://${file}`],
        {
          maxBuffer: 1 << 26,
        },
      );
      expect(/<html[^>]*>/.exec(stdout)![0]).toBe('<html lang="en" data-ready="true">');
      expect(stdout.match(/<figure/g)!.length).toBe(stdout.match(/<(?:svg|canvas)[^>]* class="marks"/g)!.length);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
