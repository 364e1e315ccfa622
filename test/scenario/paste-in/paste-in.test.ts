/** Where a pasted balancer may stand, what it is called, and what is said of files that cannot be read. */
import { describe, expect, test } from 'vitest';
import { formatIssues } from '../../../src/cli/issues.ts';
import { issuesOf, scenarioOf, scenarioText } from '../fixture.ts';
import { complaints, pasted, realFiles, withBalancer } from './paste.ts';

describe('a pasted balancer', () => {
  test('stands among others to be compared, under a name of its own or under what it became', async () => {
    const text = scenarioText({
      rest: `compare:
  balancer:
    - round-robin
    - { fromEnvoy: bootstrap.yaml, cluster: api, label: production }
    - { fromEnvoy: bootstrap.yaml, cluster: api }
    - { fromIstio: destination-rules.yaml, rule: carts }
`,
    });
    const { variants } = await scenarioOf(text, { files: realFiles });
    expect(variants.map(({ label, policies }) => [label, policies.balancer.use])).toEqual([
      ['round-robin', 'round-robin'],
      ['production', 'least-request'],
      ['api: least-request', 'least-request'],
      ['carts: ring-hash', 'ring-hash'],
    ]);
    expect(variants[1].differs).toBe('balancer=api of bootstrap.yaml: least-request choiceCount=3 activeRequestBias=1.5');
  });

  test('is read from the folder of the scenario, and its lines are shown', async () => {
    const text = withBalancer('{ fromEnvoy: envoy/cluster.yaml }');
    const cluster = 'name: api\nlb_policy: ROUND_ROBBIN\n';
    const issues = await issuesOf(text, { files: { 'envoy/cluster.yaml': cluster } });
    expect(`\n${formatIssues(issues, { 'envoy/cluster.yaml': cluster }, { color: false, width: 80 })}`).toBe(`
envoy/cluster.yaml:2:12  error  unknown lb_policy "ROUND_ROBBIN"
  1 | name: api
> 2 | lb_policy: ROUND_ROBBIN
    |            ^^^^^^^^^^^^
  hint: did you mean "ROUND_ROBIN"? Known: ROUND_ROBIN, LEAST_REQUEST, RANDOM, RING_HASH, MAGLEV
1 error. Nothing was run.
`);
  });

  test('is warned of once, however many variants share it', async () => {
    const text = scenarioText({
      rest: 'policies: { balancer: { fromEnvoy: cluster.yaml } }\ncompare: { services.api.slots: [1, 2, 3] }\n',
    });
    expect(await issuesOf(text, { files: realFiles })).toHaveLength(1);
  });
});

describe('which one is meant', () => {
  test.each([
    [
      '{ fromEnvoy: bootstrap.yaml }',
      /^test\.yaml:9:26 error: there are 7 of kind Envoy cluster.*say which with cluster: api, sessions/,
    ],
    [
      '{ fromEnvoy: bootstrap.yaml, cluster: sesions }',
      /^test\.yaml:9:51 error: .* no Envoy cluster named "sesions"; did you mean "sessions"/,
    ],
    [
      '{ fromIstio: destination-rules.yaml }',
      /there are 4 of kind DestinationRule.*say which with rule: api, carts, pages, shares/,
    ],
    ['{ fromIstio: bootstrap.yaml }', /there is no DestinationRule in "bootstrap\.yaml"/],
    ['{ fromEnvoy: destination-rules.yaml }', /there is no Envoy cluster in "destination-rules\.yaml"/],
    ['{ fromEnvoy: cluster.yaml, choices: 3 }', /^test\.yaml:9:40 error: unknown key "choices" beside fromEnvoy/],
    ['{ fromEnvoy: 3 }', /^test\.yaml:9:26 error: expected the path of a file, found 3/],
    ['{ label: production }', /^test\.yaml:9:13 error: missing key "use"/],
    ['{ use: p2c, fromEnvoy: cluster.yaml }', /^test\.yaml:9:25 error: unknown parameter "fromEnvoy" of p2c/],
  ])('is asked in words: %s', async (balancer, expected) => {
    const found = await complaints(balancer);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  test('a detector cannot be pasted', async () => {
    const text = scenarioText({ rest: 'policies: { detector: { fromEnvoy: cluster.yaml } }\n' });
    expect((await issuesOf(text, { files: realFiles }))[0].message).toBe('missing key "use"');
  });
});

describe('a file that cannot be read', () => {
  const read = (content: string | Uint8Array) => complaints('{ fromEnvoy: x.yaml }', { 'x.yaml': content });

  test('is an error where the scenario names it', async () => {
    expect(await complaints('{ fromEnvoy: nowhere.yaml }')).toEqual([
      'test.yaml:9:26 error: cannot read "nowhere.yaml": no such file; paths are relative to the scenario file',
    ]);
    expect(await complaints('{ fromEnvoy: "https://example.org/c.yaml" }')).toEqual([
      'test.yaml:9:26 error: expected a file, found an address; download it first',
    ]);
    expect(await read('')).toEqual(['test.yaml:9:26 error: there is no Envoy cluster in "x.yaml"']);
  });

  test('is an error at its own line', async () => {
    expect(await read('name: api\nlb_policy: [RANDOM\n')).toEqual([expect.stringMatching(/^x\.yaml:\d+:\d+ error: /)]);
    expect(await read('name: api\nname: web\nlb_policy: RANDOM\n')).toEqual([
      'x.yaml:2:1 error: duplicate key "name", lines 1 and 2',
    ]);
    expect(await read(Uint8Array.of(0x61, 0x3a, 0x20, 0xff))).toEqual([
      expect.stringMatching(/^x\.yaml:1:4 error: byte 3 \(0xFF\) is not UTF-8/),
    ]);
  });

  test('has its mistakes where they are, also in a later document', async () => {
    const text = 'kind: Service\n---\n# the second\nkind: List\n... \n--- {name: api, lb_policy: RAND}\n';
    expect(await read(text)).toEqual([expect.stringMatching(/^x\.yaml:6:28 error: unknown lb_policy "RAND"/)]);
  });

  test('is refused when it is far too large', async () => {
    expect(await read(`# ${'x'.repeat(1_100_000)}\n`)).toEqual([
      expect.stringContaining('error: x.yaml: larger than 1048576 bytes'),
    ]);
  });
});

test('what was written as a number stays one in the result', async () => {
  expect((await pasted('{ fromEnvoy: bootstrap.yaml, cluster: sessions }')).params).toMatchObject({ maximumRingSize: 65_536 });
});
