/** Conditions, analyses over time, and the error rates that the test of ratios states. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors.ts';
import { complete } from '../../../src/core/params.ts';
import {
  Analysis,
  type AnalysisState,
  metricFields,
  type MetricSettings,
  parseCondition,
  ratioEvidence,
  ratioVerdict,
  type ReadMetric,
} from '../../../src/policies/rollout/analysis/index.ts';
import { testRng } from '../fixtures.ts';

describe('a condition', () => {
  const holds = (text: string, result: number, control?: number): boolean =>
    parseCondition(text, 'successCondition')!.holds({ result, control });

  it.each([
    ['result >= 0.95', 0.95, undefined, true],
    ['result[0] >= 0.95', 0.94, undefined, false],
    ['result < 1.5 * control', 14, 10, true],
    ['result < 1.5 * control && result < 12', 14, 10, false],
    ['!(result > 2) || control == 1', 3, 1, true],
    ['result - -1 > 2 * (control + 1) / 4', 1, 2, true],
    ['result < 1 + 2 * 3', 6.5, undefined, true],
    ['result < 1e-3', 0.0005, undefined, true],
  ])('%s with %d and %d is %j', (text, result, control, expected) => expect(holds(text, result, control)).toBe(expected));

  it('is nothing when it is empty', () => expect(parseCondition('  ', 'x')).toBeUndefined());

  it.each([
    ['result', 'must be true or false'],
    ['result >', 'ends too early'],
    ['result > 1 2', 'cannot go on'],
    ['result && 1', 'not true or false'],
    ['(result > 1', 'closing parenthesis'],
    ['latency > 1', 'no number, result or control'],
    ['result > 1 > 0', 'not a number'],
    ['!result', 'does not apply'],
  ])('%j is refused: %s', (text, why) => {
    expect(() => parseCondition(text, 'failureCondition')).toThrow(InputError);
    expect(() => parseCondition(text, 'failureCondition')).toThrow(why);
  });
});

const metric = (settings: Partial<MetricSettings>): MetricSettings => complete(metricFields, settings) as MetricSettings;

/** Runs to the end, with one value per measurement; undefined is a measurement that could not be made. */
function run(
  metrics: readonly Partial<MetricSettings>[],
  values: (name: string, measurement: number) => number | undefined,
): { readonly state: AnalysisState; readonly endMs: number; readonly measuredMs: readonly number[] } {
  const analysis = new Analysis(metrics.map(metric));
  const count = new Map<string, number>();
  const measuredMs: number[] = [];
  let state = analysis.start(0);
  let nowMs = 0;
  const read: ReadMetric = (name) => {
    const measurement = count.get(name) ?? 0;
    count.set(name, measurement + 1);
    measuredMs.push(nowMs);
    return values(name, measurement);
  };
  for (let guard = 0; state.phase === 'Running' && guard < 1000; guard++) {
    nowMs = analysis.nextTimerMs(state);
    state = analysis.step(state, read, nowMs);
  }
  return { state, endMs: nowMs, measuredMs };
}

describe('an analysis', () => {
  const good = { metric: 'a', successCondition: 'result > 0', interval: 60_000, count: 3 };

  it('succeeds after its count of measurements, at their interval, after its delay', () => {
    const { state, measuredMs } = run([{ ...good, initialDelay: 5000 }], () => 1);
    expect(state.phase).toBe('Successful');
    expect(measuredMs).toEqual([5000, 65_000, 125_000]);
  });

  it('measures once where there is neither interval nor count', () => {
    expect(run([{ metric: 'a', successCondition: 'result > 0' }], () => 1).measuredMs).toEqual([0]);
  });

  it('fails with the failure beyond its limit, and says what was measured', () => {
    const { state, endMs } = run([{ ...good, failureLimit: 1, count: 10 }], (_, at) => (at % 2 === 0 ? -at : 1));
    expect(state.phase).toBe('Failed');
    expect(state.reason).toBe('a Failed at -2');
    expect(endMs).toBe(120_000);
  });

  it('repeats what could not be measured after ten seconds, without counting it, and gives up after five in a row', () => {
    const once = run([good], (_, at) => (at === 1 ? undefined : 1));
    expect(once.measuredMs).toEqual([0, 60_000, 70_000, 130_000]);
    expect(once.state.phase).toBe('Successful');
    const never = run([good], () => undefined);
    expect(never.state.phase).toBe('Error');
    expect(never.measuredMs).toEqual([0, 10_000, 20_000, 30_000, 40_000]);
  });

  it('says nothing where a value is neither good nor bad', () => {
    const { state } = run([{ ...good, failureCondition: 'result < -10' }], () => -5);
    expect(state.phase).toBe('Inconclusive');
  });

  it('is as bad as its worst metric, and ends the others with it', () => {
    const other = { metric: 'b', interval: 1000, count: 0 };
    const { state } = run([other, good], (name) => (name === 'a' ? -1 : 1));
    expect(state.phase).toBe('Failed');
    expect(state.metrics.map(({ phase }) => phase)).toEqual(['Successful', 'Failed']);
  });

  it('counts what is not decided for the version when its time is over', () => {
    const analysis = new Analysis([metric({ ...good, count: 0 })]);
    const state = analysis.step(analysis.start(0), () => 1, 0);
    expect(state.phase).toBe('Running');
    expect(analysis.step(state, () => 1, 1000, true).phase).toBe('Successful');
  });

  it('compares with the version that serves', () => {
    const analysis = new Analysis([metric({ metric: 'a', failureCondition: 'result > 2 * control' })]);
    const phase = (canary: number, control: number | undefined): string =>
      analysis.step(analysis.start(0), (_, of) => (of === 'canary' ? canary : control), 0).phase;
    expect(phase(5, 3)).toBe('Successful');
    expect(phase(5, 2)).toBe('Failed');
    // What cannot be compared is no verdict, but an error that is tried again.
    expect(phase(5, undefined)).toBe('Running');
  });

  it('goes on from its state as text', () => {
    const analysis = new Analysis([metric(good)]);
    let state = analysis.start(0);
    for (const nowMs of [0, 60_000, 120_000])
      state = analysis.step(JSON.parse(JSON.stringify(state)) as AnalysisState, () => 1, nowMs);
    expect(state.phase).toBe('Successful');
  });

  it('has succeeded before it begins without metrics', () => {
    expect(new Analysis([]).start(5).phase).toBe('Successful');
  });
});

