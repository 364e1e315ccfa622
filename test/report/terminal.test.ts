import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import type { RunFile } from '../../src/lab/types.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { bare, configured, crowded, rollouts } from './change.ts';
import { fixture } from './fixture.ts';
import { elastic, outage, shop, storm, sweep } from './life.ts';

const run = fixture();
const plain = { color: false, width: 150, unicode: true };
const render = (file: RunFile, options = {}): string => renderTerminal(file, { ...plain, ...options });
const line = (text: string, start: string): string => text.split('\n').find((each) => each.startsWith(start)) ?? '';

describe('a comparison', () => {
  const text = render(run);

  test('opens with what was simulated, then the verdict', () => {
    const [first, , verdict] = text.split('\n');
    expect(first).toBe('slow-node   5m simulated × 10 seeds × 5 variants   67.5M requests');
    expect(verdict).toBe(run.verdict[0]);
  });

  test('has a row per variant with its paired change, interval and verdict', () => {
    expect(line(text, ' round-robin')).toMatch(/613 ms .* 99\.32 % .* baseline +✗ latency\.p99 < 250ms and 1 more$/);
    expect(line(text, ' two choices')).toMatch(/100 % +-86\.\d % {2}\[-8\d\.\d \.\. -8\d\.\d] {3}better +✓$/);
  });

  test('marks what is inconclusive, and says how many seeds would decide', () => {
    const comparisons = run.comparisons.map((each) =>
      each.variant === 'mine' && each.metric === 'latency.p99'
        ? { ...each, verdict: 'inconclusive' as const, seedsNeeded: 57 }
        : each,
    );
    const open = render({ ...run, comparisons });
    expect(line(open, ' mine')).toContain('~ inconclusive');
    expect(open).toContain('~ p99 latency: 10 seeds cannot tell mine from round-robin; about 57 would decide.');
  });

  test('does not let 100 % stand without its bound', () => {
    // 3 / 12 149 400 requests, the rule of three.
    expect(text).toMatch(/0 of 12\.1M requests failed \(two choices and peak-ewma\), so the failure rate is below 0\.000025 %/);
  });

  test('shows failed expectations with place, measured value and interval', () => {
    expect(text).toMatch(/^scenarios\/slow-node\.yaml:32:5 ✗ latency\.p99 < 250ms {3}round-robin: 613 ms \(\d+ \.\. \d+ ms\)$/m);
  });

  test('ends with the command that makes it again', () => {
    expect(text.trimEnd().split('\n').at(-1)).toBe(`Again: ${run.replay}`);
  });
});

test('what holds for every variant is one line, with the variant nearest to the limit', () => {
  const expectations = run.expectations.map((each) => ({
    ...each,
    passed: true,
    uncertain: false,
    limit: each.line === 32 ? 700 : 0.9,
  }));
  const text = render({ ...run, expectations });
  expect(text).toMatch(/^scenarios\/slow-node\.yaml:32:5 ✓ latency\.p99 < 250ms {3}5 of 5 variants; nearest: random: 63\d ms/m);
});

test('an interval that reaches over the limit is called close', () => {
  const expectations = [{ ...run.expectations[0]!, passed: true, uncertain: true }];
  expect(render({ ...run, expectations }).replace(/\s+/g, ' ')).toContain(
    'too close to the limit to be sure, more seeds could turn it',
  );
});

describe('a single run', () => {
  const text = render(fixture({ variants: 1 }));
  test('lists its metrics with intervals', () => {
    expect(line(text, ' p99 latency')).toMatch(/613 ms +\d+ \.\. \d+ ms$/);
    expect(text).toContain('mean of 10 seeds');
  });
  test('shows kinds of failure that occurred, and no others', () => {
    expect(text).toContain('failed: timeout');
    expect(text).not.toContain('failed: no endpoint');
  });
});

test('one seed has neither intervals nor verdicts, and says so', () => {
  const text = render(fixture({ variants: 2, seeds: 1, windows: 20 }));
  expect(text).toContain('One seed: without a second one there are no intervals and no verdicts.');
  expect(text).not.toContain('baseline');
});

test('an interrupted run says on what it rests', () => {
  const variants = run.variants.map((each, index) => ({ ...each, digests: each.digests.slice(0, index < 2 ? 10 : 3) }));
  expect(render({ ...run, complete: false, variants })).toContain('Interrupted: 29 of 50 cells finished');
});

