/** Lists as parameters: records with fields of their own, and policies inside of policies. Complaints point at the innermost value. */
import { beforeEach, describe, expect, test } from 'vitest';
import { InputError } from '../../src/core/errors.ts';
import { choice, duration, fraction, int, policies, records, string, type ParamSpecs } from '../../src/core/params.ts';
import { Complaints } from '../../src/scenario/complaints.ts';
import type { Env } from '../../src/scenario/distributions.ts';
import { parseText } from '../../src/scenario/document.ts';
import { toPlain } from '../../src/scenario/node.ts';
import { formatDefault, settingText } from '../../src/scenario/param-text.ts';
import { compileParams } from '../../src/scenario/policy-params.ts';
import type { Definition } from '../../src/scenario/roles.ts';
import { Source } from '../../src/scenario/source.ts';
import { dataFiles } from './fixture.ts';

const table: Record<string, Definition> = {};
const define = (name: string, params: ParamSpecs, create: Definition['create'] = () => ({})): void => {
  table[name] = {
    name,
    summary: '',
    useWhen: '',
    failsWhen: '',
    aliases: [{ system: 'Elsewhere', name: `my_${name}` }],
    params,
    create,
  };
};
define('max', { of: policies({ about: 'Those inside.', table: () => table, atLeast: 1, default: ['hpa'] }) });
define(
  'hpa',
  {
    min: int({ default: 1, min: 0, about: 'Fewest.' }),
    max: int({ default: 10, min: 1, about: 'Most.' }),
    metrics: records({
      about: 'What is looked at.',
      fields: {
        type: choice({ default: 'Resource', choices: ['Resource', 'Pods'], about: 'Kind.' }),
        name: string({ default: '', about: 'Name of the metric.' }),
        averageUtilization: fraction({ default: 0, about: 'Target.' }),
        period: duration({ default: 15_000, about: 'How often.' }),
      },
      required: ['name'],
      default: [{ name: 'cpu', averageUtilization: 0.8 }],
    }),
  },
  (params) => {
    if (params.min > params.max) throw InputError.of('bad-parameter', 'min is above max');
    const { metrics } = params as unknown as { readonly metrics: readonly { readonly name: string }[] };
    const empty = metrics.findIndex(({ name }) => name === '');
    if (empty !== -1) throw InputError.of('bad-parameter', 'no name').at('metrics', empty, 'name');
    return {};
  },
);

let found: { values: unknown; complaints: readonly string[] };
function read(text: string): void {
  const source = new Source('test.yaml', text);
  const { root } = parseText(source);
  const complaints = new Complaints(source, root!);
  const env: Env = { complaints, data: dataFiles(), traces: new Map(), recordings: new Map() };
  const { use, ...written } = toPlain(root!) as { use: string };
  const values = compileParams(table[use], written, [], { durationMs: 60_000, env });
  const sentences = complaints.all.map(
    ({ place, message, hint }) => `${place?.line}:${place?.column} ${message}${hint === undefined ? '' : `; ${hint}`}`,
  );
  found = { values, complaints: sentences };
}

