/** Retries: what is tried again, where, and what it costs. All times are arithmetic by hand. */
import { expect, test } from 'vitest';
import type { FaultSpec } from '../../src/scenario/spec.ts';
import { constant, play } from './world-builder.ts';

const from = (
  instance: number,
  effect: { type: 'crash' } | { type: 'errors'; share: number },
  atMs = 0,
  forMs = 1000,
): FaultSpec => ({
  hit: 1,
  label: effect.type,
  targets: [{ service: 0, instance }],
  schedule: { type: 'once', atMs, forMs },
  ...effect,
});
const retry = (retries: number, hostSelectionRetries = 5) => ({ retries, hostSelectionRetries });

test('a refused request is tried at the next instance, and only its end counts', () => {
  // api/0 is down: the first of each pair of turns is refused at once and goes on to api/1.
  const { ledger, metrics, attempts } = play({
    instances: 2,
    at: [1, 50],
    faults: [from(0, { type: 'crash' })],
    retry: retry(1),
  });
  expect(ledger).toMatchObject({ offered: 2, ok: 2, failed: { refused: 0 } });
  const inOrder = attempts.toSorted((x, y) => x.endedMs - y.endedMs);
  expect(inOrder.map(({ slot, outcome }) => [slot, outcome])).toEqual([
    [0, 'refused'],
    [1, 'ok'],
    [0, 'refused'],
    [1, 'ok'],
  ]);
  expect(metrics['attempts']).toBe(2);
});

test('latency counts from arrival, with the way to the first instance and back', () => {
  // 3 ms there and back to api/0, which is down; then 3 + 10 + 3 ms.
  const { metrics } = play({
    instances: 2,
    at: [1],
    network: { sameZone: constant(3) },
    faults: [from(0, { type: 'crash' })],
    retry: retry(1),
  });
  expect(metrics['latency.mean']).toBeCloseTo(22, 5);
});

test('a request lost in a crash gets its whole work again', () => {
  // api/0 crashes 6 ms into 10 ms of work; api/1 starts from nothing: 6 + 10 ms.
  const { metrics, ledger } = play({ instances: 2, at: [1], faults: [from(0, { type: 'crash' }, 7)], retry: retry(1) });
  expect(ledger.failed.connectionLost).toBe(0);
  expect(metrics['latency.mean']).toBeCloseTo(16, 5);
});

test('instances already tried are avoided as long as the balancer offers others', () => {
  // A balancer that names instance 0 three times, then the others.
  const stubborn = () => {
    const answers = [0, 0, 0, 1];
    let turn = 0;
    return { update: () => undefined, pick: () => answers[Math.min(turn++, answers.length - 1)] };
  };
  const faults = [from(0, { type: 'crash' })];
  const patient = play({ instances: 2, at: [1], faults, balancer: stubborn, retry: retry(1, 2) });
  expect(patient.picks).toEqual([0, 0, 0, 1]);
  expect(patient.ledger.ok).toBe(1);
  // With one repeated pick the last is taken anyway.
  const hasty = play({ instances: 2, at: [1], faults, balancer: stubborn, retry: retry(1, 1) });
  expect(hasty.picks).toEqual([0, 0, 0]);
  expect(hasty.ledger.failed.refused).toBe(1);
});

test('the number of tries is bounded', () => {
  const faults = [0, 1, 2].map((instance) => from(instance, { type: 'crash' }));
  const { ledger, attempts } = play({ instances: 3, at: [1], faults, retry: retry(2) });
  expect(ledger.failed.refused).toBe(1);
  expect(attempts.map(({ slot }) => slot).toSorted()).toEqual([0, 1, 2]);
});

test('an error is tried again and drawn anew; a success is not', () => {
  const { ledger, attempts } = play({
    instances: 2,
    at: [1, 100],
    faults: [from(0, { type: 'errors', share: 1 })],
    retry: retry(1),
  });
  expect(ledger.ok).toBe(2);
  expect(attempts.toSorted((x, y) => x.endedMs - y.endedMs).map(({ outcome }) => outcome)).toEqual([
    'error',
    'ok',
    'error',
    'ok',
  ]);
});

test('the timeout is the request’s as a whole, and is not retried', () => {
  // 8 ms of the 15 are gone when api/0 crashes; the retry needs 10 more.
  const { ledger, metrics } = play({
    instances: 2,
    at: [1],
    timeoutMs: 15,
    faults: [from(0, { type: 'crash' }, 9)],
    retry: retry(3),
  });
  expect(ledger.failed.timeout).toBe(1);
  expect(metrics['attempts']).toBe(2);
});

test('retries leave the first tries of everybody untouched', () => {
  const setup = {
    instances: 4,
    work: { type: 'exponential', mean: 10 } as const,
    arrivals: { type: 'poisson', perSecond: 100 } as const,
  };
  const faults = [from(1, { type: 'errors', share: 0.5 }, 200, 300)];
  const without = play({ ...setup, faults, durationMs: 2000 });
  const withThem = play({ ...setup, faults, durationMs: 2000, retry: retry(1) });
  expect(withThem.ledger.offered).toBe(without.ledger.offered);
  expect(withThem.ledger.failed.error).toBeLessThan(without.ledger.failed.error);
  // Before the fault nothing is retried, and every attempt is the same.
  const early = (attempts: typeof without.attempts) => attempts.filter(({ endedMs }) => endedMs < 200);
  expect(early(withThem.attempts)).toEqual(early(without.attempts));
});
