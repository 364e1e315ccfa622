/** Envoy clusters as balancers. Expected policies and parameters follow Envoy's documented meaning of the fields; the places of the
 *  warnings are those of the keys in the files beside this test. */
import { describe, expect, test } from 'vitest';
import { defaults } from '../../../src/core/params.ts';
import { Xoshiro128 } from '../../../src/core/xoshiro.ts';
import { balancers } from '../../../src/policies/balancing/index.ts';
import { scenarioOf, scenarioText } from '../fixture.ts';
import { makePolicies } from '../../../src/scenario/make-policies.ts';
import { complaints, pasted } from './paste.ts';

const from = (cluster: string): string => `{ fromEnvoy: bootstrap.yaml, cluster: ${cluster} }`;

/** A cluster in a file of its own, of these lines. */
const alone = (lines: string) => ['{ fromEnvoy: cluster.yaml }', { 'cluster.yaml': `name: api\n${lines}\n` }] as const;

/** Of these policies of the newer kind. */
const listed = (...policies: readonly string[]) =>
  alone(
    `load_balancing_policy:\n  policies:\n${policies
      .map(
        (policy) =>
          `  - typed_extension_config: { name: any, typed_config: { "@type": type.googleapis.com/envoy.x.v3.${policy} } }`,
      )
      .join('\n')}`,
  );

describe('a cluster of a bootstrap file becomes', () => {
  test.each([
    ['api', 'least-request', { choiceCount: 3, activeRequestBias: 1.5 }],
    ['sessions', 'ring-hash', { minimumRingSize: 2048, maximumRingSize: 65_536, hashFunction: 'murmur-hash-2' }],
    ['pages', 'bounded-load', { hashBalanceFactor: 150, table: 'maglev' }],
    ['cold', 'slow-start', { window: 60_000, aggression: 2, minWeightPercent: 20, inner: 'edf-weighted-round-robin' }],
    ['panicking', 'priority', { healthyPanicThreshold: 30, inner: 'random' }],
    ['zoned', 'zone-aware', { routingEnabled: 80, minClusterSize: 3, healthyPanicThreshold: 40, inner: 'least-request' }],
    ['shares', 'locality-weighted', { weights: '3, 1', inner: 'edf-weighted-round-robin' }],
  ])('%s: %s', async (cluster, use, params) => {
    const found = await pasted(from(cluster));
    expect(found).toEqual({ use, params: { ...defaults(balancers[use].params), ...params } });
    // And what it becomes can be made.
    const { edges } = await makePolicies({ balancer: found }, await scenarioOf(scenarioText()));
    expect(edges[0].balancer({ rng: new Xoshiro128(1, 2, 3, 4) })).toHaveProperty('pick');
  });

  test.each([
    [
      'api',
      [
        'bootstrap.yaml:11:7 warning: connect_timeout is not read here; timeout of the traffic bounds a request',
        'bootstrap.yaml:15:52 warning: runtime_key is not read here; the default value counts',
        'bootstrap.yaml:16:7 warning: outlier_detection is not read here; a detector under policies.detector stands for it',
        'bootstrap.yaml:19:7 warning: load_assignment is not read here; the instances are those of the scenario’s service',
      ],
    ],
    ['sessions', []],
    [
      'pages',
      [
        'bootstrap.yaml:34:39 warning: table_size does not combine with hash_balance_factor here: the table has its default size',
        'bootstrap.yaml:36:67 warning: use_hostname_for_hashing is not read here; instances are hashed by their names',
      ],
    ],
    [
      'cold',
      [
        'bootstrap.yaml:42:45 warning: runtime_key is not read here; the default value counts',
        'bootstrap.yaml:44:7 warning: ring_hash_lb_config is not read here: it belongs to another lb_policy',
        'bootstrap.yaml:46:9 warning: healthy_panic_threshold is not read here: it does not combine with slow_start_config',
      ],
    ],
    ['panicking', ['bootstrap.yaml:51:9 warning: update_merge_window is not read here']],
    [
      'zoned',
      [
        'bootstrap.yaml:54:48 warning: choice_count does not combine with zone_aware_lb_config here: least-request has its default, 2',
      ],
    ],
    [
      'shares',
      [
        'bootstrap.yaml:60:9 warning: the weights of the localities, 3, 1, are taken for those of the scenario’s zones in their order',
      ],
    ],
  ])('%s, and every key that does not count is named with its place', async (cluster, expected) => {
    expect(await complaints(from(cluster))).toEqual(expected);
  });
});

