/** Health checks and outlier ejection in the world. Envoy's rules: the first check at 0, the next 100 after the end of the last, unfit after
 *  three failures in a row, fit again after two good ones. Messages take no time unless said otherwise; times in ms. */
import { describe, expect, test } from 'vitest';
import type { HealthCheckerDeps } from '../../../src/policies/detection/checks/health-checker.ts';
import { healthCheckers } from '../../../src/policies/detection/checks/index.ts';
import type { OutlierDetectorDeps } from '../../../src/policies/detection/outliers/outlier-detector.ts';
import { outlierDetectors } from '../../../src/policies/detection/outliers/index.ts';
import { constant, crash, errors, pause, play, type Played, rounded } from '../world-builder.ts';
import { around, badTimes, fault, firstFrom, lastBefore, once, phasesOf } from './setup.ts';

const checkParams = { interval: 100, timeout: 20, unhealthyThreshold: 3, healthyThreshold: 2 };
const edge = { healthCheck: (deps: HealthCheckerDeps) => healthCheckers.envoy.make(checkParams, deps) };
const world = { at: [], instances: 2, edge, durationMs: 2000 };
const changes = (played: Played): [string, number, boolean][] =>
  played.beliefs.map(({ instance, atMs, alive }) => [instance, rounded(atMs), alive]);

describe('an instance', () => {
  test('that is down refuses checks at once', () => {
    // Checks at 300, 400, 500 fail; down until 650: 600 fails, 700 and 800 are good.
    expect(changes(play({ ...world, faults: [crash(1, 250, 400)] }))).toEqual([
      ['api/1', 500, false],
      ['api/1', 800, true],
    ]);
  });

  test.each(['pause', 'hang'] as const)('under a %s lets checks time out', (type) => {
    const stops = fault(type === 'hang' ? { type, heartbeats: true } : { type }, [1], once(250, 450));
    // Asked at 300, 420, 540, each out after 20, so unfit at 560; asked again at 660; good at 780 and 880.
    expect(changes(play({ ...world, faults: [stops] }))).toEqual([
      ['api/1', 560, false],
      ['api/1', 880, true],
    ]);
  });

  test('that answers with errors is put out by the first check: an answer is taken at its word', () => {
    expect(changes(play({ ...world, faults: [errors(1, 1, 250, 400)] }))).toEqual([
      ['api/1', 300, false],
      ['api/1', 800, true],
    ]);
  });

  test('that only drops responses of requests passes them', () => {
    expect(changes(play({ ...world, faults: [fault({ type: 'drop-responses', share: 1 }, [1], once(250, 400))] }))).toEqual([]);
  });

  test('behind a partition lets them time out, in either direction', () => {
    for (const direction of ['in', 'out'] as const) {
      const faults = [fault({ type: 'partition', link: around(direction) }, [1], once(250, 450))];
      expect(changes(play({ ...world, faults })).map(([, atMs]) => atMs)).toEqual([560, 880]);
    }
  });
});

describe('checks', () => {
  test('travel: question and answer take the network’s time, and the timeout counts both', () => {
    // 7 each way: ends at 14, 128, 242, 356, 470, 584: those asked at 342, 456, 570 are refused.
    const network = { sameZone: constant(7) };
    expect(changes(play({ ...world, network, faults: [crash(1, 250, 1e6)] }))).toEqual([['api/1', 584, false]]);
    // 11 each way is more than 20: nobody is ever well. Asked at 0, 120, 240.
    expect(changes(play({ ...world, network: { sameZone: constant(11) } })).map(([, atMs]) => atMs)).toEqual([260, 260]);
  });

  test('are made by each client for itself', () => {
    const played = play({ ...world, balancers: 3, faults: [crash(1, 250, 1e6)] });
    expect(played.beliefs.map(({ balancer }) => balancer)).toEqual([0, 1, 2]);
    // 20 checks of each of two instances by each of three clients in 2 s.
    expect(played.metrics['detection.messages']).toBe(60);
  });

  test('of a balancer’s edge keep requests away', () => {
    const at = [510, 520, 530, 540];
    const played = play({ ...world, at, work: 1, faults: [crash(1, 250, 1e6)] });
    expect(played.attempts.map(({ slot, outcome }) => [slot, outcome])).toEqual(at.map(() => [0, 'ok']));
  });
});

