/** A balancer that breaks its word: a user's is told so, one of ours is a bug. */
import { expect, test } from 'vitest';
import { InvariantViolation, PolicyFault } from '../../src/core/errors.ts';
import type { Balancer } from '../../src/policies/balancing/balancer.ts';
import { heartbeat } from '../../src/policies/detection/heartbeat.ts';
import { crash, play, scripted } from './world-builder.ts';

const answers: readonly (readonly [string, unknown])[] = [
  ['a slot that does not exist', 5],
  ['a negative one that is not −1', -2],
  ['half a slot', 0.5],
  ['not a number', NaN],
  ['nothing', undefined],
  ['infinity', Infinity],
];

test.each(answers)('a user’s balancer that picks %s is at fault', (_, answer) => {
  const work = (): unknown => play({ at: [7], balancer: scripted(answer as number), isUserPolicy: true });
  expect(work).toThrow(PolicyFault);
  expect(work).toThrow(`balancer test chose endpoint ${String(answer)}, which is not in its view, for request 0 at 7`);
});

test.each(answers)('one of ours that picks %s is a bug, with the events that led there', (_, answer) => {
  try {
    play({ at: [7], balancer: scripted(answer as number) });
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(InvariantViolation);
    expect((error as InvariantViolation).evidence.at(-1)).toMatch(/^7(\.0\d*)? ms {2}arrival {2}0 {2}0$/);
  }
});

test('to pick who has left the view is a fault as well', () => {
  const detector = (deps: Parameters<typeof heartbeat.make>[1]) => heartbeat.make({ every: 100, misses: 3 }, deps);
  const work = (): unknown =>
    play({ at: [900], instances: 2, balancer: scripted(1), detector, faults: [crash(1, 0, Infinity)], isUserPolicy: true });
  expect(work).toThrow(/chose endpoint 1, which is not in its view/);
});

test.each([
  ['one that does not exist', [3]],
  ['a negative one', [0, -1]],
  ['more than there is room for', Array.from({ length: 65 }, () => 0)],
])('to probe %s is a fault like picking it', (_, targets) => {
  const balancer = (): Balancer => ({
    update: () => {},
    pick: () => 0,
    onReport: () => {},
    probes: (out) => {
      out.set(targets.slice(0, out.length));
      return targets.length;
    },
  });
  expect(() => play({ at: [7], balancer, isUserPolicy: true })).toThrow(/which is not in its view, for request 0/);
});

test('to know of no endpoint although there is one is allowed: the request ends without', () => {
  const played = play({ at: [1, 2, 3], balancer: scripted(-1, 0, -1) });
  expect(played.ledger).toMatchObject({ ok: 1, failed: { noEndpoint: 2 } });
  expect(played.latency.count).toBe(1);
});

test('the balancer hears of starts and ends in pairs, with active counted as promised', () => {
  const log: string[] = [];
  let active: Uint32Array = new Uint32Array(0);
  const balancer = (): Balancer => ({
    update: (view) => (active = view.table.active),
    pick: () => {
      log.push(`pick ${active[0]}`);
      return 0;
    },
    onStart: (slot, nowMs) => log.push(`start ${slot} ${active[0]} at ${Math.round(nowMs)}`),
    onEnd: (slot, nowMs, latencyMs, outcome) =>
      log.push(`end ${slot} ${active[0]} at ${Math.round(nowMs)} after ${Math.round(latencyMs)}: ${outcome}`),
  });
  play({ at: [0, 4], work: 10, balancer });
  expect(log).toEqual([
    'pick 0',
    'start 0 1 at 0',
    'pick 1',
    'start 0 2 at 4',
    'end 0 1 at 10 after 10: 0',
    'end 0 0 at 20 after 16: 0',
  ]);
});

test('a request that is refused at once over no network has ended before the next thing happens', () => {
  const log: string[] = [];
  const balancer = (): Balancer => ({
    update: () => {},
    pick: () => 0,
    onStart: () => log.push('start'),
    onEnd: (_slot, _nowMs, latencyMs, outcome) => log.push(`end ${latencyMs} ${outcome}`),
  });
  play({ at: [1, 2], balancer, timeoutMs: 100, faults: [crash(0, 0, Infinity)] });
  expect(log).toEqual(['start', 'end 0 3', 'start', 'end 0 3']);
});
