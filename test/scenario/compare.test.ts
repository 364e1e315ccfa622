/** Variants, settings from the command line, and checks. */
import { describe, expect, test } from 'vitest';
import { metricNames } from '../../src/core/metrics.ts';
import { parsePath } from '../../src/scenario/edit.ts';
import { formatPath } from '../../src/core/issue.ts';
import type { VariantSpec } from '../../src/scenario/spec.ts';
import { briefly, printed, scenarioOf, scenarioText } from './fixture.ts';

const variantsOf = async (compare: string): Promise<readonly VariantSpec[]> =>
  (await scenarioOf(scenarioText({ rest: `compare: ${compare}` }))).variants;
const labelsOf = async (compare: string): Promise<string[]> => (await variantsOf(compare)).map(({ label }) => label);
const complaintsAbout = async (rest: string): Promise<string[]> => briefly(scenarioText({ rest }));

describe('compare', () => {
  test('roles: only the policies differ, and the world is that of the scenario', async () => {
    const variants = await variantsOf('{ balancer: [round-robin, { use: random, label: by chance }] }');
    expect(variants).toEqual([
      { label: 'round-robin', differs: 'balancer=round-robin', policies: { balancer: { use: 'round-robin', params: {} } } },
      { label: 'by chance', differs: 'balancer=random', policies: { balancer: { use: 'random', params: {} } } },
    ]);
  });

  test('a detector may be none', async () => {
    const variants = await variantsOf('{ detector: [none, { use: heartbeat, every: 2s }] }');
    expect(variants.map(({ label }) => label)).toEqual(['none', 'heartbeat every=2s']);
    expect(variants[0].policies).not.toHaveProperty('detector');
    expect(variants[1].policies.detector?.params).toEqual({ every: 2000, misses: 3 });
  });

  test('paths: the whole scenario differs', async () => {
    const variants = await variantsOf('{ services.api.slots: [1, 4] }');
    expect(variants.map(({ label, differs }) => [label, differs])).toEqual([
      ['slots=1', 'services.api.slots=1'],
      ['slots=4', 'services.api.slots=4'],
    ]);
    expect(variants.map(({ scenario }) => scenario?.services[0].slots)).toEqual([1, 4]);
    expect(variants[1].scenario).toMatchObject({ name: 'test', run: { durationMs: 60_000 }, expect: [] });
  });

  test('several keys: every combination, the last changing fastest', async () => {
    const variants = await variantsOf(
      '{ balancer: [random, round-robin], "traffic[0].timeout": [1s, { value: 5s, label: patient }] }',
    );
    expect(variants.map(({ label }) => label)).toEqual([
      'random, timeout=1s',
      'random, patient',
      'round-robin, timeout=1s',
      'round-robin, patient',
    ]);
    expect(variants[3].policies.balancer.use).toBe('round-robin');
    expect(variants[3].scenario?.policies.balancer.use).toBe('round-robin');
    expect(variants[3].scenario?.edges[0].timeoutMs).toBe(5000);
  });

  test('a path may add what the file leaves out, and hold a map', async () => {
    expect(await labelsOf('{ network.latency: [0ms, { type: exponential, mean: 1ms }] }')).toEqual([
      'latency=0ms',
      'latency={type: exponential, mean: 1ms}',
    ]);
  });

  test('two paths of the same last word are told apart by all of it', async () => {
    expect(
      await labelsOf('{ services.api.coldStart.factor: [2], "services.api.coldStart": [{ for: 1s, factor: 2 }] }'),
    ).toHaveLength(1);
    expect(await labelsOf('{ run.window: [1s], "traffic[0].timeout": [1s], "traffic[0].keys.count": [1] }')).toEqual([
      'window=1s, timeout=1s, count=1',
    ]);
  });

  test('a parameter of a policy written by its bare name', async () => {
    const text = scenarioText({ rest: 'policies: { detector: heartbeat }\ncompare: { policies.detector.misses: [2, 3] }' });
    expect((await scenarioOf(text)).variants.map(({ policies }) => policies.detector?.params.misses)).toEqual([2, 3]);
  });

  test.each([
    ['compare: {}', '8:10 error: expected a map, found an empty one; write compare: { balancer: [round-robin, p2c] }'],
    ['compare: { balancer: random }', '8:22 error: expected a list of values, found "random"; the first is the baseline'],
    ['compare: { balancer: [] }', '8:22 error: must not be empty; the first is the baseline'],
    ['compare: { balencer: [random] }', '8:12 error: "balencer" is neither a role nor a path; did you mean "balancer"?'],
    ['compare: { name: [a, b] }', '8:12 error: name cannot differ between variants'],
    ['compare: { run.seeds: [1, 2] }', '8:12 error: variants share their seeds; so that they see the same world'],
    ['compare: { services.apo.slots: [1] }', '8:12 error: there is no service "apo"; did you mean services.api?'],
    ['compare: { "traffic[1].timeout": [1s] }', '8:12 error: there is no traffic[1]; traffic has entries 0 to 0'],
    ['compare: { services.api.work.mean: [1ms] }', '8:12 error: services.api.work is "10ms": there is no "mean" in it'],
    [
      'compare: { services.api.slots: [1, 1] }',
      '8:36 error: two variants are labelled "slots=1"; give one of them a label of its own',
    ],
    ['compare: { services.api.slots: [1, two] }', '8:36 error: expected a whole number, found "two" (in variant "slots=two")'],
    ['compare: { run.window: [{ value: 1s, label: " " }] }', '8:45 error: " " is not a label: one line of text, not empty'],
    [
      'compare: { balancer: [random, { use: round-robin, label: random }] }',
      '8:31 error: two variants are labelled "random"; give one of them a label of its own',
    ],
    [
      `compare: { services.api.slots: [${Array.from({ length: 40 }, (_, i) => i + 1).join(', ')}], services.api.queue: [${Array.from({ length: 40 }, (_, i) => i).join(', ')}] }`,
      '8:10 error: 1600 variants; 1000 is the most',
    ],
  ])('%s is refused', async (rest, complaint) => {
    expect(await complaintsAbout(rest)).toEqual([complaint]);
  });

  test('what does not fit a variant is said of the variant, once', async () => {
    const rest = 'faults: [{ type: pause, target: api/2, at: 1s }]\ncompare: { services.api.instances: [3, 2, 1] }';
    expect(await complaintsAbout(rest)).toEqual([
      '8:33 error: there is no instance api/2 (in variant "instances=2"); numbers start at 0: api/0 to api/1',
    ]);
  });
});

