/** Policies that measure: latency, reports, probes, idleness. */
import { describe, expect, it } from 'vitest';
import { type LoadReport, outcomes } from '../../../src/policies/balancing/balancer.ts';
import {
  c3,
  clientSideWeightedRoundRobin,
  joinIdleQueue,
  jsqD,
  leastTime,
  neverQueue,
  prequal,
  shortestExpectedDelay,
  weightedP2c,
} from '../../../src/policies/balancing/index.ts';
import { SortedWindow } from '../../../src/policies/balancing/parts/sorted-window.ts';
import { reuseBudget } from '../../../src/policies/balancing/prequal.ts';
import { testRng, unusedRng } from '../fixtures.ts';
import { counts, distribution, letters, Script, Stage } from './stage.ts';

const report = (fields: Partial<LoadReport>): LoadReport => ({
  queriesPerSecond: 0,
  errorsPerSecond: 0,
  utilization: 0,
  inFlight: 0,
  queueLength: 0,
  latencyMs: 0,
  isProbe: false,
  ...fields,
});

describe('shortest expected delay', () => {
  it('prefers a loaded strong endpoint to an idle weak one, where never queue takes the idle', () => {
    const stage = new Stage([1, 4]).setActive([0, 1]);
    // One more request: 1/1 against 2/4.
    expect(stage.bind(shortestExpectedDelay.make({}, { rng: unusedRng })).pick()).toBe(1);
    expect(stage.bind(neverQueue.make({}, { rng: unusedRng })).pick()).toBe(0);
    stage.setActive([1, 1]);
    expect(stage.bind(neverQueue.make({}, { rng: unusedRng })).pick()).toBe(1);
  });
});

describe('join the shortest of d queues', () => {
  const shares = (d: number, active: readonly number[]): number[] =>
    distribution(active.length, (rng) => Stage.of(active.length).setActive(active).bind(jsqD.make({ d }, { rng })).pick());

  it('is random for d = 1 and knows all queues for d = n', () => {
    for (const share of shares(1, [3, 0, 2])) expect(share).toBeCloseTo(1 / 3, 12);
    for (const d of [3, 9]) expect(shares(d, [3, 0, 2])[1]).toBeCloseTo(1, 12);
  });

  it('settles ties at random', () => {
    const [first, , third] = shares(3, [1, 5, 1]);
    expect(first).toBeCloseTo(0.5, 12);
    expect(third).toBeCloseTo(0.5, 12);
  });
});

describe('weighted power of two choices', () => {
  it('considers endpoints by weight and compares load for weight', () => {
    const stage = new Stage([100, 900]);
    stage.bind(weightedP2c.make({}, { rng: testRng(2) }));
    // Idle: the first drawn wins, nine times in ten the heavy one; 2000 picks have a deviation of 13.4.
    expect(Math.abs(counts(stage.picks(2000), 2)[1] - 1800)).toBeLessThan(65);
    // 1/100 against 2/900: whenever both are drawn the heavy one wins.
    stage.setActive([1, 2]);
    expect(counts(stage.picks(2000), 2)[1]).toBeGreaterThan(1950);
  });
});

describe('join idle queue', () => {
  it('takes whoever has been idle longest, then anybody', () => {
    const stage = Stage.of(3).bind(joinIdleQueue.make({}, { rng: new Script(2, 1) }));
    const send = (): number => {
      const slot = stage.pick();
      stage.set.begin(slot);
      return slot;
    };
    expect(letters([send(), send(), send()])).toBe('a b c');
    expect(send()).toBe(2);
    for (const slot of [1, 0]) {
      stage.set.end(slot);
      stage.balancer.onEnd!(slot, 0, 0, outcomes.ok);
    }
    expect(letters([send(), send()])).toBe('b a');
    expect(send()).toBe(1);
  });

  it('forgets an idle endpoint that has left', () => {
    const stage = Stage.of(2).bind(joinIdleQueue.make({}, { rng: new Script(0) }));
    stage.set.remove(0, 0);
    expect(stage.pick()).toBe(1);
  });

  it('can go by reports alone', () => {
    const stage = Stage.of(3).bind(joinIdleQueue.make({ idleFrom: 'reports' }, { rng: new Script(0) }));
    stage.balancer.onReport!(2, 0, report({ inFlight: 0 }));
    stage.balancer.onReport!(1, 0, report({ inFlight: 3 }));
    expect(letters(stage.picks(2))).toBe('c a');
  });
});

