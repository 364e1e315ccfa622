import { describe, expect, it } from 'vitest';
import { type EscapeAnswer, escapeAnswer, type EscapeBracket, searchEscape } from '../../src/stats/metastable/search-escape.ts';

const range = { low: 0.3, high: 0.95, resolution: 0.05 };

function search(answersAt: (load: number) => readonly EscapeAnswer[], where = range): EscapeBracket {
  const asking = searchEscape(where);
  let step = asking.next();
  while (!step.done) step = asking.next(answersAt(step.value));
  return step.value;
}

const threshold =
  (at: number) =>
  (load: number): readonly EscapeAnswer[] => [load < at ? 'recovers' : 'stays'];

describe('the search for the load from which a system escapes', () => {
  it('brackets a threshold to the resolution, in steps of it, and asks the two ends first', () => {
    const { recoversUpTo, staysFrom, trials } = search(threshold(0.52));
    expect([recoversUpTo, staysFrom]).toEqual([0.5, 0.55]);
    expect(trials.map(({ load }) => load)).toEqual([0.3, 0.95, 0.6, 0.45, 0.5, 0.55]);
  });

  it('finds every threshold, with about log2(range / resolution) questions', () => {
    for (let step = 1; step <= 13; step++) {
      const at = 0.3 + 0.05 * step - 0.025;
      const { recoversUpTo, staysFrom, trials } = search(threshold(at));
      expect(recoversUpTo).toBeLessThan(at);
      expect(staysFrom).toBeGreaterThan(at);
      expect(staysFrom - recoversUpTo).toBeCloseTo(0.05, 10);
      expect(trials.length).toBeLessThanOrEqual(6);
    }
  });

  it('goes by the majority of the seeds', () => {
    const { recoversUpTo, staysFrom, trials } = search((load) => [0.4, 0.52, 0.9].flatMap((at) => threshold(at)(load)));
    expect([recoversUpTo, staysFrom]).toEqual([0.5, 0.55]);
    expect(trials.find(({ load }) => load === 0.6)).toEqual({
      load: 0.6,
      answers: ['stays', 'stays', 'recovers'],
      majority: 'stays',
    });
  });

  it('narrows both flanks of a stretch of loads that are undecided', () => {
    const { recoversUpTo, staysFrom, trials } = search((load) =>
      load > 0.47 && load < 0.68 ? ['recovers', 'stays'] : threshold(0.5)(load),
    );
    expect([recoversUpTo, staysFrom]).toEqual([0.45, 0.7]);
    expect(trials.filter(({ majority }) => majority === 'undecided').length).toBeGreaterThan(0);
    expect(trials.length).toBeLessThanOrEqual(9);
  });

  it('counts runs that are too short for neither side', () => {
    const { recoversUpTo, staysFrom } = search((load) =>
      load > 0.8 ? ['stays', 'undecided', 'stays'] : load < 0.5 ? ['recovers'] : ['undecided'],
    );
    expect([recoversUpTo, staysFrom]).toEqual([0.45, 0.85]);
  });

  it('lets an answer on the far side overrule the undecided loads', () => {
    const answers: readonly EscapeAnswer[] = [
      'recovers',
      'stays',
      'undecided',
      'recovers',
      'stays',
      'stays',
      'recovers',
      'recovers',
    ];
    const loads: number[] = [];
    const { recoversUpTo, staysFrom } = search((load) => [answers[loads.push(load) - 1]], { low: 0, high: 8, resolution: 1 });
    expect(loads.length).toBeLessThanOrEqual(9);
    expect(staysFrom - recoversUpTo).toBe(1);
  });

  it('stops where there is nothing to bracket: it recovers everywhere, or not even at the lowest load', () => {
    const everywhere = search(() => ['recovers']);
    expect([everywhere.recoversUpTo, everywhere.staysFrom, everywhere.trials.length]).toEqual([0.95, NaN, 2]);
    const nowhere = search(() => ['stays']);
    expect([nowhere.recoversUpTo, nowhere.staysFrom, nowhere.trials.length]).toEqual([NaN, 0.3, 1]);
    const never = search(() => []);
    expect([never.recoversUpTo, never.staysFrom, never.trials.length]).toEqual([NaN, NaN, 1]);
  });

  it('uses a finer step where the resolution does not divide the range, and takes a range within the resolution as it is', () => {
    expect(search(threshold(5.5), { low: 0, high: 10, resolution: 3 })).toMatchObject({ recoversUpTo: 5, staysFrom: 7.5 });
    expect(search(threshold(5), { low: 4, high: 6, resolution: 2 })).toMatchObject({ recoversUpTo: 4, staysFrom: 6 });
  });

  it('refuses an empty range', () => {
    expect(() => search(threshold(1), { low: 1, high: 1, resolution: 0.1 })).toThrow(RangeError);
    expect(() => search(threshold(1), { low: 0, high: 1, resolution: 0 })).toThrow(RangeError);
  });
});

describe('what a verdict says to the search', () => {
  it('is that a run which never failed has escaped, and one that is too short says nothing', () => {
    const said = (['recovered', 'never-failed', 'metastable', 'too-short'] as const).map((state) =>
      escapeAnswer({ state, reason: null, recoveredAtMs: NaN, lastShare: NaN, baseline: 1 }),
    );
    expect(said).toEqual(['recovers', 'recovers', 'stays', 'undecided']);
  });
});