describe('settings from the command line', () => {
  test('change values before anything is judged; later ones win', async () => {
    const scenario = await scenarioOf(scenarioText(), {
      overrides: ['services.api.slots=2', 'traffic[0].arrivals.rate=7/s', 'services.api.slots=3', 'traffic[0].keys.count=5'],
    });
    expect(scenario.services[0].slots).toBe(3);
    expect(scenario.traffic[0]).toMatchObject({ arrivals: { perSecond: 7 }, keys: { count: 5, exponent: 1 } });
  });

  test('may hold lists and maps', async () => {
    const scenario = await scenarioOf(scenarioText(), {
      overrides: ['compare.balancer=[random, { use: round-robin, label: rr }]'],
    });
    expect(scenario.variants.map(({ label }) => label)).toEqual(['random', 'rr']);
  });

  test.each([
    ['services.api.slots=abc', 'services.api.slots: expected a whole number, found "abc" (from --set)'],
    ['services.api.slts=1', 'services.api: unknown key "slts" (from --set) (did you mean "slots"?)'],
    ['rnu.duration=1m', 'unknown key "rnu" (from --set) (did you mean "run"?)'],
    ['services.apo.slots=1', 'services.apo.slots: there is no service "apo" (from --set) (did you mean services.api?)'],
    ['traffic[2].timeout=1s', 'traffic[2].timeout: there is no traffic[2] (from --set); traffic has entries 0 to 0'],
    ['services.api.work.mean=1ms', 'services.api.work.mean: services.api.work is "10ms": there is no "mean" in it (from --set)'],
    ['traffic[0].timeout={', 'traffic[0].timeout: flow map must end with a } (from --set)'],
    [
      'run.duration=',
      'run.duration: expected a duration, found nothing (from --set); durations look like 250us, 12ms, 1.5s, 2m, 3h or 7d',
    ],
    ['slots', '"slots" names no path; write path=value, as in --set services.api.slots=8 or --set traffic[0].timeout=1s'],
    [
      '__proto__.polluted=1',
      '"__proto__.polluted=1" names no path; write path=value, as in --set services.api.slots=8 or --set traffic[0].timeout=1s',
    ],
    ['a..b=1', '"a..b=1" names no path; write path=value, as in --set services.api.slots=8 or --set traffic[0].timeout=1s'],
  ])('%s is refused by name', async (assignment, complaint) => {
    const text = (await printed(scenarioText(), { overrides: [assignment] })).replace(/\n {2}hint: /, '; ');
    expect(text).toBe(`\nerror  ${complaint}\n1 error. Nothing was run.\n`);
  });

  test('paths are read as they are written', () => {
    for (const path of [
      ['run', 'duration'],
      ['traffic', 0, 'timeout'],
      ['services', 'my api', 'slots'],
      ['services', '0'],
      ['a-b', 1, 2],
    ]) {
      expect(parsePath(formatPath(path))).toEqual(path);
    }
  });
});