describe('least time', () => {
  const make = (params: object = {}): Stage => Stage.of(2).bind(leastTime.make(params, { rng: unusedRng }));

  it('lets endpoints of about the same speed take turns', () => {
    const stage = make();
    stage.balancer.onEnd!(0, 0, 41, outcomes.ok);
    stage.balancer.onEnd!(1, 0, 59, outcomes.ok);
    expect(letters(stage.picks(4))).toBe('a b a b');
  });

  it('weighs speed against requests in flight', () => {
    const stage = make();
    stage.balancer.onEnd!(0, 0, 10, outcomes.ok);
    stage.balancer.onEnd!(1, 0, 30, outcomes.ok);
    // 20 · 2 against 40 · 1 is a tie, 20 · 3 is not.
    stage.setActive([2, 0]);
    expect(stage.pick()).toBe(1);
    stage.setActive([0, 0]);
    expect(stage.pick()).toBe(0);
  });

  it('does not average failures', () => {
    const stage = make();
    stage.balancer.onEnd!(0, 0, 100, outcomes.ok);
    stage.balancer.onEnd!(1, 0, 50, outcomes.ok);
    for (let i = 0; i < 100; i++) stage.balancer.onEnd!(0, 0, 1, outcomes.error);
    expect(stage.pick()).toBe(1);
  });

  it('gives a slow endpoint another chance in time', () => {
    const stage = make({ failTimeout: 10_000 });
    stage.balancer.onEnd!(0, 0, 400, outcomes.ok);
    stage.balancer.onEnd!(1, 0, 350, outcomes.ok);
    const pickAt = (nowMs: number): number => {
      stage.context.nowMs = nowMs;
      return stage.pick();
    };
    expect(pickAt(5000)).toBe(1);
    // After 11 s both are halved, and endpoint 1's clock starts over with its pick; endpoint 0's average goes on being halved.
    expect(pickAt(11_001)).toBe(1);
    expect(pickAt(12_000)).toBe(0);
  });

  it('sees a stall before its first answer, if running requests count', () => {
    const pick = (inflight: boolean): number => {
      const stage = make({ inflight });
      for (const slot of [0, 1]) stage.balancer.onEnd!(slot, 0, 30, outcomes.ok);
      stage.setActive([1, 1]);
      stage.balancer.onStart!(0, 0);
      stage.balancer.onStart!(1, 1990);
      stage.context.nowMs = 2000;
      return stage.pick();
    };
    expect(pick(false)).toBe(0);
    expect(pick(true)).toBe(1);
  });
});