describe('the sequential test of a ratio', () => {
  const settings = { ratio: 2, alpha: 0.05, beta: 0.1 };

  /** Looks every minute at a canary with a tenth of the traffic, until it is decided. */
  function verdict(seed: number, controlRate: number, canaryRate: number): { readonly verdict: string; readonly looks: number } {
    const rng = testRng(seed);
    const failures = (requests: number, rate: number): number => {
      let failed = 0;
      for (let i = 0; i < requests; i++) if (rng.next() < rate) failed++;
      return failed;
    };
    let evidence = 0;
    for (let looks = 1; looks < 5000; looks++) {
      const [canary, control] = [40, 360];
      evidence += ratioEvidence(
        settings.ratio,
        { requests: canary, failures: failures(canary, canaryRate) },
        { requests: control, failures: failures(control, controlRate) },
      );
      const reached = ratioVerdict(settings, evidence);
      if (reached !== 'undecided') return { verdict: reached, looks };
    }
    return { verdict: 'undecided', looks: 5000 };
  }
  const trials = 400;
  const shareOf = (wanted: string, canaryRate: number): number => {
    const verdicts = Array.from({ length: trials }, (_, seed) => verdict(seed + 1, 0.01, canaryRate).verdict);
    return verdicts.filter((one) => one === wanted).length / trials;
  };

  // Seeds are fixed, so the shares are numbers and not chance. Bounds are Wald's, with three standard deviations of 400 trials on top.
  it('stops a version that is as good at most as often as it says', () => {
    const bound = settings.alpha / (1 - settings.beta);
    expect(shareOf('bad', 0.01)).toBeLessThanOrEqual(bound + 3 * Math.sqrt((bound * (1 - bound)) / trials));
  });

  it('lets a version pass that fails twice as often at most as often as it says', () => {
    const bound = settings.beta / (1 - settings.alpha);
    expect(shareOf('good', 0.02)).toBeLessThanOrEqual(bound + 3 * Math.sqrt((bound * (1 - bound)) / trials));
  });

  it('decides the sooner, the worse it is', () => {
    const looks = (rate: number): number =>
      Array.from({ length: 50 }, (_, seed) => verdict(seed + 1, 0.01, rate).looks).reduce((sum, one) => sum + one, 0);
    expect(looks(0.1)).toBeLessThan(looks(0.02) / 3);
  });

  it('learns nothing without requests on both sides', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(10), (requests, failures) => {
        const some = { requests, failures };
        const none = { requests: 0, failures: 0 };
        return ratioEvidence(2, none, some) === 0 && ratioEvidence(2, some, none) === 0;
      }),
    );
  });

  it('decides an analysis once and for all, and leaves it open after its last look', () => {
    const ratio = { metric: 'errors', test: 'ratio', interval: 60_000 } as const;
    const bad = run([ratio], (name) => (name === 'requests' ? 1000 : 30));
    // Both sides fail alike: sixty failures are enough to know.
    expect(bad.state.phase).toBe('Successful');
    const open = run([{ ...ratio, count: 2 }], (name) => (name === 'requests' ? 1000 : 0));
    expect(open.state.phase).toBe('Inconclusive');
    const worse = new Analysis([metric(ratio)]);
    const read: ReadMetric = (name, of) => (name === 'requests' ? 1000 : of === 'canary' ? 40 : 2);
    expect(worse.step(worse.start(0), read, 0).phase).toBe('Failed');
  });
});