describe('lb_policy', () => {
  test.each([
    ['', 'edf-weighted-round-robin'],
    ['lb_policy: ROUND_ROBIN', 'edf-weighted-round-robin'],
    ['lbPolicy: LEAST_REQUEST', 'least-request'],
    ['lb_policy: RANDOM', 'random'],
    ['lb_policy: RING_HASH', 'ring-hash'],
    ['lb_policy: MAGLEV', 'maglev'],
  ])('"%s" alone means %s with all defaults', async (line, use) => {
    expect(await pasted(...alone(`connect_timeout: 1s\n${line}`))).toEqual({ use, params: defaults(balancers[use].params) });
  });

  test('that is unknown is an error with what there is', async () => {
    expect(await complaints(...alone('lb_policy: LEAST_REQUESTS'))).toEqual([
      'cluster.yaml:2:12 error: unknown lb_policy "LEAST_REQUESTS"; did you mean "LEAST_REQUEST"? Known: LEAST_REQUEST, ROUND_ROBIN, RANDOM, RING_HASH, MAGLEV',
    ]);
    expect(await complaints(...alone('lb_policy: CLUSTER_PROVIDED'))).toEqual([
      'cluster.yaml:2:12 error: unknown lb_policy "CLUSTER_PROVIDED"; known: ROUND_ROBIN, LEAST_REQUEST, RANDOM, RING_HASH, MAGLEV',
    ]);
  });

  test.each([
    [
      'lb_policy: LEAST_REQUEST\nleast_request_lb_config: { choice_count: 1 }',
      '3:42',
      'choice_count: 1 is too small; it must be at least 2',
    ],
    ['lb_policy: LEAST_REQUEST\nleast_request_lb_config: { choice_count: many }', '3:42', 'choice_count: expected'],
    [
      'lb_policy: RING_HASH\nring_hash_lb_config: { hash_function: MD5 }',
      '3:39',
      'hash_function: "md5" is not one of xx-hash, murmur-hash-2',
    ],
    [
      'lb_policy: RING_HASH\nring_hash_lb_config: { minimum_ring_size: [1] }',
      '3:43',
      'minimum_ring_size: expected a plain value',
    ],
    ['lb_policy: RING_HASH\nring_hash_lb_config: 7', '3:22', 'ring_hash_lb_config: expected a map, found 7'],
  ])('with a parameter out of range is an error there: %s', async (lines, place, message) => {
    const [first, ...others] = await complaints(...alone(lines));
    expect(first).toContain(`cluster.yaml:${place} error: ${message}`);
    expect(others).toEqual([]);
  });

  test('with a misspelt setting says that it does not count', async () => {
    const lines = 'lb_policy: LEAST_REQUEST\nleast_request_lb_config: { choice_cuont: 4 }';
    expect(await complaints(...alone(lines))).toEqual(['cluster.yaml:3:28 warning: choice_cuont is not read here']);
  });

  test('with a bound on load of 0 has none', async () => {
    const lines = 'lb_policy: MAGLEV\ncommon_lb_config: { consistent_hashing_lb_config: { hash_balance_factor: 0 } }';
    expect((await pasted(...alone(lines))).use).toBe('maglev');
    expect(await complaints(...alone(lines))).toEqual([]);
  });

  test('without hashing has no use for the settings of hashing', async () => {
    const lines = 'lb_policy: RANDOM\ncommon_lb_config: { consistent_hashing_lb_config: { hash_balance_factor: 150 } }';
    expect(await complaints(...alone(lines))).toEqual([
      'cluster.yaml:3:21 warning: consistent_hashing_lb_config is not read here',
    ]);
  });

  test('in panic mode switched off is the balancer by itself', async () => {
    const lines = 'lb_policy: RANDOM\ncommon_lb_config: { healthy_panic_threshold: { value: 0 } }';
    expect((await pasted(...alone(lines))).use).toBe('random');
  });

  test('scans all endpoints by either of its two settings', async () => {
    for (const setting of ['selection_method: FULL_SCAN', 'enable_full_scan: true']) {
      const lines = `lb_policy: LEAST_REQUEST\nleast_request_lb_config: { ${setting} }`;
      expect((await pasted(...alone(lines))).params).toMatchObject({ selectionMethod: 'full-scan' });
    }
  });
});

