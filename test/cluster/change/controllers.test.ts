/** Controllers that compete: one speaks, another takes over, and what comes too late does harm only where tokens are not checked. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChangeSubject } from '../../../src/cluster/change/change-subject.ts';
import { Controllers } from '../../../src/cluster/change/controllers.ts';
import { StoreLink } from '../../../src/cluster/change/store-link.ts';
import { leaseElection, sessionLock } from '../../../src/policies/rollout/elections/index.ts';
import type { RolloutRequest } from '../../../src/policies/rollout/rollout-controller.ts';
import { etcdStore } from '../../../src/policies/rollout/store/index.ts';
import {
  type Rollout,
  type RolloutAction,
  type RolloutObservation,
  stagedWaves,
} from '../../../src/policies/rollout/strategies/index.ts';
import { Bench } from './harness.ts';

const HOSTS = 10;
const TTL_MS = 10_000;

/** Ten hosts that are what they were last told, and what was done to them. */
class FleetSubject implements ChangeSubject {
  readonly service: number;
  readonly kind = 'config';
  wanted: RolloutRequest | undefined;
  versions = Array.from({ length: HOSTS }, () => 'v1');
  readonly log: string[] = [];
  readonly phases: string[] = [];
  looks = 0;
  onChange: () => void = () => undefined;
  private readonly bench: Bench;

  constructor(bench: Bench, service = 0) {
    this.bench = bench;
    this.service = service;
  }

  request(): RolloutRequest | undefined {
    return this.wanted;
  }

  observe(): RolloutObservation {
    this.looks++;
    return {
      ...{ nowMs: this.bench.nowMs, desired: 0, groups: [], weights: undefined, mirror: undefined },
      hosts: this.versions.map((version, at) => ({ host: `h${at}`, domain: 'd', version, told: version, isHealthy: true })),
      metric: () => undefined,
    };
  }

  carryOut(action: RolloutAction): void {
    if (action.kind === 'phase') this.phases.push(`${action.phase} ${action.reason}`);
    if (action.kind !== 'push') return;
    this.log.push(`${action.version} to ${action.hosts.length} at ${this.bench.nowMs}`);
    for (const host of action.hosts) this.versions[Number(host.slice(1))] = action.version;
    this.onChange();
  }

  count(version: string): number {
    return this.versions.filter((each) => each === version).length;
  }
}

/** 2 hosts, then 6, then all, each looked at for 20 seconds. */
const inWaves = (): Rollout =>
  stagedWaves.make(
    {
      stages: [
        { count: 2, soak: 20_000 },
        { count: 6, soak: 20_000 },
        { count: 10, soak: 20_000 },
      ],
      oneDomainAtATime: false,
    },
    { unit: 'hosts' },
  );

interface Settings {
  readonly controllers?: number;
  readonly isFenced?: boolean;
  readonly election?: 'session-lock' | 'lease-election';
  readonly seed?: string;
  readonly makeRollout?: () => Rollout;
  readonly maxLatencyMs?: number;
  readonly services?: number;
  /** Whether controllers hear of what was carried out. */
  readonly isHeard?: boolean;
}

class ControllersBench extends Bench {
  readonly link: StoreLink;
  readonly subjects: readonly FleetSubject[];
  readonly controllers: Controllers;

  constructor(settings: Settings = {}) {
    super(settings.seed);
    const { controllers = 3, isFenced = true, election = 'session-lock', makeRollout = inWaves, services = 1 } = settings;
    const { maxLatencyMs = 40 } = settings;
    this.subjects = Array.from({ length: services }, (_, service) => new FleetSubject(this, service));
    this.link = new StoreLink({
      ...{ errands: this.errands, streams: this.streams, latency: { type: 'uniform', min: 0, max: maxLatencyMs } },
      makeStore: (deps) => etcdStore.make({}, deps),
    });
    this.controllers = new Controllers({
      ...{ errands: this.errands, streams: this.streams, link: this.link, subjects: this.subjects, makeRollout },
      delivery: { controllers, isFenced },
      makeElector: (deps) =>
        election === 'session-lock' ? sessionLock.make({ ttl: TTL_MS, retryPeriod: 1000 }, deps) : leaseElection.make({}, deps),
    });
    for (const subject of this.subjects)
      if (settings.isHeard !== false) subject.onChange = () => this.controllers.changed(subject);
    this.controllers.start();
  }