describe('records', () => {
  test('are complete, with times in milliseconds and shares as numbers', () => {
    read('use: hpa\nmetrics:\n  - { name: cpu, averageUtilization: 80% }\n  - { type: Pods, name: rps, period: 1m }');
    expect(found).toEqual({
      values: {
        min: 1,
        max: 10,
        metrics: [
          { type: 'Resource', name: 'cpu', averageUtilization: 0.8, period: 15_000 },
          { type: 'Pods', name: 'rps', averageUtilization: 0, period: 60_000 },
        ],
      },
      complaints: [],
    });
  });

  test('a single one needs no list', () => {
    read('use: hpa\nmetrics: { name: cpu }');
    expect(found.values).toMatchObject({ metrics: [{ name: 'cpu' }] });
  });

  test('may be none where none are needed', () => {
    read('use: hpa\nmetrics: []');
    expect(found.values).toMatchObject({ metrics: [] });
  });

  test.each([
    ['[{ name: cpu, averageUtilisation: 1 }]', '2:24 unknown key "averageUtilisation"; did you mean "averageUtilization"?'],
    ['[{ name: cpu, averageUtilization: 80 }]', '2:44 80 is above 1; write 80% or 0.8'],
    ['[{ name: cpu }, { name: x, period: 15 }]', '2:45 15 has no unit; write 15ms or 15s'],
    ['[{ name: cpu, type: Pod }]', '2:30 "Pod" is not one of Resource, Pods; did you mean "Pods"?'],
    ['[{ name: 3 }]', '2:19 expected a text, found 3; put it in quotes'],
    ['[{ type: Pods }]', '2:11 missing key "name"; Name of the metric.'],
    ['[{ name: a }, { type: Pods, name: "" }]', '2:44 no name'],
    ['[cpu]', '2:11 expected a map, found "cpu"; write { type: …, name: … }'],
    ['7', '2:10 expected a list of maps, found 7'],
    ['[{ name: cpu, period: 2m }]', '2:32 hpa’s metrics: period of 2m is longer than the run, 1m'],
  ])('metrics: %s', (metrics, complaint) => {
    read(`use: hpa\nmetrics: ${metrics}`);
    expect(found.complaints).toEqual([complaint]);
  });

  test('all that is wrong in them comes at once', () => {
    read('use: hpa\nmetrics:\n  - { name: cpu, typ: Pods, period: 5 }\n  - { averageUtilization: -1 }');
    expect(found.complaints).toHaveLength(4);
    expect(found.values).toBeUndefined();
  });
});

describe('policies inside', () => {
  beforeEach(() => {
    read('use: max\nof: [hpa, { use: my_hpa, min: 2 }, { use: max, of: [{ use: hpa, metrics: { name: cpu } }] }]');
  });

  test('go by name or alias, bare or with parameters, as deep as one likes; each is complete', () => {
    const hpa = { min: 1, max: 10, metrics: [{ type: 'Resource', name: 'cpu', averageUtilization: 0.8, period: 15_000 }] };
    const inner = { ...hpa, metrics: [{ ...hpa.metrics[0], averageUtilization: 0 }] };
    expect(found).toEqual({
      complaints: [],
      values: {
        of: [
          { use: 'hpa', params: hpa },
          { use: 'hpa', params: { ...hpa, min: 2 } },
          { use: 'max', params: { of: [{ use: 'hpa', params: inner }] } },
        ],
      },
    });
  });

  test('are plain data', () => {
    expect(structuredClone(found.values)).toEqual(found.values);
  });

  test.each([
    ['[hap]', '2:6 unknown policy "hap"; did you mean "hpa"? Known: hpa, max'],
    ['[{ use: hpa, mn: 2 }]', /^2:18 unknown parameter "mn" of hpa; did you mean "min"\?/],
    ['[{ use: hpa, min: two }]', '2:23 expected a whole number, found "two"'],
    ['[{ use: hpa, min: 20 }]', '2:23 min is above max'],
    ['[{ use: hpa, metrics: [{ name: "" }] }]', '2:36 no name'],
    ['[{ use: max, of: [{ use: hpa, max: 0 }] }]', '2:40 0 is too small; it must be at least 1'],
    ['[{ use: hpa, metrics: [{ name: a, period: 1 }] }]', '2:47 1 has no unit; write 1ms or 1s'],
    ['[{ min: 2 }]', '2:6 missing key "use"; expected a text'],
    ['[3]', '2:6 expected the name of a policy or a map with "use", found 3'],
    ['[./mine.ts#Mine]', '2:6 a policy of one’s own cannot stand inside another one; known: max, hpa'],
    ['[]', '2:5 must not be empty'],
    ['8', '2:5 expected a list of policies, found 8'],
  ])('of: %s', (of, complaint) => {
    read(`use: max\nof: ${of}`);
    expect(found.complaints).toEqual([typeof complaint === 'string' ? complaint : expect.stringMatching(complaint)]);
  });
});

test('defaults and settings are written as in a file, without what goes without saying', () => {
  expect(formatDefault(table.hpa.params.metrics)).toBe('[{ name: cpu, averageUtilization: 80% }]');
  expect(formatDefault(table.max.params.of)).toBe('[hpa]');
  expect(settingText(['hpa', { use: 'hpa', min: 2, metrics: [{ name: 'cpu' }] }])).toBe('hpa+hpa(min=2 metrics=(name=cpu))');
});