describe('checkers that want reports', () => {
  const ttl = { healthCheck: (deps: HealthCheckerDeps) => healthCheckers.consul.make({ check: 'ttl', ttl: 300 }, deps) };
  const phase = phasesOf('heartbeat/phase', 2)[1];

  test('get them from every instance, and doubt those that fall silent', () => {
    // Reports every half of the time to live.
    expect(changes(play({ ...world, edge: ttl, faults: [pause(1, 700, 600)] }))).toEqual([
      ['api/1', rounded(lastBefore(700, 150, phase) + 300), false],
      ['api/1', rounded(firstFrom(1300, 150, phase)), true],
    ]);
  });

  test('get none through a partition', () => {
    const faults = [fault({ type: 'partition', link: around('out') }, [1], once(700, 600))];
    expect(changes(play({ ...world, edge: ttl, faults })).length).toBe(2);
  });
});

test('a kubelet kills an instance whose liveness checks fail, and checks it again once it is up', () => {
  // Every second from 0, and from each start-up on: killed at 7000, and after failures at 7500, 8500, 9500 again, and so on. Errors end at
  // 14,000, after failures at 12,500 and 13,500: three kills of 500 each.
  const params = { probes: ['liveness'], livenessPeriod: 1000, livenessFailureThreshold: 3 };
  const healthCheck = (deps: HealthCheckerDeps) => healthCheckers.kubelet.make(params, deps);
  const faults = [errors(1, 1, 4500, 9500)];
  const played = play({ ...world, edge: { healthCheck }, faults, startupMs: 500, durationMs: 20_000 });
  expect(rounded(played.metrics['instances.up'])).toBe(rounded(1 - (3 * 500) / 2 / 20_000));
});

test('an instance that a kubelet killed is used again once it is up, if no readiness probe has a say', () => {
  // Killed at 4000, after failures at 2000, 3000 and 4000: up at 4500, when errors are over.
  const params = { probes: ['liveness'], livenessPeriod: 1000, livenessFailureThreshold: 3 };
  const healthCheck = (deps: HealthCheckerDeps) => healthCheckers.kubelet.make(params, deps);
  const played = play({ ...world, edge: { healthCheck }, faults: [errors(1, 1, 1500, 2800)], startupMs: 500, durationMs: 9000 });
  expect(changes(played)).toEqual([
    ['api/1', 4000, false],
    ['api/1', 4500, true],
  ]);
});

describe('outlier ejection', () => {
  const params = { interval: 100, baseEjectionTime: 150, consecutive5xx: 3, maxEjectionPercent: 1 };
  const outlier = (deps: OutlierDetectorDeps) => outlierDetectors.envoy.make(params, deps);
  const at = Array.from({ length: 50 }, (_, k) => 10 * (k + 1));

  test('follows the third failure in a row, and ends with the first tick after its time', () => {
    // Every other request to api/0: at 10, 30 and 50, answered 1 later. Ticks at 100, 200 and 300; 150 after 51 is 201.
    const played = play({ at, work: 1, instances: 2, edge: { outlier }, faults: [errors(0, 1, 0, 100)] });
    expect(changes(played)).toEqual([
      ['api/0', 51, false],
      ['api/0', 300, true],
    ]);
    const between = played.attempts.filter(({ sentMs }) => sentMs > 55 && sentMs < 295);
    expect(between.length).toBe(24);
    expect(between.every(({ slot }) => slot === 1)).toBe(true);
    expect(played.ledger.failed.error).toBe(3);
  });

  test('counts requests that time out', () => {
    const faults = [fault({ type: 'drop-responses', share: 1 }, [0], once(0, 100))];
    const played = play({ at, work: 1, instances: 2, edge: { outlier }, faults, attemptTimeoutMs: 5 });
    expect(changes(played)[0]).toEqual(['api/0', 55, false]);
  });

  test('is over at once where an active check finds the instance well', () => {
    // The check at 100 finds it well; the one at 0 came before.
    const played = play({ at, work: 1, instances: 2, edge: { ...edge, outlier }, faults: [errors(0, 1, 5, 60)] });
    expect(changes(played)).toEqual([
      ['api/0', 51, false],
      ['api/0', 100, true],
    ]);
  });

  test('beside a failed check: used again only when nothing speaks against it', () => {
    // Unfit by checks at 100, 200, 300 (errors until 320), fit at 500 after 400 and 500. Ejected from 51 on, let back by the tick at 400.
    const longer = (deps: OutlierDetectorDeps) => outlierDetectors.envoy.make({ ...params, baseEjectionTime: 250 }, deps);
    const played = play({
      at,
      work: 1,
      instances: 2,
      edge: { ...edge, outlier: longer },
      faults: [errors(0, 1, 5, 315)],
      durationMs: 700,
    });
    expect(changes(played)).toEqual([
      ['api/0', 51, false],
      ['api/0', 500, true],
    ]);
    expect(badTimes(played)).toEqual([['api/0', 5, 320]]);
  });
});