  get subject(): FleetSubject {
    return this.subjects[0];
  }

  want(from: string, to: string): void {
    for (const subject of this.subjects) {
      subject.wanted = { from, to };
      this.controllers.changed(subject);
    }
  }

  /** Pauses whoever leads, and says who. */
  pauseLeader(forMs: number): number {
    const paused = this.controllers.pause('leader');
    if (forMs < Infinity) this.errands.later(forMs, () => this.controllers.resume(paused));
    return paused;
  }

  outage(forMs: number): void {
    this.link.setReachable(false);
    this.errands.later(forMs, () => this.link.setReachable(true));
  }
}

/** Speaks at every step. Each object is the roll-out of one leadership, made in order of their tokens: its actions tell whose they are. */
const chatter = (): (() => Rollout) => {
  let made = 0;
  return () => {
    const number = made++;
    let nowMs = 0;
    return {
      ...{ phase: 'progressing', reason: '', minReadyMs: 0, snapshot: () => number },
      ...{ start: () => undefined, command: () => undefined, restore: () => undefined },
      nextTimerMs: () => nowMs + 1000,
      step: (observation: RolloutObservation) => {
        nowMs = observation.nowMs;
        return [{ kind: 'push', version: `v${number}`, hosts: ['h0'] }];
      },
    };
  };
};

const names = (bench: ControllersBench): readonly string[] => bench.controllers.spans.map(({ controller }) => controller);

describe('controllers of roll-outs', () => {
  it('roll out what is asked for, alone, and tell each phase once', () => {
    const bench = new ControllersBench({ controllers: 1 });
    bench.at(30_000, () => bench.want('v1', 'v2'));
    bench.run(200_000);
    expect(bench.subject.count('v2')).toBe(HOSTS);
    expect(bench.subject.log.map((line) => line.replace(/ at .*/, ''))).toEqual(['v2 to 2', 'v2 to 4', 'v2 to 4']);
    expect(new Set(bench.subject.phases).size).toBe(bench.subject.phases.length);
    expect(bench.subject.phases.at(-1)).toMatch(/^succeeded/);
    expect(bench.controllers.spans).toEqual([]);
  });

  it.each(['session-lock', 'lease-election'] as const)('leave it to one of them, with %s', (election) => {
    const bench = new ControllersBench({ election });
    bench.at(30_000, () => bench.want('v1', 'v2'));
    bench.run(200_000);
    expect(bench.subject.log.map((line) => line.replace(/ at .*/, ''))).toEqual(['v2 to 2', 'v2 to 4', 'v2 to 4']);
    expect(names(bench)).toHaveLength(1);
    expect(bench.controllers.changesOfLeader).toBe(0);
    expect(bench.controllers.splitMs).toBe(0);
  });

  it.each(['session-lock', 'lease-election'] as const)('come to an end where messages take no time, with %s', (election) => {
    const bench = new ControllersBench({ election, maxLatencyMs: 0 });
    bench.at(30_000, () => bench.want('v1', 'v2'));
    bench.at(60_000, () => bench.pauseLeader(60_000));
    bench.run(200_000);
    expect(bench.subject.count('v2')).toBe(HOSTS);
    expect(bench.engine.events).toBeLessThan(5000);
  });

  it('lead everything that is rolled out together', () => {
    const bench = new ControllersBench({ services: 3 });
    bench.at(30_000, () => bench.want('v1', 'v2'));
    bench.run(200_000);
    expect(bench.subjects.map((subject) => subject.count('v2'))).toEqual([HOSTS, HOSTS, HOSTS]);
    expect(names(bench)).toHaveLength(1);
  });

  it('look once, however much changes at one moment, and never within the change', () => {
    const bench = new ControllersBench({ controllers: 1 });
    bench.at(30_000, () => bench.want('v1', 'v2'));
    bench.run(31_000);
    const { looks } = bench.subject;
    for (let times = 0; times < 5; times++) bench.controllers.changed(bench.subject);
    expect(bench.subject.looks).toBe(looks);
    bench.run(31_001);
    expect(bench.subject.looks).toBe(looks + 1);
  });
});

