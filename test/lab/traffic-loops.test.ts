import { expect, test } from 'vitest';
import { trafficLoops } from '../../src/lab/traffic-loops.ts';
import type { ArrivalSpec } from '../../src/scenario/spec.ts';
import { outline } from './results.ts';

const zero = { type: 'constant', value: 0 } as const;
const poisson: ArrivalSpec = { type: 'poisson', perSecond: 1 };
const users: ArrivalSpec = { type: 'users', users: 200, think: zero, requests: Infinity, gap: zero };
const replay = (closed: boolean): ArrivalSpec => ({
  type: 'replay',
  closed,
  data: {
    timesMs: new Float64Array(0),
    classes: new Uint16Array(0),
    classNames: [],
    keys: undefined,
    sessions: undefined,
    workMs: undefined,
  },
});
const streams = (...arrivals: readonly ArrivalSpec[]) =>
  outline({ traffic: arrivals.map((each, i) => ({ name: `stream ${i + 1}`, arrivals: each })) });

test.each<[string, readonly ArrivalSpec[], boolean, string]>([
  ['a rate', [poisson], true, 'Open loop: requests arrive no matter how long answers take.'],
  ['a recording as it was', [poisson, replay(false)], true, 'Open loop: requests arrive no matter how long answers take.'],
  ['users', [users], false, 'Closed loop: stream 1 (200 users who wait for each answer, then think).'],
  ['recorded sessions', [replay(true)], false, 'Closed loop: stream 1 (recorded sessions that wait for each answer).'],
  [
    'both',
    [poisson, users, poisson],
    false,
    'Open loop: stream 1 and stream 3, no matter how long answers take. ' +
      'Closed loop: stream 2 (200 users who wait for each answer, then think).',
  ],
])('%s', (_, arrivals, openLoop, loops) => expect(trafficLoops(streams(...arrivals))).toEqual({ openLoop, loops }));

test('variants with traffic of their own are told apart', () => {
  const { variants: _, ...closed } = streams(users);
  const scenario = {
    ...streams(poisson),
    variants: outline({ variants: ['a', 'b', { label: 'c', scenario: closed }] }).variants,
  };
  expect(trafficLoops(scenario)).toEqual({
    openLoop: false,
    loops:
      'a and b: Open loop: requests arrive no matter how long answers take. ' +
      'c: Closed loop: stream 1 (200 users who wait for each answer, then think).',
  });
});
