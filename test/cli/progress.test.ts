import { describe, expect, test } from 'vitest';
import { progressLine, progressText } from '../../src/cli/progress.ts';

const at = (share: number) => ({ done: Math.floor(share * 40), total: 40, simulatedMs: share * 400_000, share });

describe('the text', () => {
  test('tells cells, speed and time left', () => {
    // A quarter of 400 simulated seconds took 2 s: 50 simulated s/s, and three quarters need 6 s more.
    expect(progressText(at(0.25), 'cells', 2000)).toBe('10/40 cells  50 simulated s/s  6 s left');
  });
  test('promises nothing before there is something to go by', () => {
    expect(progressText(at(0), 'cells', 2000)).toBe('0/40 cells');
  });
  test.each([
    [1_000, '1 s left'],
    [89_000, '89 s left'],
    [120_000, '2 min left'],
    [7_200_000, '2 h left'],
  ])('%i ms are %s', (ms, text) => expect(progressText(at(0.5), 'cells', ms)).toContain(text));
});

describe('the line', () => {
  const world = (animated: boolean) => {
    const clock = { ms: 0 };
    const written: string[] = [];
    const line = progressLine({ animated, note: (text) => void written.push(text) }, 'cells', () => clock.ms);
    return { clock, written, line };
  };

  test('on a terminal is redrawn in place, at most ten times a second, and taken away at the end', () => {
    const { clock, written, line } = world(true);
    for (clock.ms = 0; clock.ms <= 1000; clock.ms += 10) line.update(at(0.5));
    line.end();
    expect(written.length).toBe(12);
    expect(written[0]).toBe('\r20/40 cells\u001B[K');
    expect(written.at(-1)).toBe('\r\u001B[K');
  });

  test('in a log is a plain line every five seconds, and nothing for a short run', () => {
    const { clock, written, line } = world(false);
    for (clock.ms = 0; clock.ms < 5000; clock.ms += 10) line.update(at(0.5));
    expect(written).toEqual([]);
    for (; clock.ms <= 11_000; clock.ms += 10) line.update(at(0.5));
    line.end();
    expect(written.map((text) => text.split('  ')[0])).toEqual(['20/40 cells', '20/40 cells']);
    expect(written.join('')).not.toMatch(/[\r\u001B]/);
  });
});
