import { describe, expect, test } from 'vitest';
import type { RunFile, VariantChange } from '../../../src/lab/types.ts';
import { charts } from '../../../src/report/charts/index.ts';
import type { ChartSpec, Row } from '../../../src/report/charts/spec.ts';
import { changesKept } from '../../../src/stats/result.ts';
import { wilson } from '../../../src/stats/wilson.ts';
import { bare, configured, crowded, rollouts } from '../change.ts';
import { fixture } from '../fixture.ts';

const run = rollouts();
const spec = (name: string, file: RunFile = run): ChartSpec => charts[name]!.spec(file);
const rows = (name: string, dataset: string, file: RunFile = run): readonly Row[] => spec(name, file).datasets[dataset]!;
const title = (name: string, file: RunFile = run): string => (spec(name, file).title as { text: string[] }).text.join(' ');
const subtitle = (name: string, file: RunFile = run): string =>
  (spec(name, file).title as { subtitle: string[] }).subtitle.join(' ');
const ofVariant = (all: readonly Row[], variant: string): Row[] => all.filter((row) => row.variant === variant);

/** The same run, in which the second variant went otherwise. */
function changed(change: (of: VariantChange) => Partial<VariantChange>, file: RunFile = run): RunFile {
  const variants = file.variants.map((each, index) =>
    index === 1 ? { ...each, change: { ...each.change!, ...change(each.change!) } } : each,
  );
  return { ...file, variants };
}

describe('where nothing is rolled out', () => {
  const names = ['traffic-by-version', 'canary', 'version-map'];
  test('there are no such charts', () => {
    expect(names.filter((name) => charts[name]!.when(fixture({ windows: 5 })))).toEqual([]);
  });
  test('what nobody met is drawn, but there is nothing to compare and no host', () => {
    expect(names.map((name) => charts[name]!.when(bare()))).toEqual([true, false, false]);
  });
});

describe('requests by version', () => {
  const shares = ofVariant(rows('traffic-by-version', 'shares'), 'argo-canary');
  const at = (version: string, second: number): Row => shares.find((row) => row.version === version && row.from === second)!;

  test('the shares of a step fill the whole, the newest version at the bottom', () => {
    expect(at('v2', 40)).toMatchObject({ low: 0, high: 0.05, share: 0.05 });
    expect(at('v1', 40)).toMatchObject({ low: 0.05, high: 1, share: 0.95 });
    expect(at('v3', 95)).toMatchObject({ low: 0, high: 0.25 });
  });
  test('a window without requests is a gap, and what was there before reaches up to it', () => {
    const quiet = changed(({ traffic }) => ({
      traffic: traffic.map((each) => ({
        ...each,
        requests: each.requests.map((row) => row.map((count, second) => (second === 40 ? 0 : count))),
      })),
    }));
    const found = ofVariant(rows('traffic-by-version', 'shares', quiet), 'argo-canary').filter(
      ({ version, from }) => version === 'v1' && (from === 40 || from === 39),
    );
    expect(found.map(({ from, high }) => [from, high])).toEqual([
      [39, 1],
      [40, 1],
      [40, null],
    ]);
  });
  test('hosts are a line where their share is another one, and none where it is the same', () => {
    const hosts = rows('traffic-by-version', 'hosts').filter((row) => row.panel === '0_1' && row.version === 'v2');
    expect(hosts.find((row) => row.from === 40)!.share).toBe(0.1);
    expect(hosts.find((row) => row.from === 10)!.share).toBeNull();
    const same = changed(({ traffic }) => ({ traffic: traffic.map((each) => ({ ...each, hosts: each.requests })) }));
    expect(rows('traffic-by-version', 'hosts', same).filter((row) => row.panel === '0_1')).toEqual([]);
  });
  test('phases of the first seed are rules with words; a start is named by the version', () => {
    const phases = rows('traffic-by-version', 'phases').filter((row) => row.panel === '0_1');
    expect(phases.map(({ at: second, phase }) => [second, phase])).toEqual([
      [26, 'to v2'],
      [32, 'pause'],
      [46, 'given up'],
      [76, 'to v3'],
      [80, 'pause'],
      [90, 'goes on'],
      [91, 'pause'],
      [108, 'accepted'],
    ]);
    // There is no room for a word about what lasted a second only.
    expect(phases.find((row) => row.phase === 'goes on')!.word_at).toBeNull();
  });
  test('its title tells who exposed fewest', () => {
    expect(title('traffic-by-version')).toBe(
      '16.7 % of the requests meet a new version with argo-canary, 50.6 % with rolling-update',
    );
  });
  test('of many pictures each service keeps some, and windows are put together', () => {
    const shown = new Set(rows('traffic-by-version', 'shares', crowded()).map((row) => `${row.service}`));
    expect(shown).toEqual(new Set(['checkout-service-with-a-long-name', 'catalogue']));
    expect(subtitle('traffic-by-version', crowded())).toContain('Each step is 3 windows of 1008 s. 8 of 20 pictures;');
  });
  test('bad versions are warm, good ones cool, and the first one is grey', () => {
    const text = JSON.stringify(spec('traffic-by-version'));
    expect(text).toContain('"domain":["v1","v2","v3"],"range":["#b9c2cb","#B0203A","#0072B2"]');
    expect(text).toContain('v2 (bad)');
  });
});

