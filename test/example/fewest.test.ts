import { scenario, type Measurement } from 'clusterlab/testing';
import { contractSuite } from 'clusterlab/vitest';
import { beforeAll, expect, test } from 'vitest';
import { Fewest } from './policies/fewest.ts';

contractSuite('balancer', 'Fewest', () => new Fewest());

let of: (label: string) => Measurement;
beforeAll(async () => {
  const result = await scenario('scenario.yaml').seeds(6).run();
  of = (label) => result.of(label);
});

test('ours keeps its promises', () => {
  expect(of('ours')).toMeetSlo(['latency.p99 < 250ms', 'availability >= 99%']);
});

test('ours is no worse than round-robin, and round-robin is worse than ours', () => {
  expect(of('ours')).toBeNoWorseThan(of('round-robin'), { metric: 'latency.p99', margin: '5%' });
  expect(() => expect(of('round-robin')).toBeNoWorseThan(of('ours'))).toThrow(
    /worse after 6 seeds[\s\S]*Again: clusterlab compare scenario.yaml/,
  );
});

test('a failure says what was measured', () => {
  expect(() => expect(of('round-robin')).toMeetSlo('latency.p99 < 1ms')).toThrow(
    /latency\.p99 < 1ms for round-robin: .* ms \(.* ms\), 6 seeds/,
  );
  expect(() => expect(of('ours')).toMeetSlo('latency.p98 < 1ms')).toThrow(/unknown metric/);
  expect(() => of('our')).toThrow(/did you mean "ours"/);
});