describe('client-side weighted round robin', () => {
  /** Endpoint 1 reports that it could do three times as much. */
  const make = (params: object = {}): Stage =>
    Stage.of(2).bind(clientSideWeightedRoundRobin.make({ weightUpdatePeriod: 1000, ...params }, { rng: new Script(0) }));
  const reportAt = (stage: Stage, nowMs: number): void => {
    stage.balancer.onReport!(0, nowMs, report({ queriesPerSecond: 10, utilization: 0.3 }));
    stage.balancer.onReport!(1, nowMs, report({ queriesPerSecond: 10, utilization: 0.1 }));
  };
  const share = (stage: Stage): number[] => counts(stage.picks(400), 2);

  it('rotates through the blackout, then follows the reports at the next update', () => {
    const stage = make({ blackoutPeriod: 5000 });
    for (let nowMs = 0; nowMs <= 5000; nowMs += 500) {
      reportAt(stage, nowMs);
      stage.balancer.onTimer!(nowMs);
      if (nowMs < 5000) expect(share(stage)).toEqual([200, 200]);
    }
    expect(share(stage)).toEqual([100, 300]);
  });

  it('forgets weights that are not renewed', () => {
    const stage = make({ blackoutPeriod: 0, weightExpirationPeriod: 60_000 });
    reportAt(stage, 0);
    stage.balancer.onTimer!(1000);
    expect(share(stage)).toEqual([100, 300]);
    stage.balancer.onTimer!(60_000);
    expect(share(stage)).toEqual([200, 200]);
  });

  it('counts errors against an endpoint', () => {
    const stage = make({ blackoutPeriod: 0 });
    // 10/(0.1 + 2/10) is 33.3, as much as 10/0.3.
    stage.balancer.onReport!(0, 0, report({ queriesPerSecond: 10, utilization: 0.3 }));
    stage.balancer.onReport!(1, 0, report({ queriesPerSecond: 10, utilization: 0.1, errorsPerSecond: 2 }));
    stage.balancer.onTimer!(1000);
    expect(share(stage)).toEqual([200, 200]);
  });

  it('keeps the beat of its updates, however late the call', () => {
    const stage = make();
    expect(stage.balancer.nextTimerMs!()).toBe(1000);
    stage.balancer.onTimer!(3700);
    expect(stage.balancer.nextTimerMs!()).toBe(4000);
  });

  it('has Envoy’s median for endpoints without a weight, gRPC’s mean', () => {
    const shares = (variant: string): number[] => {
      const stage = Stage.of(4).bind(
        clientSideWeightedRoundRobin.make({ blackoutPeriod: 0, variant: variant as 'grpc' }, { rng: new Script(0) }),
      );
      [10, 10, 70].forEach((weight, slot) =>
        stage.balancer.onReport!(slot, 0, report({ queriesPerSecond: weight, utilization: 1 })),
      );
      stage.balancer.onTimer!(1000);
      return counts(stage.picks(1000), 4);
    };
    // 10 : 10 : 70 : 10 of a hundred, and 10 : 10 : 70 : 30 of 120.
    expect(shares('envoy')).toEqual([100, 100, 700, 100]);
    shares('grpc').forEach((share, slot) => expect(Math.abs(share - [83, 83, 583, 250][slot])).toBeLessThan(4));
  });
});

describe('C3', () => {
  it('tries whom it does not know, then ranks by expected wait', () => {
    const stage = Stage.of(3).bind(c3.make({}, { rng: testRng(1) }));
    stage.balancer.onEnd!(0, 0, 20, outcomes.ok);
    stage.balancer.onEnd!(1, 0, 30, outcomes.ok);
    expect(stage.pick()).toBe(2);
    stage.balancer.onEnd!(2, 0, 25, outcomes.ok);
    expect(stage.pick()).toBe(0);
  });

  it('shies away from long queues by the cube', () => {
    const stage = Stage.of(2).bind(c3.make({}, { rng: unusedRng }));
    for (const slot of [0, 1]) stage.balancer.onEnd!(slot, 0, 20, outcomes.ok);
    stage.balancer.onReport!(0, 0, report({ latencyMs: 4, queueLength: 1 }));
    stage.balancer.onReport!(1, 0, report({ latencyMs: 20, queueLength: 0 }));
    // 20 − 4 + 8 · 4 = 48 against 20.
    expect(stage.pick()).toBe(1);
    stage.balancer.onReport!(0, 0, report({ latencyMs: 0.1, queueLength: 1 }));
    // Averages move by 0.9: S = 0.49, so 20 − 0.49 + 8 · 0.49 = 23.4; one more in flight at the other makes 8 · 20.
    stage.setActive([0, 1]);
    expect(stage.pick()).toBe(0);
  });

  it('is not drawn to an endpoint that fails fast', () => {
    const stage = Stage.of(2).bind(c3.make({}, { rng: unusedRng }));
    stage.balancer.onEnd!(0, 0, 50, outcomes.ok);
    stage.balancer.onEnd!(1, 0, 20, outcomes.ok);
    for (let i = 0; i < 50; i++) stage.balancer.onEnd!(0, i, 1, outcomes.error);
    expect(stage.pick()).toBe(1);
  });

  it('passes over an endpoint above its rate, if rates are controlled', () => {
    const stage = Stage.of(2).bind(c3.make({ rateControl: true }, { rng: unusedRng }));
    stage.balancer.onEnd!(0, 0, 10, outcomes.ok);
    stage.balancer.onEnd!(1, 0, 50, outcomes.ok);
    const picks = Array.from({ length: 12 }, () => {
      const slot = stage.pick();
      stage.balancer.onStart!(slot, 0);
      return slot;
    });
    // Ten tokens to begin with.
    expect(letters(picks)).toBe('a a a a a a a a a a b b');
  });
});

