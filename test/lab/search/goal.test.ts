import { expect, test } from 'vitest';
import { InputError } from '../../../src/core/errors.ts';
import { parseGoal } from '../../../src/lab/search/goal.ts';

test.each([
  ['min cost', 'min', 'cost', []],
  ['minimize cost', 'min', 'cost', []],
  ['max goodput', 'max', 'goodput', []],
  ['maximise goodput subject to latency.p99 < 250ms', 'max', 'goodput', ['latency.p99 < 250ms']],
  [
    'min cost subject to latency.p99 < 250ms and availability >= 99.9%',
    'min',
    'cost',
    ['latency.p99 < 250ms', 'availability >= 99.9%'],
  ],
  ['min cost s.t. latency.p99<1s, availability>=99%', 'min', 'cost', ['latency.p99<1s', 'availability>=99%']],
  [
    'min latency.p99{class=read, window=30s..60s} where latency.p99{edge=web->db, class=a and b} < 5ms && attempts < 1.2',
    'min',
    'latency.p99{class=read, window=30s..60s}',
    ['latency.p99{edge=web->db, class=a and b} < 5ms', 'attempts < 1.2'],
  ],
])('%s', (text, direction, metric, constraints) => {
  expect(parseGoal(text)).toEqual({ text, direction, metric, constraints });
});

test.each(['cost', 'least cost', 'min', 'min cost latency.p99 < 3ms', 'min cost subject to a < 1 and', 'min cost, goodput'])(
  '%s is no goal',
  (text) => {
    expect(() => parseGoal(text)).toThrow(InputError);
  },
);
