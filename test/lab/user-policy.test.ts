/** A policy from the user's own TypeScript file: loaded, run, and blamed for what it does wrong, with the place. */
import { describe, expect, test } from 'vitest';
import { PolicyFault } from '../../src/core/errors.ts';
import { CellRunner } from '../../src/lab/cell.ts';
import type { PolicyUse } from '../../src/scenario/spec.ts';
import type { CellResult } from '../../src/stats/result.ts';
import { crash } from '../cluster/world-builder.ts';
import { own, scenarioOf, variantOf } from './builder.ts';

const run = (balancer: PolicyUse, detector?: PolicyUse): Promise<CellResult> => {
  const faults = detector === undefined ? [] : [crash(1, 800, 600)];
  const scenario = scenarioOf({ variants: [variantOf('mine', balancer, detector)], faults });
  return new CellRunner(scenario).run({ variant: 0, seed: 'a:1' });
};
const faultOf = async (balancer: PolicyUse, detector?: PolicyUse): Promise<PolicyFault> => {
  try {
    await run(balancer, detector);
  } catch (error) {
    if (error instanceof PolicyFault) return error;
    throw error;
  }
  return expect.unreachable('nothing was thrown');
};

describe('a class, a function and a definition', () => {
  test('all work, and are the same policy', async () => {
    const digests = await Promise.all(
      ['InTurn', 'makeInTurn', 'definedInTurn'].map(async (name) => (await run(own('balancers.ts', name))).digest),
    );
    expect(new Set(digests).size).toBe(1);
    // Two proxies, each in turn: even to within one each, and what is under way at the end.
    const served = (await run(own('balancers.ts', 'InTurn'))).instances.map((instance) => instance.served);
    expect(Math.max(...served) - Math.min(...served)).toBeLessThanOrEqual(4);
  });

  test('get their parameters, a definition also its defaults', async () => {
    const plain = (await run(own('balancers.ts', 'InTurn'))).digest;
    for (const name of ['InTurn', 'makeInTurn', 'definedInTurn']) {
      expect((await run(own('balancers.ts', name, { step: 2 }))).digest).not.toBe(plain);
      expect((await run(own('balancers.ts', name, { step: 1 }))).digest).toBe(plain);
    }
  });

  test('are made once per proxy and cell: the second run of a cell is as the first', async () => {
    const scenario = scenarioOf({ variants: [variantOf('mine', own('balancers.ts', 'InTurn'))] });
    const runner = new CellRunner(scenario);
    const first = await runner.run({ variant: 0, seed: 'a:1' });
    await runner.run({ variant: 0, seed: 'a:2' });
    expect((await runner.run({ variant: 0, seed: 'a:1' })).digest).toBe(first.digest);
  });

  test('may also be a detector', async () => {
    const { beliefs } = await run({ use: 'round-robin', params: {} }, own('detectors.ts', 'Silence'));
    expect(beliefs.map(({ instance, alive }) => `${instance} ${alive}`)).toEqual([
      'api/1 false',
      'api/1 false',
      'api/1 true',
      'api/1 true',
    ]);
    // Both proxies hear the same heartbeats.
    expect(beliefs[0].atMs).toBe(beliefs[1].atMs);
    expect(beliefs[0].atMs).toBeGreaterThan(1000);
    expect(beliefs[0].atMs).toBeLessThanOrEqual(1100);
  });
});

describe('what cannot be loaded says why', () => {
  test.each<[string, PolicyUse, RegExp]>([
    ['a missing export', own('balancers.ts', 'Nope'), /has no policy named Nope; it exports .*InTurn/],
    ['an export that is no policy', own('balancers.ts', 'notAPolicy'), /has no policy named notAPolicy/],
    ['a missing file', own('missing.ts', 'Nope'), /cannot be loaded/],
    ['a file that fails while loading', own('broken-import.ts', 'never'), /cannot be loaded: no such device/],
    ['a function that makes nothing', own('balancers.ts', 'makesNothing'), /lacks pick\(\), update\(\)/],
    ['a class without update', own('balancers.ts', 'OnlyPicks'), /lacks update\(\)/],
    ['a constructor that throws', own('balancers.ts', 'ThrowsInConstructor'), /could not be made: cannot be/],
  ])('%s', async (_, use, message) => {
    const fault = await faultOf(use);
    expect(fault.message).toMatch(message);
    expect(fault.policy).toBe(use.use);
  });
});

