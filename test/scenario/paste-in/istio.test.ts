/** Istio DestinationRules as balancers. Expected policies follow Istio's documentation of LoadBalancerSettings. */
import { describe, expect, test } from 'vitest';
import { defaults } from '../../../src/core/params.ts';
import { balancers } from '../../../src/policies/balancing/index.ts';
import { complaints, pasted } from './paste.ts';

const from = (rule: string): string => `{ fromIstio: destination-rules.yaml, rule: ${rule} }`;

/** A rule in a file of its own, with this loadBalancer. */
const alone = (loadBalancer: string) =>
  [
    '{ fromIstio: rule.yaml }',
    {
      'rule.yaml': `kind: DestinationRule\nmetadata: { name: api }\nspec:\n  trafficPolicy:\n    loadBalancer: ${loadBalancer}\n`,
    },
  ] as const;

describe('a rule of a file with several becomes', () => {
  test.each([
    ['api', 'slow-start', { window: 45_000, minWeightPercent: 15, aggression: 1.5, inner: 'least-request' }],
    ['carts', 'ring-hash', { minimumRingSize: 4096 }],
    ['pages', 'maglev', { tableSize: 251 }],
    ['shares', 'locality-weighted', { weights: '80, 20', inner: 'edf-weighted-round-robin' }],
  ])('%s: %s', async (rule, use, params) => {
    expect(await pasted(from(rule))).toEqual({ use, params: { ...defaults(balancers[use].params), ...params } });
  });

  test.each([
    [
      'api',
      [
        'destination-rules.yaml:21:5 warning: connectionPool is not read here; slots and queue of the service bound what is in flight',
        'destination-rules.yaml:23:5 warning: outlierDetection is not read here; a detector under policies.detector stands for it',
        'destination-rules.yaml:27:7 warning: trafficPolicy is not read here: subsets are not modelled',
      ],
    ],
    ['carts', []],
    [
      'pages',
      [
        'destination-rules.yaml:50:7 warning: warmupDurationSecs is not read here: it goes with ROUND_ROBIN and LEAST_REQUEST only',
      ],
    ],
    [
      'shares',
      [
        'destination-rules.yaml:64:13 warning: the shares 80, 20 are taken for those of the scenario’s zones in their order',
        'destination-rules.yaml:65:9 warning: failoverPriority is not read here; zones that take over for others are not modelled',
      ],
    ],
  ])('%s, and every key that does not count is named with its place', async (rule, expected) => {
    expect(await complaints(from(rule))).toEqual(expected);
  });
});

describe('loadBalancer', () => {
  test.each([
    ['{ simple: ROUND_ROBIN }', 'edf-weighted-round-robin'],
    ['{ simple: LEAST_REQUEST }', 'least-request'],
    ['{ simple: LEAST_CONN }', 'least-request'],
    ['{ simple: UNSPECIFIED }', 'least-request'],
    ['{}', 'least-request'],
    ['{ simple: RANDOM }', 'random'],
    ['{ simple: PASSTHROUGH }', 'iptables-random'],
    ['{ consistentHash: { httpHeaderName: x-user } }', 'ring-hash'],
  ])('%s means %s with all defaults', async (loadBalancer, use) => {
    expect(await pasted(...alone(loadBalancer))).toEqual({ use, params: defaults(balancers[use].params) });
  });

  test('that passes requests through says what that is taken for', async () => {
    expect(await complaints(...alone('{ simple: PASSTHROUGH }'))).toEqual([
      'rule.yaml:5:29 warning: PASSTHROUGH leaves the choice to kube-proxy: taken as iptables-random, request by request instead of connection',
    ]);
  });

  test('that is unknown is an error with what there is', async () => {
    expect(await complaints(...alone('{ simple: ROUNDROBIN }'))).toEqual([
      'rule.yaml:5:29 error: unknown load balancer "ROUNDROBIN"; did you mean "ROUND_ROBIN"? Known: ROUND_ROBIN, UNSPECIFIED, LEAST_REQUEST, LEAST_CONN, RANDOM, PASSTHROUGH',
    ]);
  });

  test('by hash has its older and newer spelling of the ring’s size', async () => {
    for (const size of ['minimumRingSize: "2048"', 'ringHash: { minimumRingSize: 2048 }']) {
      expect((await pasted(...alone(`{ consistentHash: { useSourceIp: true, ${size} } }`))).params).toMatchObject({
        minimumRingSize: 2048,
      });
    }
  });

  test('warms up by its older spelling, too', async () => {
    expect(await pasted(...alone('{ simple: ROUND_ROBIN, warmupDurationSecs: 30s }'))).toMatchObject({
      use: 'slow-start',
      params: { window: 30_000, inner: 'edf-weighted-round-robin', minWeightPercent: 10, aggression: 1 },
    });
  });

  test('with locality settings switched off goes by none', async () => {
    const off = '{ simple: RANDOM, localityLbSetting: { enabled: false, failover: [{ from: a, to: b }] } }';
    expect((await pasted(...alone(off))).use).toBe('random');
    expect(await complaints(...alone(off))).toEqual([]);
  });

  test('with shares that are none is refused', async () => {
    expect(await complaints(...alone('{ localityLbSetting: { distribute: [{ from: a, to: { a: most } }] } }'))).toEqual([
      'rule.yaml:5:70 error: to: expected numbers, found "most"',
    ]);
  });

  test('with shares that differ by origin goes by none, and says so', async () => {
    const two = '{ localityLbSetting: { distribute: [{ from: a, to: { a: 100 } }, { from: b, to: { b: 100 } }] } }';
    expect((await pasted(...alone(two))).use).toBe('least-request');
    expect(await complaints(...alone(two))).toEqual([
      'rule.yaml:5:42 warning: distribute is not read here: shares that differ by origin are not modelled',
    ]);
  });
});

test('rules are found in a Kubernetes list, too', async () => {
  const text = JSON.stringify({
    kind: 'List',
    items: [{ kind: 'Service' }, { kind: 'DestinationRule', metadata: { name: 'a' }, spec: {} }],
  });
  expect((await pasted('{ fromIstio: list.json }', { 'list.json': text })).use).toBe('least-request');
});