describe('decisions of one controller', () => {
  it('do not overtake each other, so that each takes effect', () => {
    const bench = new ControllersBench({ controllers: 1, isHeard: false, makeRollout: chatter(), maxLatencyMs: 3000 });
    bench.want('v1', 'v2');
    bench.run(100_000);
    // One per second, of which the last three may be under way.
    expect(bench.subject.log.length).toBeGreaterThanOrEqual(97);
    expect(bench.subject.log.length).toBeLessThanOrEqual(101);
  });
});

describe('an outage of the store', () => {
  const run = (outageAtMs: number, forMs: number): ControllersBench => {
    const bench = new ControllersBench({ controllers: 1 });
    bench.at(30_000, () => bench.want('v1', 'v2'));
    if (forMs > 0) bench.at(outageAtMs, () => bench.outage(forMs));
    bench.run(400_000);
    return bench;
  };
  const calm = run(0, 0).subject;

  it('lets nothing arrive that is decided in it, and all is made up for afterwards', () => {
    const { subject } = run(20_000, 60_000);
    for (const line of subject.log) expect(Number(line.split(' ').at(-1))).toBeGreaterThanOrEqual(80_000);
    expect(subject.count('v2')).toBe(HOSTS);
    expect(subject.phases).toEqual(calm.phases);
  });

  it('loses no phase and repeats none, wherever it falls', () => {
    for (let atMs = 29_990; atMs < 120_000; atMs += 1777) {
      const { subject } = run(atMs, 12_000);
      expect(subject.count('v2')).toBe(HOSTS);
      expect(subject.phases).toEqual(calm.phases);
    }
  });

  it('ends the leadership of all, and one leads afterwards', () => {
    const bench = new ControllersBench();
    bench.at(30_000, () => bench.outage(120_000));
    bench.run(149_000);
    expect(bench.controllers.pause('leader')).toBe(-1);
    bench.run(200_000);
    expect(bench.controllers.spans).toHaveLength(2);
    expect(bench.controllers.spans[0].toMs).toBeLessThan(30_000 + TTL_MS + 1000);
    expect(bench.controllers.splitMs).toBe(0);
  });
});