describe('what goes wrong while it runs is its own fault', () => {
  test('an error is passed on with its place in the user’s file, the variant and the seed', async () => {
    const fault = await faultOf(own('balancers.ts', 'ThrowsInPick'));
    expect(fault.message).toContain('./balancers.ts#ThrowsInPick threw RangeError: off by one (variant mine, seed a:1)');
    expect(fault.message).toMatch(/fixtures\/balancers\.ts:\d+/);
    expect(fault.cause).toBeInstanceOf(RangeError);
  });

  test('something thrown that is no error', async () => {
    expect((await faultOf(own('balancers.ts', 'ThrowsText'))).message).toBe(
      './balancers.ts#ThrowsText threw just a text (variant mine, seed a:1)',
    );
  });

  test('an error in another call than pick', async () => {
    expect((await faultOf(own('balancers.ts', 'ThrowsLate'))).message).toContain('had enough');
  });

  test.each([
    ['PicksNothing', 'undefined'],
    ['PicksNaN', 'NaN'],
    ['PicksMinusTwo', '-2'],
  ])('%s', async (name, answer) => {
    expect((await faultOf(own('balancers.ts', name))).message).toMatch(
      new RegExp(`chose endpoint ${answer}, which is not in its view, for request 0 at .* ms \\(variant mine, seed a:1\\)`),
    );
  });

  test('a timer at no time', async () => {
    expect((await faultOf(own('balancers.ts', 'TimerIsNaN'))).message).toContain('nextTimerMs() of the balancer returned NaN');
  });

  test('a detector that cannot say how often it wants a heartbeat', async () => {
    const fault = await faultOf({ use: 'round-robin', params: {} }, own('detectors.ts', 'NeverBeats'));
    expect(fault.message).toContain('heartbeatEveryMs of the detector is NaN');
  });
});

describe('time and chance of its own are refused, with what to use instead', () => {
  test.each([
    ['AsksDate', 'Date.now', 'use the time passed to each call'],
    ['AsksNewDate', 'new Date()', 'use the time passed to each call'],
    ['AsksPerformance', 'performance.now', 'use the time passed to each call'],
    ['AsksHrtime', 'process.hrtime.bigint', 'use the time passed to each call'],
    ['AsksMathRandom', 'Math.random', 'draw from the injected rng'],
    ['AsksCrypto', 'crypto.randomUUID', 'draw from the injected rng'],
    ['SetsTimeout', 'setTimeout', 'return a time from nextTimerMs() and act in onTimer()'],
  ])('%s', async (name, what, instead) => {
    const before = [Date, Math.random, setTimeout, performance.now, process.hrtime];
    const fault = await faultOf(own('balancers.ts', name));
    expect(fault.message).toContain(`${name} called ${what}, which would make the run unrepeatable: ${instead}`);
    // And the place.
    expect(fault.message).toMatch(/fixtures\/balancers\.ts:\d+/);
    expect([Date, Math.random, setTimeout, performance.now, process.hrtime]).toEqual(before);
    expect(Date.now()).toBeGreaterThan(1.7e12);
  });

  test('a date that is given is arithmetic, and fine', async () => {
    const { digest } = await run(own('balancers.ts', 'UsesDateAsArithmetic'));
    expect(digest).toBe((await run(own('balancers.ts', 'InTurn'))).digest);
  });

  test('whoever watches the run may look at the clock', async () => {
    const scenario = scenarioOf({ variants: [variantOf('mine', own('balancers.ts', 'InTurn'))] });
    const seen: number[] = [];
    await new CellRunner(scenario).run({ variant: 0, seed: 'a:1' }, (simulatedMs) => {
      seen.push(simulatedMs);
      expect(Date.now() + performance.now() + Math.random()).toBeGreaterThan(0);
    });
    expect(seen).toEqual(Array.from({ length: 10 }, (_, i) => 200 * (i + 1)));
  });
});