describe('Prequal', () => {
  const probe = (stage: Stage, slot: number, inFlight: number, latencyMs: number, nowMs = 0): void =>
    stage.balancer.onReport!(slot, nowMs, report({ isProbe: true, inFlight, latencyMs }));
  const make = (params: object = {}): Stage => Stage.of(4).bind(prequal.make({ removeRate: 0, ...params }, { rng: testRng(9) }));

  it('picks the quickest of those that are not hot', () => {
    const stage = make({ qRif: 0.5 });
    probe(stage, 0, 9, 1);
    probe(stage, 1, 2, 30);
    probe(stage, 2, 1, 50);
    // The median of 1, 2, 9 is 2: endpoint 0 is hot though quickest.
    expect(stage.pick()).toBe(1);
  });

  it('goes by load alone at a quantile of 0 and by latency alone at 1', () => {
    const pick = (qRif: number): number => {
      const stage = make({ qRif });
      probe(stage, 0, 5, 10);
      probe(stage, 1, 3, 80);
      probe(stage, 2, 4, 20);
      return stage.pick();
    };
    expect(pick(0)).toBe(1);
    expect(pick(1)).toBe(0);
  });

  it('picks at random with fewer than two answers, and when they are too old', () => {
    const stage = make({ maxAge: 1000 });
    probe(stage, 3, 0, 1);
    expect(new Set(stage.picks(200)).size).toBe(4);
    probe(stage, 2, 0, 1);
    stage.context.nowMs = 1001;
    expect(new Set(stage.picks(200)).size).toBe(4);
  });

  it('spreads picks by counting each against the answer it used', () => {
    const stage = make({ qRif: 0, poolSize: 16 });
    for (const slot of [0, 1, 2, 3]) probe(stage, slot, 1, 10);
    expect(counts(stage.picks(8), 4)).toEqual([2, 2, 2, 2]);
  });

  it('asks to probe distinct members, fractions of a probe spread over picks', () => {
    const stage = make({ probeRate: 1.5 });
    const out = new Int32Array(8);
    const asked = Array.from({ length: 4 }, () => {
      stage.pick();
      const count = stage.balancer.probes!(out, 0);
      expect(new Set(out.subarray(0, count)).size).toBe(count);
      return count;
    });
    expect(asked).toEqual([1, 2, 1, 2]);
  });

  it('removes answers as it goes, the oldest and the worst in turn', () => {
    const stage = make({ removeRate: 1, qRif: 1 });
    probe(stage, 0, 1, 10, 0);
    probe(stage, 1, 1, 20, 10);
    probe(stage, 2, 1, 30, 20);
    stage.context.nowMs = 40;
    // Endpoint 0 is used and goes as the oldest; 1 is used, is hot by that, and goes as the worst; one answer is too few.
    expect(letters(stage.picks(2))).toBe('a b');
    expect(new Set(stage.picks(200)).size).toBe(4);
  });

  it('has a reuse budget without a bound where removals keep up with probes', () => {
    expect(reuseBudget(16, 32, 3, 1, 1)).toBeCloseTo(4, 12);
    expect(reuseBudget(16, 12, 3, 1, 1)).toBe(Infinity);
  });
});

describe('a sorted window', () => {
  it('has the quantiles of its latest samples', () => {
    const window = new SortedWindow(4);
    for (const sample of [9, 1, 5, 3]) window.add(sample);
    expect([0, 0.4, 0.99, 1].map((q) => window.quantile(q))).toEqual([1, 3, 5, 9]);
    window.add(7);
    expect([0, 0.4, 0.99, 1].map((q) => window.quantile(q))).toEqual([1, 3, 5, 7]);
  });
});