describe('the life of a request', () => {
  const calls = render(shop(), { width: 130 });
  test('has a row per edge and variant, the name of the edge on the first of its rows', () => {
    const at = calls.split('\n').findIndex((each) => each.startsWith(' web->db'));
    // 2000 calls/s, of which 3480 of 200 000 timed out: 1.74 %; with 1.25 attempts each, 2.5 messages per request of the traffic.
    expect(calls.split('\n')[at]).toMatch(/^ web->db +no retries +2000 +98\.24 % .*timeout 1\.74 %, error 0\.01 %$/);
    expect(calls.split('\n')[at + 1]).toMatch(/^ {9,}retries +2000 +98\.24 % .* 1\.25 .* 2\.50 /);
  });
  test('at 80 cells a row keeps edge, variant, success, p99, attempts and the most frequent failure', () => {
    expect(line(render(shop(), { width: 80 }), ' web->db')).toMatch(
      /no retries .*98\.24 % +40\.0 ms +1\.00 +timeout 1\.74 % \+$/,
    );
  });
  test('with a thousand rows those edges are shown that fail most', () => {
    const file = shop();
    const names = Array.from({ length: 40 }, (_, index) => `calm-${index}`);
    const edges = [...names.map((name) => ({ name, caller: '', service: 'web', queue: '' })), ...file.edges];
    const calm = (each: (typeof file.variants)[number]) =>
      names.map((name) => ({ ...each.views[0]!, label: `edge=${name}`, edges: [name] }));
    const variants = file.variants.map((each) => ({ ...each, views: [...calm(each), ...each.views] }));
    const text = render({ ...file, edges, variants }, { width: 130 });
    expect(line(text, ' web->db')).not.toBe('');
    expect(text.match(/calm-/g)!.length).toBeLessThan(24);
  });
  test('queues have what passed through them, and how deep and old they got', () => {
    expect(line(calls, ' jobs ')).toMatch(
      /no retries +60000 +59400 +12 +300 +2\.36 s$|no retries +60\.0k +59\.4k +12 +300 +2\.36 s$/,
    );
  });
  test('recovery is a table of seeds', () => {
    const text = render(storm());
    expect(line(text, ' after the trigger')).toMatch(/stays down +recovers +back after +recovers by itself at$/);
    expect(text).toMatch(/^ no retries +0 of 3 +3 of 3 +12s$/m);
    expect(text).toMatch(/^ retries +3 of 3 +0 of 3 +55 % to 60 % of the load$/m);
  });
  test('attempts are a column as soon as anything was tried twice', () => {
    expect(line(calls, ' retries ')).toMatch(/ 1\.25 /);
    expect(render(run)).not.toContain('attempts');
  });
  test('says whether traffic waits for answers', () => {
    expect(calls).toContain('\nOpen loop: requests arrive no matter how long answers take.\n');
  });
  test('in a sweep over loads a variant is compared with the group at its own load', () => {
    const text = render(sweep());
    expect(text).toContain('p99 vs round-robin ');
    expect(text).not.toContain('p99 vs round-robin, load');
  });
  test('what became of the requests is told when any failed, and then only what occurred', () => {
    const text = render(run);
    expect(line(text, ' of the requests')).toMatch(/offered +ok +timeout +refused +in flight$/);
    const calm = run.variants.filter((each) => each.label === 'two choices');
    expect(render({ ...run, variants: calm })).not.toContain(' of the requests');
  });
});

