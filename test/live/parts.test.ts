/** The small parts of the live side: what HTTP means to the policies, policies by name, the machine's clock and timers. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  createProxy,
  makePolicy,
  outcomeOfAnswer,
  outcomeOfError,
  systemClock,
  systemRng,
  systemTimers,
} from '../../src/live/index.ts';
import { int, type ParamSpecs, policies, records } from '../../src/core/params.ts';
import { definePolicy, type Policy } from '../../src/core/policy.ts';
import { PolicyTimer } from '../../src/live/policy-timer.ts';
import { outcomes } from '../../src/policies/balancing/balancer.ts';
import { balancers } from '../../src/policies/balancing/index.ts';
import { retryPolicies } from '../../src/policies/resilience/retries/index.ts';
import { testRng, unusedRng } from '../policies/fixtures.ts';

describe('outcomes', () => {
  test('of answers follow their status; overload is told from errors by its header', () => {
    const outcomeOf = (status: number, headers = {}): number => outcomeOfAnswer(status, headers);
    expect([200, 204, 301, 404, 429, 499].map((status) => outcomeOf(status))).toEqual(Array(6).fill(outcomes.ok));
    expect([500, 502, 503, 504].map((status) => outcomeOf(status))).toEqual(Array(4).fill(outcomes.error));
    expect(outcomeOf(503, { 'x-envoy-overloaded': 'true' })).toBe(outcomes.shed);
    expect(outcomeOf(500, { 'x-envoy-overloaded': 'true' })).toBe(outcomes.error);
  });

  test('of errors tell a connection that was not made from one that broke, and from nonsense', () => {
    const outcomeOf = (fields: object): number => outcomeOfError(Object.assign(new Error('x'), fields));
    const refused = [
      { code: 'ECONNREFUSED' },
      { code: 'ENOTFOUND' },
      { code: 'ETIMEDOUT', syscall: 'connect' },
      { code: 'EAI_AGAIN', syscall: 'getaddrinfo' },
    ];
    expect(refused.map(outcomeOf)).toEqual(refused.map(() => outcomes.refused));
    const lost = [{ code: 'ECONNRESET' }, { code: 'EPIPE', syscall: 'write' }, { code: 'ETIMEDOUT', syscall: 'read' }, {}];
    expect(lost.map(outcomeOf)).toEqual(lost.map(() => outcomes.lost));
    expect(outcomeOf({ code: 'HPE_INVALID_CONSTANT' })).toBe(outcomes.error);
  });
});

describe('policies by name', () => {
  const retry = (use: Parameters<typeof makePolicy<object, unknown>>[1]): unknown =>
    makePolicy(retryPolicies as never, use, { rng: unusedRng });

  /** What reaches the policy. */
  const combine = (use: Parameters<typeof makePolicy<object, unknown>>[1]): unknown => {
    const described = { family: 'test', summary: '', useWhen: '', failsWhen: '', cost: '', sources: [], aliases: [] };
    const at = int({ default: 0, about: 'Where.' });
    const fields = { at, size: int({ default: 1, about: 'How much.' }) };
    const steps = records({ about: 'Steps.', fields, required: ['at'] });
    const of = policies({ about: 'Those inside.', table: () => table, atLeast: 1 });
    const create = (params: object, _deps: object): unknown => params;
    const table: Record<string, Policy<ParamSpecs, object, unknown>> = {
      own: definePolicy({ ...described, name: 'own', params: { steps }, create }),
      max: definePolicy({ ...described, name: 'max', params: { of }, create }),
    };
    return makePolicy(table, use, {});
  };

  test('take parameters, other systems’ names, and functions', () => {
    expect(retry({ use: 'constant', delay: 7, retries: 4 })).toMatchObject({ retries: 4 });
    const own = { update: () => undefined, pick: () => 0 };
    expect(makePolicy(balancers, () => own, { rng: unusedRng })).toBe(own);
    expect(makePolicy(balancers, 'LEAST_REQUEST', { rng: testRng(1) })).toHaveProperty('pick');
  });

  test('may hold lists of records and of policies, whose gaps are filled in', () => {
    expect(combine({ use: 'max', of: ['own', { use: 'own', steps: [{ at: 3 }] }] })).toEqual({
      of: [
        { use: 'own', params: { steps: [] } },
        { use: 'own', params: { steps: [{ at: 3, size: 1 }] } },
      ],
    });
    const own =
      (steps: unknown): (() => unknown) =>
      () =>
        combine({ use: 'max', of: [{ use: 'own', steps } as never] });
    expect(own([{ at: 3, sze: 2 }])).toThrow('own’s steps has no parameter "sze"');
    expect(own([{ at: 0.5 }])).toThrow('own’s steps cannot have at 0.5');
    expect(own([{ size: 2 }])).toThrow('own’s steps needs at');
    expect(own([3])).toThrow('own cannot have steps [3]');
    expect(() => combine({ use: 'max', of: [] })).toThrow('max cannot have of []');
    expect(() => combine({ use: 'max', of: ['onw'] })).toThrow('there is no policy "onw"');
  });

  test('say what is wrong', () => {
    expect(() => retry('constnat')).toThrow('there is no policy "constnat"');
    expect(() => retry({ use: 'constant', dealy: 5 })).toThrow('constant has no parameter "dealy"');
    expect(() => retry({ use: 'constant', delay: '5ms' })).toThrow('constant cannot have delay "5ms"');
    expect(() => retry({ use: 'constant', delay: -1 })).toThrow('constant cannot have delay -1');
    expect(() => retry({ use: 'constant', retries: 1.5 })).toThrow('constant cannot have retries 1.5');
    expect(() => retry({ use: 'constant', on: ['weather'] })).toThrow('constant cannot have on ["weather"]');
    expect(() => makePolicy(balancers, 'weighted', { rng: unusedRng })).toThrow(/"weighted"/);
  });
});

