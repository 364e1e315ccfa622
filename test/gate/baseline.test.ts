import { describe, expect, test } from 'vitest';
import { NotComparable } from '../../src/core/errors.ts';
import { makeBaseline, parseBaseline, serializeBaseline } from '../../src/gate/baseline.ts';

const variant = {
  digests: ['a1', 'b2'],
  metrics: { 'latency.p99': [12.5, NaN], availability: [1, 0.999] },
  world: { run: 'x', faults: 'y' },
};
const baseline = makeBaseline('main', {
  tiny: { file: 'tiny.yaml', seeds: ['1:1', '1:2'], variants: { p2c: variant, 'a "b"': variant } },
});
const text = serializeBaseline(baseline);

describe('a baseline', () => {
  test('comes back as it was', () => expect(parseBaseline(text, 'main.json')).toEqual(baseline));

  test('is small, sorted, and the same bytes whatever order it was made in', () => {
    const other = makeBaseline('main', {
      tiny: {
        variants: { 'a "b"': variant, p2c: { world: variant.world, metrics: variant.metrics, digests: variant.digests } },
        seeds: ['1:1', '1:2'],
        file: 'tiny.yaml',
      },
    });
    expect(serializeBaseline(other)).toBe(text);
    expect(text).toMatch(/^\{\n "checksum": "[0-9a-f]{64}",\n "name": "main",\n "scenarios"/);
    expect(text).toContain('"latency.p99": [12.5, null]');
    expect(text.length).toBeLessThan(1000);
  });

  const edited = (change: (data: Record<string, unknown>) => void): string => {
    const data = JSON.parse(text) as Record<string, unknown>;
    change(data);
    return JSON.stringify(data);
  };
  test.each<[string, string, RegExp]>([
    ['cut short', text.slice(0, 200), /is not JSON/],
    ['empty', '', /is not JSON/],
    ['something else', '{"schema":"clusterlab-run/2"}', /not a baseline/],
    ['a list', '[]', /not a baseline/],
    ['of another schema', edited((data) => (data.schema = 'clusterlab-baseline/9')), /schema "clusterlab-baseline\/9"/],
    ['edited', text.replace('12.5', '11.5'), /changed since it was saved/],
    ['renamed inside', text.replace('"name": "main"', '"name": "best"'), /changed since it was saved/],
    ['without a checksum', edited((data) => delete data.checksum), /checksum/],
    ['poisoned', text.replace('"name"', '"__proto__": {"polluted": true}, "name"'), /checksum/],
  ])('that is %s is refused', (_, found, message) => {
    expect(() => parseBaseline(found, 'main.json')).toThrow(NotComparable);
    expect(() => parseBaseline(found, 'main.json')).toThrow(message);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('with the right checksum and the wrong shape is refused too', () => {
    const broken = makeBaseline('main', { tiny: { file: 'x', seeds: ['1'], variants: { p2c: variant } } });
    expect(() => parseBaseline(serializeBaseline(broken), 'main.json')).toThrow(/lacks a part/);
  });
});