describe('faults', () => {
  const text = render(outage());
  const rows = text.split('\n').slice(text.split('\n').findIndex((each) => each.startsWith(' fault ')));
  test('have a row per variant: what they cost, and how long it took to notice, to stop the harm, to be back', () => {
    expect(rows[0]).toMatch(/^ fault +variant +extra failed +error min +noticed +mitigated +recovered$/);
    expect(rows[1]).toMatch(/^ hang api\/0 at 20s +blind +1700 +0\.5 +in 1 of 4 +20s +20s$/);
    expect(rows[2]).toMatch(/^ {15,}checks +230 +0\.5 +1\.4s +2s +1s, in 3 of 4$/);
    expect(rows[5]).toMatch(/^ crash api\/3 at 1m +blind +1710 +0\.5 +never +20s +20s$/);
  });
  test('that hurt nobody and hit no instance leave the times empty', () => {
    expect(rows[9]).toMatch(/^ discovery-outage at 1m 30s +blind +0 +0$/);
  });
  test('keep what they cost and when it was over at 80 cells, and lose the time of their beginning', () => {
    const narrow = render(outage(), { width: 80 });
    expect(line(narrow, ' hang api/0')).toMatch(/^ hang api\/0 +blind +1700 +in 1 of 4 +20s$/);
  });
  test('of variants with long names keep their numbers: names lose their middle as far as they stay different', () => {
    const file = outage();
    const variants = file.variants.map((each, index) => ({ ...each, label: `balancer=p2c, ${'x'.repeat(60)}, seed ${index}` }));
    const narrow = render({ ...file, variants }, { width: 100 });
    expect(line(narrow, ' hang api/0')).toMatch(/balancer=p2…xxx, seed 0 +1700 +in 1 of 4 +20s$/);
  });
  test('of many, those are shown that cost most requests', () => {
    const file = outage();
    const variants = file.variants.map((each) => ({
      ...each,
      availability: {
        ...each.availability,
        faults: Array.from({ length: 20 }, (_, k) => ({
          ...each.availability.faults[0]!,
          ...{ label: `fault ${k}`, fromMs: k * 1000, failedInExcess: k },
        })),
      },
    }));
    const many = render({ ...file, variants }, { width: 130 });
    // 24 rows are six faults of four variants.
    expect(line(many, ' fault (6 of 20)')).not.toBe('');
    expect([...many.matchAll(/^ fault (\d+) at/gm)].map(([, k]) => Number(k))).toEqual([14, 15, 16, 17, 18, 19]);
  });
  test('are followed by how well detectors judged, beside what users had of it', () => {
    expect(line(text, ' detectors and users')).toMatch(
      /noticed +missed +used again +mistakes\/h +corrected +accuracy +messages\/s +failed +error min +budget$/,
    );
    const judged = text.split('\n').slice(text.split('\n').findIndex((each) => each.startsWith(' detectors')));
    expect(judged[1]).toMatch(/^ blind +0\.\d\d % +1 +17\.0×$/);
    expect(judged[3]).toMatch(/^ hasty +300 ms +0 % +1\.00 s +120 +5\.00 s +99\.80 % +18\.0 +.* 1 +0\.600×$/);
  });
  test('are not spoken of where none are planned', () => {
    const calm = run.variants.map((each) => ({ ...each, availability: { ...each.availability, faults: [] } }));
    const without = render({ ...run, faults: [], variants: calm });
    expect(without).not.toMatch(/^ (fault|error budget|detectors)/m);
    expect(without).toContain(' of the requests');
  });
});

describe('scaling and alarms', () => {
  const text = render(elastic(), { width: 130 });
  test('have a row per variant that scales or watches', () => {
    expect(line(text, ' scaling')).toMatch(/^ scaling +replicas +most +too few +too many +reaction +flaps\/h +pending +cost\/h$/);
    const at = text.split('\n').findIndex((each) => each.startsWith(' scaling'));
    expect(text.split('\n')[at + 1]).toMatch(/^ late +9\.50 +14\.0 +10 % +30 % +10\.0 s +30\.0 +1\.50 s +0\.800$/);
    expect(text.split('\n')[at + 2]).toMatch(/^ ahead +9\.50 +14\.0 +0 +30 % +30\.0 +1\.50 s +1\.60$/);
    expect(text.split('\n')[at + 3]).toBe('');
    const alarms = text.split('\n').findIndex((each) => each.startsWith(' alarms'));
    expect(text.split('\n')[alarms]).toMatch(/^ alarms +fired after +missed +false\/h$/);
    expect(text.split('\n')[alarms + 1]).toMatch(/^ late +5\.00 s +50 % +30\.0$/);
  });
  test('have a table by service where several scale', () => {
    expect(text).toMatch(/^ worker +late +9\.50 .*\n +ahead +9\.50 /m);
    const variants = elastic().variants.map((each) => ({
      ...each,
      elastic: each.elastic && { ...each.elastic, services: each.elastic.services.slice(0, 1) },
    }));
    expect(render({ ...elastic(), variants }, { width: 130 })).not.toMatch(/^ service/m);
  });
  test('of many services, those are shown that lacked instances longest', () => {
    const file = elastic();
    const variants = file.variants.map((each) => ({
      ...each,
      elastic: each.elastic && {
        ...each.elastic,
        services: [
          ...Array.from({ length: 40 }, (_, k) => ({ ...each.elastic!.services[1]!, name: `calm-${k}` })),
          ...each.elastic.services,
        ],
      },
    }));
    const many = render({ ...file, variants }, { width: 130 });
    expect(many).toMatch(/^ api +late /m);
    expect(many.match(/^ calm-/gm)!.length).toBeLessThan(24);
  });
  test('on a narrow terminal keep replicas, lack and cost', () => {
    expect(line(render(elastic(), { width: 60 }), ' scaling')).toMatch(/replicas .*too few .*cost\/h$/);
  });
  test('are not spoken of where nothing scales and nobody watches', () => {
    expect(render(run)).not.toMatch(/^ (scaling|alarms)/m);
  });
});