describe('a leader that stands still', () => {
  it('is followed after its lease, and the roll-out goes on where it was', () => {
    const bench = new ControllersBench();
    bench.at(30_000, () => bench.want('v1', 'v2'));
    bench.at(60_000, () => bench.pauseLeader(Infinity));
    bench.run(200_000);
    const [first, second] = bench.controllers.spans;
    expect(second.controller).not.toBe(first.controller);
    expect(second.token).toBeGreaterThan(first.token);
    // The lease was last kept alive a third of its length before, and asking takes a second or two.
    expect(second.fromMs - 60_000).toBeGreaterThan((TTL_MS * 2) / 3 - 500);
    expect(second.fromMs - 60_000).toBeLessThan(TTL_MS + 3000);
    expect(bench.controllers.changesOfLeader).toBe(1);
    expect(bench.subject.log.map((line) => line.replace(/ at .*/, ''))).toEqual(['v2 to 2', 'v2 to 4', 'v2 to 4']);
    expect(bench.subject.phases.at(-1)).toMatch(/^succeeded/);
  });

  it('believes to lead until it has looked: so long there are two', () => {
    const bench = new ControllersBench();
    bench.at(60_000, () => bench.pauseLeader(60_000));
    bench.run(119_000);
    const sinceMs = bench.controllers.spans[1].fromMs;
    expect(bench.controllers.splitMs).toBe(119_000 - sinceMs);
    bench.run(200_000);
    expect(bench.controllers.splitMs).toBe(120_000 - sinceMs);
    expect(bench.controllers.spans[0].toMs).toBe(120_000);
  });

  it('goes on as if nothing had been, after a pause shorter than its lease', () => {
    const bench = new ControllersBench();
    bench.at(30_000, () => bench.want('v1', 'v2'));
    bench.at(45_000, () => bench.pauseLeader(3000));
    bench.run(200_000);
    expect(bench.controllers.spans).toHaveLength(1);
    expect(bench.controllers.fenced).toBe(0);
    expect(bench.subject.count('v2')).toBe(HOSTS);
  });

  it('stands still until each of several pauses is over', () => {
    const bench = new ControllersBench({ controllers: 1 });
    bench.controllers.pause(0);
    bench.controllers.pause(0);
    bench.at(1000, () => bench.want('v1', 'v2'));
    bench.at(2000, () => bench.controllers.resume(0));
    bench.run(10_000);
    expect(bench.subject.log).toEqual([]);
    bench.controllers.resume(0);
    bench.run(11_000);
    expect(bench.subject.count('v2')).toBe(2);
  });

  it('does not read what comes in: nobody becomes leader meanwhile', () => {
    const bench = new ControllersBench({ controllers: 2, maxLatencyMs: 3000 });
    bench.at(1, () => [0, 1].forEach((controller) => bench.controllers.pause(controller)));
    bench.run(60_000);
    expect(bench.controllers.spans).toEqual([]);
    for (const controller of [0, 1]) bench.controllers.resume(controller);
    bench.run(120_000);
    expect(bench.controllers.spans).not.toEqual([]);
  });

  /** The first leader is paused at the moment in which it decides to go on to six hosts; meanwhile everything is taken back. */
  const comesBack = (isFenced: boolean): ControllersBench => {
    const bench = new ControllersBench({ isFenced });
    bench.at(30_000, () => bench.want('v1', 'v2'));
    bench.run(31_000);
    const reachedMs = Number(bench.subject.log[0].split(' ').at(-1));
    // The first whole millisecond after the soak.
    const stageOverMs = Math.floor(reachedMs + 20_000) + 1;
    bench.at(stageOverMs, () => bench.pauseLeader(100_000));
    bench.at(stageOverMs + 1000, () => bench.want('v2', 'v1'));
    bench.run(stageOverMs + 100_000);
    expect(bench.subject.count('v1')).toBe(HOSTS);
    bench.run(stageOverMs + 100_100);
    return bench;
  };

  it('undoes with what it decided before the pause what another did since, if nobody checks tokens', () => {
    const bench = comesBack(false);
    expect(bench.controllers.stale).toBeGreaterThan(0);
    expect(bench.subject.log.some((line) => /^v2 to 4 at 15\d{4}/.test(line))).toBe(true);
  });

  it('does no harm if tokens are checked', () => {
    const bench = comesBack(true);
    expect(bench.controllers.stale).toBe(0);
    expect(bench.controllers.fenced).toBeGreaterThan(0);
    expect(bench.subject.count('v1')).toBe(HOSTS);
  });
});

interface Trouble {
  readonly afterMs: number;
  readonly forMs: number;
  readonly kind: 'leader' | 'store' | number;
}

const troubles = fc.array(
  fc.record({
    afterMs: fc.nat(30_000),
    forMs: fc.integer({ min: 1, max: 60_000 }),
    kind: fc.constantFrom<Trouble['kind']>('leader', 'leader', 'store', 0, 1, 2),
  }),
  { minLength: 1, maxLength: 8 },
);