describe('expect', () => {
  const expectationsOf = async (...lines: string[]) =>
    (
      await scenarioOf(
        scenarioText({
          rest: `compare: { balancer: [round-robin, random] }\nexpect:\n${lines.map((line) => `  - ${line}`).join('\n')}`,
        }),
      )
    ).expect;

  test('limits are in the unit of their metric', async () => {
    const checks = await expectationsOf(
      'latency.p99 < 250ms',
      'availability >= 99.9%',
      'goodput>3k/s',
      'load.jain >= 0.9',
      'failures.timeout <= 0.001',
    );
    expect(checks.map(({ text, metric, comparator, limit }) => [text, metric, comparator, limit])).toEqual([
      ['latency.p99 < 250ms', 'latency.p99', '<', 250],
      ['availability >= 99.9%', 'availability', '>=', 0.999],
      ['goodput > 3k/s', 'goodput', '>', 3000],
      ['load.jain >= 0.9', 'load.jain', '>=', 0.9],
      ['failures.timeout <= 0.001', 'failures.timeout', '<=', 0.001],
    ]);
    expect(checks[1].place).toEqual({ file: 'test.yaml', line: 11, column: 5, length: 21 });
  });

  test('p999 is p99.9', async () => {
    expect((await expectationsOf('latency.p999 < 1s'))[0].metric).toBe('latency.p99.9');
    expect((await expectationsOf('latency.p9999 < 1s'))[0].metric).toBe('latency.p99.99');
  });

  test('a check may hold for some variants only', async () => {
    const checks = await expectationsOf(
      '{ check: latency.p99 < 1s, of: random }',
      '{ check: latency.p99 < 1s, of: [random, round-robin] }',
      'latency.p99 < 1s',
    );
    expect(checks.map(({ variants }) => variants)).toEqual([['random'], ['random', 'round-robin'], []]);
  });

  test('every metric can be checked', async () => {
    const zero = { ms: '1ms', fraction: '1%', 'per second': '1/s', count: '1', ratio: '1' } as const;
    const { findMetric } = await import('../../src/core/metrics.ts');
    const lines = metricNames.map((name) => `${name} < ${zero[findMetric(name)!.unit]}`);
    expect((await expectationsOf(...lines)).map(({ metric }) => metric)).toEqual(metricNames);
  });

  test.each([
    ['latency.p99 < 250', 'latency.p99: 250 has no unit; write 250ms or 250s'],
    ['availability >= 99.9', 'availability: 99.9 is above 1; write 99.9% or 0.999'],
    ['goodput > 5ms', 'goodput: "5ms" is not a rate; rates look like 4500/s, 2k/s, 10/m or 3/h'],
    ['load.jain > 5ms', 'load.jain: expected a number, found "5ms"'],
    ['latency.p99 = 1s', '"=" is not a comparison; write =='],
    ['latency.p99 => 1s', '"=>" is not a comparison; write >='],
    [
      'latency.p99',
      '"latency.p99" is not a check; write metric, comparison, limit, as in latency.p99 < 250ms or latency.p99{edge=web->db} < 50ms',
    ],
    ['goodptu > 1/s', expect.stringMatching(/^unknown metric "goodptu"; did you mean "goodput"\? Known: goodput, /)],
    [
      'latency.p98 < 1s',
      'unknown metric "latency.p98"; did you mean "latency.p90"? Known: latency.p90, latency.mean, latency.p50, latency.p95, latency.p99, latency.p99.9, latency.p99.99, latency.max',
    ],
    [
      '{ check: latency.p99 < 1s, of: randon }',
      'no variant is labelled "randon"; did you mean "random"? Known: random, round-robin',
    ],
    ['{ check: latency.p99 < 1s, off: random }', 'unknown key "off"; did you mean "of"?'],
  ])('%s is refused', async (line, complaint) => {
    const rest = `compare: { balancer: [round-robin, random] }\nexpect:\n  - ${line}`;
    expect((await complaintsAbout(rest)).map((each) => each.replace(/^\S+ error: /, ''))).toEqual([complaint]);
  });
});