describe('roll-outs', () => {
  const text = render(rollouts());
  test('have a row per variant, and one per roll-out and variant with what became of it', () => {
    expect(line(text, ' roll-outs')).toMatch(
      /exposed +failed +slow +user minutes +detected +rolled back +finished +missed +wrong$/,
    );
    expect(text).toMatch(/^ all-at-once +20 % +203 +102 +68 +24s +100 % +0$/m);
    expect(text).toMatch(/^ api: v1 to v2 \(bad\) at 26s +all-at-once +accepted after 4s +20 % +201 +101$/m);
    expect(text).toMatch(/^ +rolling-update +still progressing +55\.7 % /m);
  });
  test('say how many seeds decided otherwise', () => {
    expect(text).toMatch(/argo-canary +given up after 20s, gone 4s later, in 2 of 3 seeds; accepted after 20s in 1 /);
  });
  test('of a version that replaces another one under each variant, only the new one is named', () => {
    expect(text).toMatch(/^ api: v3 at 1m 16s +all-at-once /m);
  });
  test('tell about delivery where configuration is spread or controllers are several', () => {
    const delivery = render(configured());
    expect(line(delivery, ' delivery')).toMatch(/lag +longest lag +skew +refused +took over +two leaders +fenced +stale$/);
    expect(delivery).toMatch(/^ waves +800ms +12s +30 % +0 +2 +4s +3 +1$/m);
    expect(text).not.toMatch(/^ delivery/m);
  });
  test('of many, those are shown that failed most requests', () => {
    const many = render(crowded());
    expect(many).toMatch(/^ roll-out \(2 of 16\)/m);
    expect(many).toMatch(/: 2026\.11\.12-build \(bad\) +round-robin +superseded after /);
  });
  test('that nobody met and that were not decided are not begun, and there is no table of what is not known', () => {
    expect(render(bare())).toMatch(/^ api: v1 to v2 at 1s +not begun +0 +0$/m);
    expect(render(bare())).not.toMatch(/^ roll-outs/m);
  });
  test('are not spoken of where nothing is rolled out', () => {
    expect(render(run)).not.toMatch(/roll-out|delivery/);
  });
});

test.each([130, 100, 80, 60, 40])('no line is wider than %d cells, except what is meant to be copied', (width) => {
  const text = render(fixture({ labels: ['負荷分散'.repeat(3), 'b', 'c', 'd', 'e'] }), { width });
  const changes = [rollouts(), configured(), crowded(), bare()];
  const life = [shop(), storm(), sweep(), outage(), elastic(), ...changes].map((each) => render(each, { width })).join('\n');
  const wide = `${text}\n${life}`.split('\n').filter((each) => stringWidth(each) > width && !/^(Again: |scenarios\/)/.test(each));
  expect(wide).toEqual([]);
});

test('on a narrow terminal the differences go below the numbers, and neither loses a column', () => {
  const lines = render(run, { width: 80 })
    .split('\n')
    .filter((each) => each.startsWith(' two choices'));
  // The third is about what became of the requests, the fourth about the error budget.
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/12\.3 ms +84\.1 ms +151 ms +100 % +✓$/);
  expect(lines[1]).toMatch(/-86\.\d % {2}\[.*] {3}better$/);
});

test('without unicode there is nothing beyond ASCII of our own', () => {
  expect(render(run, { unicode: false })).toMatch(/^[\x20-\x7e\n]*$/);
});

test('colour is escape sequences around the same text', () => {
  const colored = render(run, { color: true });
  expect(colored).toContain('\u001b[32m');
  expect(colored.replace(/\u001b\[\d+m/g, '')).toBe(render(run));
});

test('names cannot send escape sequences to the terminal', () => {
  const nasty = fixture({ labels: ['\u001b[2J\u001b]0;owned\u0007rr', 'b\u009b31m'], variants: 2, name: '\u001b[31mred' });
  const text = render({ ...nasty, verdict: ['\u001b[5mblink'], replay: 'x \u001b[A' });
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});