/** Returns when the last one is over. */
function inflict(bench: ControllersBench, list: readonly Trouble[]): number {
  let [atMs, calmMs] = [20_000, 0];
  for (const { afterMs, forMs, kind } of list) {
    atMs += afterMs;
    calmMs = Math.max(calmMs, atMs + forMs);
    bench.at(atMs, () => {
      if (kind === 'store') bench.outage(forMs);
      else {
        const paused = bench.controllers.pause(kind);
        bench.errands.later(forMs, () => bench.controllers.resume(paused));
      }
    });
  }
  return calmMs;
}

/** Whose actions took effect, in order. */
const speakers = (bench: ControllersBench): readonly number[] =>
  bench.subject.log.map((line) => Number(/^v(\d+)/.exec(line)![1]));
const isInOrder = (numbers: readonly number[]): boolean => numbers.every((number, at) => at === 0 || number >= numbers[at - 1]);

describe('whatever pauses and outages there are', () => {
  const election = fc.constantFrom('session-lock' as const, 'lease-election' as const);

  it('no decision of a leader takes effect after one of a later leader, with fencing', () => {
    let fenced = 0;
    let leaders = 0;
    fc.assert(
      fc.property(troubles, election, fc.nat(1e6), fc.constantFrom(10, 3000), (list, elected, seed, maxLatencyMs) => {
        const bench = new ControllersBench({
          election: elected,
          isHeard: false,
          makeRollout: chatter(),
          seed: `${seed}`,
          maxLatencyMs,
        });
        bench.want('v1', 'v2');
        bench.run(inflict(bench, list) + 60_000);
        fenced += bench.controllers.fenced;
        leaders += bench.controllers.changesOfLeader;
        expect(isInOrder(speakers(bench))).toBe(true);
        expect(bench.controllers.stale).toBe(0);
      }),
      { numRuns: 200, seed: 7 },
    );
    // Else nothing was put to the test.
    expect(fenced).toBeGreaterThan(50);
    expect(leaders).toBeGreaterThan(100);
  });

  it('some decision does, without', () => {
    const bench = new ControllersBench({ isFenced: false, isHeard: false, makeRollout: chatter() });
    bench.want('v1', 'v2');
    bench.at(30_000, () => bench.pauseLeader(30_000));
    bench.run(100_000);
    expect(isInOrder(speakers(bench))).toBe(false);
    // What it had decided before, and what it decides once more before it finds that its lease is over.
    expect(bench.controllers.stale).toBe(2);
  });

  it('the roll-out is done when they are over, fenced or not', () => {
    fc.assert(
      fc.property(troubles, election, fc.nat(1e6), fc.boolean(), (list, elected, seed, isFenced) => {
        const bench = new ControllersBench({ election: elected, isFenced, seed: `${seed}` });
        bench.at(25_000, () => bench.want('v1', 'v2'));
        // A takeover of at most 40 seconds, then three stages of 20.
        bench.run(inflict(bench, list) + 120_000);
        expect(bench.subject.count('v2')).toBe(HOSTS);
        // Without fencing the last word may be that of a leader that was followed.
        if (isFenced) expect(bench.subject.phases.at(-1)).toMatch(/^succeeded/);
      }),
      { numRuns: 60, seed: 11 },
    );
  });

  it('the same seed gives the same history', () => {
    const history = (): unknown => {
      const bench = new ControllersBench({ isHeard: false, makeRollout: chatter(), isFenced: false });
      bench.want('v1', 'v2');
      for (const atMs of [30_000, 90_000, 95_000]) bench.at(atMs, () => bench.pauseLeader(25_000));
      bench.at(150_000, () => bench.outage(30_000));
      bench.run(300_000);
      return [bench.subject.log, bench.controllers.spans, bench.controllers.splitMs, bench.controllers.stale];
    };
    expect(history()).toEqual(history());
  });
});
