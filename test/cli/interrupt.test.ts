import { afterEach, expect, test, vi } from 'vitest';
import { listenForInterrupt } from '../../src/cli/interrupt.ts';

afterEach(() => vi.restoreAllMocks());

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('the first %s asks to stop, the second ends the program with %i', (name, code) => {
  const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
  const told = vi.fn();
  const interrupt = listenForInterrupt(told);
  expect(interrupt.code()).toBeUndefined();

  process.emit(name, name);
  expect([interrupt.signal.aborted, interrupt.code()]).toEqual([true, code]);
  expect([told.mock.calls.length, exit.mock.calls.length]).toEqual([1, 0]);

  process.emit(name, name);
  expect([told.mock.calls.length, exit.mock.calls]).toEqual([1, [[code]]]);
  interrupt.stop();
});

test('afterwards a signal kills as usual', () => {
  const before = process.listenerCount('SIGINT');
  const interrupt = listenForInterrupt(() => {});
  expect(process.listenerCount('SIGINT')).toBe(before + 1);
  interrupt.stop();
  expect(process.listenerCount('SIGINT')).toBe(before);
});
