import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/core/errors.ts';
import { parseRun, serializeRun } from '../../src/report/json.ts';
import { bare, configured, rollouts } from './change.ts';
import { fixture } from './fixture.ts';
import { elastic, outage, shop, storm, sweep } from './life.ts';

const small = fixture({ variants: 2, seeds: 2, instances: 2, windows: 4 });

/** What reading this text ends in. */
function complaint(text: string): unknown {
  try {
    return parseRun(text, 'run.json');
  } catch (error) {
    return error;
  }
}

/** A run with anything in it. */
type Loose = { [key: string]: Loose };
function changed(change: (data: Loose) => void): string {
  const data = JSON.parse(serializeRun(small)) as Loose;
  change(data);
  return JSON.stringify(data);
}

describe('writing', () => {
  const text = serializeRun(small);

  test('what is read back is what was written, byte for byte', () => {
    expect(serializeRun(parseRun(text, 'run.json'))).toBe(text);
  });

  test('keys are sorted at every level', () => {
    const unsorted: string[][] = [];
    const look = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      const keys = Object.keys(value);
      if (!Array.isArray(value) && keys.join() !== [...keys].sort().join()) unsorted.push(keys);
      Object.values(value).forEach(look);
    };
    look(JSON.parse(text));
    expect(unsorted).toEqual([]);
  });

  test('a list of numbers stands on one line, and the text ends with a line break', () => {
    expect(text).toMatch(/"min": \[null, [^\n]+\]/);
    expect(text.endsWith('}\n')).toBe(true);
  });

  test('the order in which keys were set does not matter', () => {
    const turned = Object.fromEntries(Object.entries(small).toReversed()) as unknown as typeof small;
    expect(serializeRun(turned)).toBe(text);
  });

  test('numbers keep every bit, minus zero is zero, and what is no number is null', () => {
    const checks = { requests: 0.1 + 0.2, events: -0, littleResidual: -Infinity };
    expect(serializeRun({ ...small, checks })).toContain(
      '"events": 0,\n  "littleResidual": null,\n  "requests": 0.30000000000000004\n',
    );
  });
});

describe('reading', () => {
  test('null is NaN where a number belongs, Infinity for an open end, and null where null has a meaning', () => {
    const open = { ...small, faults: [{ label: 'crash', fromMs: 0, toMs: Infinity }] };
    const run = parseRun(serializeRun(open), 'run.json');
    expect(run.variants[0]!.series.columns.latencyP99.median[0]).toBeNaN();
    expect(run.faults[0]!.toMs).toBe(Infinity);
    expect(run.comparisons.find((each) => each.metric === 'availability')!.relative).toBeNull();
  });

  test('edges, queues, waterfalls, recovery, faults, truth, beliefs, replicas, nodes, alarms and roll-outs come back as they were', () => {
    for (const file of [shop(), storm(), sweep(), outage(), elastic(), rollouts(), configured(), bare()])
      expect(parseRun(serializeRun(file), 'run.json')).toEqual(file);
  });

  test('a span that hangs below a later one is refused, so that no reader is sent in circles', () => {
    const data = JSON.parse(serializeRun(shop())) as Loose;
    Object.assign(data.variants![0]!.waterfalls![0]!.spans![3]!, { parent: 3 });
    expect((complaint(JSON.stringify(data)) as Error).message).toBe(
      'run.json: "variants[0].waterfalls[0].spans[3].parent" should be the index of an earlier span or -1, found 3',
    );
  });

  test('of a file from before availability was held against an objective, nothing is known of it', () => {
    const run = parseRun(
      changed((data) => {
        delete data.variants![0]!.availability;
      }),
      'run.json',
    );
    expect(run.variants[0]!.availability).toEqual({
      ...{ objective: 0.999, minutes: 0, errorMinutes: NaN, budgetSpent: NaN },
      burn: { median: [], min: [], max: [] },
      faults: [],
    });
  });

  test('of a file from before instances came and went, none do', () => {
    const run = parseRun(
      changed((data) => {
        delete data.variants![0]!.elastic;
        delete data.variants![0]!.alarms;
      }),
      'run.json',
    );
    expect(run.variants[0]).toMatchObject({ elastic: null, alarms: [] });
  });

  test('of a file from before versions were rolled out, none are', () => {
    const run = parseRun(
      changed((data) => {
        delete data.variants![0]!.change;
      }),
      'run.json',
    );
    expect(run.variants[0]!.change).toBeNull();
  });

  test('a kind of change that does not exist is refused', () => {
    const data = JSON.parse(serializeRun(bare())) as Loose;
    Object.assign(data.variants![0]!.change!.rollouts![0]!, { kind: 'code' });
    expect((complaint(JSON.stringify(data)) as Error).message).toMatch(
      /"variants\[0\]\.change\.rollouts\[0\]\.kind" should be one of release, config, found "code"/,
    );
  });

  test('keys of later versions are kept', () => {
    const run = parseRun(
      changed((data) => Object.assign(data.variants![0]!, { later: { a: [1, null] } })),
      'run.json',
    );
    expect((run.variants[0] as unknown as { later: unknown }).later).toEqual({ a: [1, null] });
  });

  test('a byte order mark does no harm', () => {
    expect(parseRun(`\uFEFF${serializeRun(small)}`, 'run.json').scenario.name).toBe('slow-node');
  });

  test('a key called __proto__ changes no prototype', () => {
    const text = serializeRun(small).replace('"checks": {', '"__proto__": { "polluted": 1 },\n "checks": {');
    expect(parseRun(text, 'run.json')).not.toHaveProperty('polluted', 1);
    expect({}).not.toHaveProperty('polluted');
  });

  test.each([
    ['{ "a": ', /run\.json is not JSON/],
    ['[1, 2]', /run\.json is not a result of clusterlab: it has no "schema"/],
    ['{ "hello": 1 }', /is not a result of clusterlab/],
    [
      '{ "schema": "clusterlab-run/99" }',
      /has schema "clusterlab-run\/99"; this version of clusterlab reads "clusterlab-run\/2"/,
    ],
  ])('%j is refused with a reason', (text, reason) => {
    const error = complaint(text);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(reason);
  });

  test('every complaint names its place, and all are reported together', () => {
    const error = complaint(
      changed((data) => {
        delete data.seeds;
        Object.assign(data.variants![1]!, { label: 7 });
        Object.assign(data.variants![0]!.series!.columns!.ok!.median!, { 2: 'many' });
        Object.assign(data.comparisons![0]!, { verdict: 'great' });
      }),
    );
    expect((error as Error).message.split('\n').sort()).toEqual([
      'run.json: "comparisons[0].verdict" should be one of better, worse, equivalent, inconclusive, found "great"',
      'run.json: "seeds" is missing',
      'run.json: "variants[0].series.columns.ok.median[2]" should be a number or null, found "many"',
      'run.json: "variants[1].label" should be a text, found 7',
    ]);
  });
});