describe('versions against each other', () => {
  const versions = rows('canary', 'versions');

  test('failures have Wilson’s interval over all seeds, and each seed is shown', () => {
    const row = versions.find((each) => each.variant === 'argo-canary' && each.version === 'v2')!;
    const totals = run.variants[1]!.change!.traffic[0]!.totals[1]!;
    const interval = wilson(totals.failed, totals.requests);
    expect(row).toMatchObject({ requests: 2100, failed: 420, rate: 0.2, count: 'n = 2100' });
    expect(row.rate_low).toBeCloseTo(interval.low, 6);
    expect(row.rate_high).toBeCloseTo(interval.high, 6);
    const seeds = rows('canary', 'seeds').filter((each) => each.lane === row.lane);
    expect(seeds.map((each) => each.rate)).toEqual([137 / 700, 140 / 700, 143 / 700].map((rate) => Number(rate.toPrecision(6))));
  });
  test('who never had two versions at once is left out, and the subtitle says so', () => {
    expect(new Set(versions.map((row) => row.variant))).toEqual(new Set(['argo-canary', 'rolling-update']));
    expect(subtitle('canary')).toContain('One variant never exposed two at once.');
  });
  test('its title is the clearest difference to the version before', () => {
    expect(title('canary')).toMatch(/^v2 fails 20 % of its requests, v1 0\.\d+ %, with argo-canary$/);
  });
  test('a difference within the intervals is none', () => {
    const even = {
      ...run,
      variants: run.variants.map((each) => ({
        ...each,
        change: {
          ...each.change!,
          traffic: each.change!.traffic.map((traffic) => ({
            ...traffic,
            totals: traffic.totals.map(({ requests, p50, p99 }) => ({ requests, failed: requests === 0 ? 0 : 3, p50, p99 })),
          })),
        },
      })),
    };
    const few = changed(
      ({ traffic }) => ({
        traffic: traffic.map((each) => ({
          ...each,
          totals: each.totals.map((totals, index) => ({ ...totals, requests: 1000 + index, failed: 3 + index })),
        })),
      }),
      { ...even, variants: even.variants.slice(0, 2) },
    );
    expect(title('canary', few)).toBe(
      'No version fails clearly more often than the one beside it; the highest p99 is 240 ms, of v2',
    );
  });
  test('latencies that do not exist are gaps', () => {
    const failing = changed(({ traffic }) => ({
      traffic: traffic.map((each) => ({ ...each, totals: each.totals.map((totals) => ({ ...totals, p50: NaN, p99: NaN })) })),
    }));
    expect(ofVariant(rows('canary', 'versions', failing), 'argo-canary')[0]).toMatchObject({ p50: null, p99: null });
  });
  test('of many rows whole variants are kept, of each service as many', () => {
    const many = rows('canary', 'versions', crowded());
    expect(many).toHaveLength(2 * 2 * 9);
    expect(subtitle('canary', crowded())).toContain('36 of 180 rows.');
  });
});