describe('a proxy’s options', () => {
  test('are checked when it is made', () => {
    const make = (options: object): unknown => createProxy({ endpoints: [], balancer: 'p2c', ...options });
    for (const url of ['10.0.0.1:80', 'ftp://a', 'http://a/path', 'http://a?x=1', '']) {
      expect(() => make({ endpoints: [url] })).toThrow('is not an endpoint');
    }
    expect(() => make({ endpoints: ['http://a', 'http://a:80'] })).toThrow('already a member');
    expect(() => make({ timeoutMs: 0 })).toThrow('timeoutMs cannot be 0');
    expect(() => make({ attemptTimeoutMs: Number.NaN })).toThrow('attemptTimeoutMs cannot be NaN');
    expect(() => make({ fallback: { on: ['weather'], answer: { status: 200 } } })).toThrow('cannot stand in for "weather"');
  });
});

describe('the machine’s clock, timers and chance', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('the clock starts at 0 and does not go back', () => {
    const clock = systemClock();
    const [first, second] = [clock.now(), clock.now()];
    expect(first).toBeGreaterThanOrEqual(0);
    expect(first).toBeLessThan(1000);
    expect(second).toBeGreaterThanOrEqual(first);
  });

  test('a timer waits as long as it is told, also beyond what setTimeout can', () => {
    vi.useFakeTimers();
    const fired: string[] = [];
    const dayMs = 86_400_000;
    systemTimers.set(60 * dayMs, () => fired.push('60 days'));
    systemTimers.set(2 ** 31 - 1, () => fired.push('the longest'));
    systemTimers.set(0.2, () => fired.push('a moment'));
    systemTimers.set(50 * dayMs, () => fired.push('cleared')).clear();
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(['a moment']);
    vi.advanceTimersByTime(60 * dayMs - 2);
    expect(fired).toEqual(['a moment', 'the longest']);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(['a moment', 'the longest', '60 days']);
  });

  test('streams of random numbers differ from each other', () => {
    // Two equal draws of 64 bits: less likely than 1 in 10^19.
    const draw = (): string => `${systemRng().uint32()} ${systemRng().uint32()}`;
    expect(draw()).not.toBe(draw());
  });

  test('a balancer is woken when it wants to be, and asked again after changes', () => {
    vi.useFakeTimers();
    let nowMs = 0;
    let nextMs = 100;
    const woken: number[] = [];
    const balancer = {
      update: () => undefined,
      pick: () => 0,
      nextTimerMs: () => nextMs,
      onTimer: (atMs: number) => ((nextMs = atMs + 50), woken.push(atMs)),
    };
    const timer = new PolicyTimer(balancer, { now: () => nowMs }, systemTimers);
    const pass = (ms: number): void => {
      for (let i = 0; i < ms; i++) {
        nowMs++;
        vi.advanceTimersByTime(1);
      }
    };
    timer.rearm();
    pass(160);
    nextMs = 170;
    timer.rearm();
    pass(20);
    timer.stop();
    pass(500);
    expect(woken).toEqual([100, 150, 170]);
  });
});