describe('load_balancing_policy', () => {
  test('takes precedence, and its first known policy counts', async () => {
    const dump = "{ fromEnvoy: config-dump.json, cluster: 'outbound|8080||api.shop.svc.cluster.local' }";
    expect(await pasted(dump)).toEqual({
      use: 'least-request',
      params: { choiceCount: 4, selectionMethod: 'full-scan', activeRequestBias: 1 },
    });
    expect(await complaints(dump)).toEqual([
      expect.stringMatching(
        /^config-dump\.json:30:32 warning: .*LoadAwareLocality is not known here, the next in the list counts$/,
      ),
      'config-dump.json:46:13 warning: lbPolicy is not read here: load_balancing_policy takes its place',
    ]);
  });

  test.each([
    ['round_robin.RoundRobin', 'edf-weighted-round-robin', {}],
    ['random.Random', 'random', {}],
    ['ring_hash.RingHash, minimum_ring_size: 64', 'ring-hash', { minimumRingSize: 64 }],
    [
      'ring_hash.RingHash, consistent_hashing_lb_config: { hash_balance_factor: 125 }',
      'bounded-load',
      { hashBalanceFactor: 125 },
    ],
    ['maglev.Maglev, table_size: 251', 'maglev', { tableSize: 251 }],
    [
      'least_request.LeastRequest, slow_start_config: { slow_start_window: 30s }',
      'slow-start',
      { inner: 'least-request', window: 30_000 },
    ],
    [
      'client_side_weighted_round_robin.ClientSideWeightedRoundRobin, blackout_period: 5s, error_utilization_penalty: 2',
      'client-side-weighted-round-robin',
      { blackoutPeriod: 5000, errorUtilizationPenalty: 2 },
    ],
    ['peak_ewma.PeakEwma, decay_time: 5s', 'peak-ewma', { variant: 'envoy', decay: 5000, defaultRtt: 10 }],
    [
      'round_robin.RoundRobin, locality_lb_config: { zone_aware_lb_config: { min_cluster_size: 2 } }',
      'zone-aware',
      { minClusterSize: 2, inner: 'edf-weighted-round-robin' },
    ],
    [
      'wrr_locality.WrrLocality, endpoint_picking_policy: { policies: [{ typed_extension_config: { typed_config: { "@type": x.Maglev } } }] }',
      'locality-weighted',
      { inner: 'maglev' },
    ],
  ])('%s becomes %s', async (policy, use, params) => {
    expect(await pasted(...listed(policy))).toMatchObject({ use, params });
  });

  test('of which none is known is an error with what there is', async () => {
    const [first] = await complaints(...listed('subset.Subset'));
    expect(first).toContain('error: unknown load balancing policy "Subset"; known: RoundRobin, LeastRequest');
    expect(await complaints(...alone('load_balancing_policy: { policies: [] }'))).toEqual([
      'cluster.yaml:2:1 error: load_balancing_policy lists no policy with a typed_config',
    ]);
  });
});

describe('clusters are found', () => {
  test.each([
    ['alone', 'name: a\nlb_policy: RANDOM'],
    ['in a list of clusters', 'clusters: [{ name: a, type: EDS }]'],
    ['in discovery resources', 'resources: [{ "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: a }]'],
    ['in JSON', '{"static_resources": {"clusters": [{"name": "a"}]}}'],
  ])('%s', async (_, text) => {
    expect(await complaints('{ fromEnvoy: file.yaml, cluster: a }', { 'file.yaml': text })).toEqual([]);
    expect(await complaints('{ fromEnvoy: file.yaml, cluster: b }', { 'file.yaml': text })).toEqual([
      'test.yaml:9:46 error: "file.yaml" has no Envoy cluster named "b"; known: a',
    ]);
  });
});