describe('versions of hosts', () => {
  test('a bar per version, blank while there is no process', () => {
    const first = ofVariant(rows('version-map', 'hosts'), 'argo-canary').filter((row) => row.host === 'api/0');
    expect(first.map(({ version, from, to }) => [version, from, to])).toEqual([
      ['v1', 0, 27.5],
      ['v2', 29.5, 49.5],
      ['v1', 51.5, 75.5],
      ['v3', 77.5, 120],
    ]);
  });
  test('hosts stand in the order of their numbers', () => {
    const names = new Set(ofVariant(rows('version-map', 'hosts'), 'rolling-update').map((row) => row.host));
    expect([...names].slice(0, 3)).toEqual(['api/0', 'api/1', 'api/2']);
    expect([...names].at(-1)).toBe('api/11');
  });
  test('of a large fleet some are picked in the order in which they changed, and the subtitle says so', () => {
    const large = configured(300);
    const shown = rows('version-map', 'hosts', large).filter((row) => String(row.host).startsWith('api#'));
    expect(new Set(shown.map((row) => row.host)).size).toBe(40);
    expect(subtitle('version-map', large)).toContain('40 of 300 rows, picked evenly');
    // 35 % of the fleet changed, so do those picked.
    expect(shown.filter((row) => row.version === 'retry-5')).toHaveLength(14);
    expect(title('version-map', large)).toBe('retry-5, which is bad, is on up to 105 hosts at once');
  });
  test('clients of an edge belong to the service at its end', () => {
    const file = changed(
      ({ hosts }) => ({ hosts: hosts.map((each) => ({ ...each, host: each.host.replace('api#', 'shoppers#') })) }),
      { ...configured(), edges: [{ name: 'shoppers', caller: '', service: 'api', queue: '' }] },
    );
    expect(rows('version-map', 'hosts', file).some((row) => row.host === 'shoppers#3')).toBe(true);
  });
  test('after the last change that was kept nothing is claimed', () => {
    const cut = changed(({ hosts }) => {
      const early = hosts.filter(({ atMs }) => atMs <= 30_000);
      return { hosts: [...Array.from({ length: changesKept - early.length }, () => early[0]!), ...early] };
    });
    expect(Math.max(...ofVariant(rows('version-map', 'hosts', cut), 'argo-canary').map((row) => row.to as number))).toBe(29.5);
    expect(subtitle('version-map', cut)).toContain('what came after 29.5s is not shown');
  });
});

test('instances that replace each other are counted once at a time', () => {
  const file = changed(() => ({
    hosts: ['api/0', 'api/1', 'api/2'].flatMap((host, place) => [
      { atMs: place * 10_000, host, kind: 'release' as const, version: 'v2' },
      { atMs: (place + 1) * 10_000, host, kind: 'release' as const, version: '' },
    ]),
  }));
  expect(title('version-map', { ...file, variants: file.variants.slice(0, 2) })).toBe(
    'v2, which is bad, is on up to 1 instance at once with argo-canary, 10 with all-at-once',
  );
});

describe('leading controllers', () => {
  const file = configured();
  test('a bar per time in which one believed to lead, open ends at the end of the run', () => {
    const bars = rows('leaders', 'leaders', file).map(({ controller, from, to, token }) => [controller, from, to, token]);
    expect(bars).toEqual([
      ['controller-0', 0, 54, 1],
      ['controller-0', 91, 120, 3],
      ['controller-1', 50, 90, 2],
    ]);
  });
  test('what two led is marked at both', () => {
    const both = rows('leaders', 'both', file).map(({ controller, from, to }) => [controller, from, to]);
    expect(both).toEqual([
      ['controller-0', 50, 54],
      ['controller-1', 50, 54],
    ]);
    expect(title('leaders', file)).toBe('Two controllers believe to lead at once for 4s with waves');
  });
  test('one controller needs no picture', () => {
    expect(charts.leaders!.when(run)).toBe(false);
  });
});
