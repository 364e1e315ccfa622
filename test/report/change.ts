/** Invented roll-outs on top of the first experiment: a bad release and then a good one under three strategies; a configuration pushed to a
 *  fleet by controllers of which two believed to lead. Numbers hang together: hosts, shares and counts follow from one course. */
import type { RunFile, SeedRollout, VariantChange, VariantResult, VariantTraffic } from '../../src/lab/types.ts';
import { changesKept, type HostVersion, type PhaseChange, type RolloutKind, type VersionTotals } from '../../src/stats/result.ts';
import { fixture } from './fixture.ts';

const windows = 120;
const perSecond = 1000;
const seeds = 3;

/** How far each version is, 0 to 1, by second; what is left has the first one. */
type Course = (second: number) => Readonly<Record<string, number>>;

interface Size {
  readonly length: number;
  readonly windowMs: number;
}

interface Story {
  readonly service: string;
  readonly kind: RolloutKind;
  readonly versions: readonly string[];
  /** Share of requests that fail, and latencies, of each version. */
  readonly failing: readonly number[];
  readonly p99: readonly number[];
  readonly traffic: Course;
  readonly hosts: Course;
  readonly hostNames: readonly string[];
  readonly rollouts: readonly (Pick<SeedRollout, 'from' | 'to' | 'isBad' | 'outcome'> & {
    readonly started: number;
    readonly decided: number;
    readonly ended: number;
  })[];
  readonly phases: readonly (readonly [second: number, phase: string, reason: string])[];
}

const instances = (count: number): string[] => Array.from({ length: count }, (_, index) => `api/${index}`);
const ramp = (second: number, from: number, to: number): number => Math.min(1, Math.max(0, (second - from) / (to - from)));

const release = { service: 'api', kind: 'release', versions: ['v1', 'v2', 'v3'] } as const;
const behaviour = { failing: [0.001, 0.2, 0.001], p99: [60, 240, 55] };

const atOnce: Story = {
  ...{ ...release, ...behaviour, hostNames: instances(10) },
  traffic: (second) => (second < 30 ? {} : second < 80 ? { v2: 1 } : { v3: 1 }),
  hosts: (second) => (second < 28 ? {} : second < 78 ? { v2: 1 } : { v3: 1 }),
  rollouts: [
    { from: 'v1', to: 'v2', isBad: true, outcome: 'succeeded', started: 26, decided: 30, ended: 31 },
    { from: 'v2', to: 'v3', isBad: false, outcome: 'succeeded', started: 76, decided: 80, ended: 81 },
  ],
  phases: [
    [26, 'progressing', 'Replacing'],
    [30, 'succeeded', 'Replaced'],
    [76, 'progressing', 'Replacing'],
    [80, 'succeeded', 'Replaced'],
  ],
};

const canary: Story = {
  ...{ ...release, ...behaviour, hostNames: instances(11) },
  traffic: (second) => {
    if (second < 32 || (second >= 46 && second < 80)) return {};
    if (second < 46) return { v2: 0.05 };
    return { v3: second < 90 ? 0.05 : second < 100 ? 0.25 : second < 108 ? 0.5 : 1 };
  },
  hosts: (second) => {
    if (second < 28 || (second >= 50 && second < 76)) return {};
    if (second < 50) return { v2: 0.1 };
    return { v3: second < 90 ? 0.1 : second < 100 ? 0.3 : second < 108 ? 0.5 : 1 };
  },
  rollouts: [
    { from: 'v1', to: 'v2', isBad: true, outcome: 'aborted', started: 26, decided: 46, ended: 50 },
    { from: 'v1', to: 'v3', isBad: false, outcome: 'succeeded', started: 76, decided: 108, ended: 110 },
  ],
  phases: [
    [26, 'progressing', 'RolloutProgressing'],
    [32, 'paused', 'CanaryPauseStep'],
    [46, 'aborted', 'RolloutAborted'],
    [76, 'progressing', 'RolloutProgressing'],
    [80, 'paused', 'CanaryPauseStep'],
    [90, 'progressing', 'RolloutProgressing'],
    [91, 'paused', 'CanaryPauseStep'],
    [108, 'succeeded', 'RolloutCompleted'],
  ],
};

const rolling: Story = {
  ...{ ...release, ...behaviour, hostNames: instances(12) },
  traffic: (second) =>
    second < 76 ? { v2: ramp(second, 30, 60) } : { v3: ramp(second, 80, 110), v2: 1 - ramp(second, 80, 110) },
  hosts: (second) => (second < 76 ? { v2: ramp(second, 28, 60) } : { v3: ramp(second, 78, 110), v2: 1 - ramp(second, 78, 110) }),
  rollouts: [
    { from: 'v1', to: 'v2', isBad: true, outcome: 'succeeded', started: 26, decided: 60, ended: 61 },
    { from: 'v2', to: 'v3', isBad: false, outcome: 'progressing', started: 76, decided: NaN, ended: NaN },
  ],
  phases: [
    [26, 'progressing', 'ReplicaSetUpdated'],
    [60, 'succeeded', 'NewReplicaSetAvailable'],
    [76, 'progressing', 'ReplicaSetUpdated'],
  ],
};

/** In waves, halted at the second one; half a second late at every second client. */
const waves = (hosts: number): Story => ({
  ...{ service: 'api', kind: 'config', versions: ['retry-2', 'retry-5'], failing: [0.002, 0.03], p99: [60, 61] },
  hostNames: Array.from({ length: hosts }, (_, index) => `api#${index}`),
  traffic: (second) => ({ 'retry-5': second < 40 ? 0 : second < 60 ? 0.1 : 0.35 }),
  hosts: (second) => ({ 'retry-5': second < 40 ? 0 : second < 60 ? 0.1 : Math.min(0.35, 0.1 + (second - 59) * 0.05) }),
  rollouts: [{ from: 'retry-2', to: 'retry-5', isBad: true, outcome: 'halted', started: 38, decided: 75, ended: NaN }],
  phases: [
    [38, 'progressing', 'Stage 1'],
    [58, 'progressing', 'Stage 2'],
    [75, 'halted', 'error-rate'],
  ],
});

/** Ten seeds of nothing but one strategy are three here; the third seed of the canary decides otherwise. */
export function rollouts(): RunFile {
  const base = fixture({ variants: 3, seeds, windows, labels: ['all-at-once', 'argo-canary', 'rolling-update'] });
  const stories = [atOnce, canary, rolling];
  const variants = base.variants.map((variant, index) => rolledOut(variant, [stories[index]!]));
  const [first, second, third] = variants as [VariantResult, VariantResult, VariantResult];
  const otherwise = second.change!.rollouts.map((each) =>
    each.seed === 2 && each.to === 'v2' ? { ...each, outcome: 'succeeded', exposed: 40_000, failed: 8000 } : each,
  );
  return {
    ...base,
    faults: [],
    variants: [first, { ...second, change: { ...second.change!, rollouts: otherwise } }, third],
  };
}

/** A variant without any change, and one with a fleet of clients whose configuration is changed while controllers disagree. */
export function configured(hosts = 40): RunFile {
  const base = fixture({ variants: 2, seeds, windows, labels: ['as it was', 'waves'] });
  const [still, changed] = base.variants as [VariantResult, VariantResult];
  const { change, ...rest } = rolledOut(changed, [waves(hosts), atOnce]);
  return {
    ...base,
    faults: [{ label: 'config-store-partition', fromMs: 45_000, toMs: 55_000 }],
    variants: [
      still,
      {
        ...rest,
        ...measured(rest, {
          ...{ 'rollout.leaders': 2, 'rollout.split': 4000, 'rollout.stale': 1, 'rollout.fenced': 3 },
          ...{ 'config.lag': 800, 'config.lagMax': 12_000, 'config.skew': 0.3, 'config.refused': 0 },
        }),
        change: {
          ...change!,
          leaders: [
            { controller: 'controller-0', fromMs: 0, toMs: 54_000, token: 1 },
            { controller: 'controller-1', fromMs: 50_000, toMs: 90_000, token: 2 },
            { controller: 'controller-0', fromMs: 91_000, toMs: Infinity, token: 3 },
          ],
        },
      },
    ],
  };
}

const estimateOf = (value: number) =>
  Number.isNaN(value)
    ? { mean: NaN, low: NaN, high: NaN, sd: NaN, n: 0 }
    : { mean: value, low: value * 0.9, high: value * 1.1, sd: value * 0.04, n: seeds };

function measured(variant: Pick<VariantResult, 'metrics' | 'estimates'>, values: Readonly<Record<string, number>>) {
  const entries = Object.entries(values);
  return {
    metrics: {
      ...variant.metrics,
      ...Object.fromEntries(entries.map(([name, value]) => [name, Array.from({ length: seeds }, () => value)])),
    },
    estimates: { ...variant.estimates, ...Object.fromEntries(entries.map(([name, value]) => [name, estimateOf(value)])) },
  };
}

function rolledOut(
  variant: VariantResult,
  stories: readonly Story[],
  size: Size = { length: windows, windowMs: 1000 },
): VariantResult {
  const change = changeOf(stories, size);
  const sum = (pick: (rollout: SeedRollout) => number): number =>
    change.rollouts.reduce((total, rollout) => total + pick(rollout), 0) / seeds;
  const bad = change.rollouts.filter(({ isBad }) => isBad);
  const givenUp = bad.filter(({ outcome }) => outcome === 'aborted' || outcome === 'halted');
  return {
    ...variant,
    ...measured(variant, {
      ...{ 'rollout.exposure': sum(({ exposed }) => exposed) / sum(({ offered }) => offered) },
      ...{ 'rollout.failed': sum(({ failed }) => failed), 'rollout.slow': sum(({ slow }) => slow) },
      ...{ 'rollout.userMinutes': sum(({ userMinutes }) => userMinutes) },
      'rollout.allFailed': sum(({ failed }) => failed) * 1.1,
      'rollout.detect': givenUp.length === 0 ? NaN : givenUp[0]!.decidedMs - givenUp[0]!.exposedMs,
      'rollout.rollback': givenUp.length === 0 ? NaN : givenUp[0]!.endedMs - givenUp[0]!.decidedMs,
      'rollout.finish': 24_000,
      'rollout.aborted': givenUp.length / change.rollouts.length,
      'rollout.wrong': 0,
      'rollout.missed': bad.length === 0 ? NaN : 1 - givenUp.length / bad.length,
    }),
    change,
  };
}

function changeOf(stories: readonly Story[], size: Size): VariantChange {
  const { windowMs } = size;
  return {
    rollouts: Array.from({ length: seeds }, (_, seed) => stories.flatMap((story) => rolloutsOf(story, seed, size))).flatMap(
      (all) => all.map((rollout, order) => ({ ...rollout, order })),
    ),
    traffic: stories.map((story) => trafficOf(story, size)),
    phases: stories
      .flatMap(({ service, kind, phases }) =>
        phases.map(([second, phase, reason]): PhaseChange => ({ atMs: second * windowMs, service, kind, phase, reason })),
      )
      .toSorted((a, b) => a.atMs - b.atMs),
    hosts: stories.flatMap((story) => hostsOf(story, size)).toSorted((a, b) => a.atMs - b.atMs),
    leaders: [],
  };
}

const shareOf = (course: Course, second: number, versions: readonly string[], at: number): number => {
  const shares = course(second);
  const others = versions.slice(1).reduce((sum, version) => sum + (shares[version] ?? 0), 0);
  return at === 0 ? 1 - others : (shares[versions[at]!] ?? 0);
};

function rolloutsOf(
  { service, kind, versions, failing, traffic, rollouts: planned }: Story,
  seed: number,
  { length, windowMs }: Size,
): SeedRollout[] {
  return planned.map(({ started, decided, ended, to, ...rest }, order) => {
    const end = Number.isNaN(ended) ? length : ended;
    const at = versions.indexOf(to);
    let exposed = 0;
    let first = NaN;
    for (let second = started; second < end; second++) {
      const share = shareOf(traffic, second, versions, at);
      exposed += perSecond * share;
      if (share > 0 && Number.isNaN(first)) first = second;
    }
    const failed = Math.round(exposed * failing[at]!) + seed;
    return {
      ...{ seed, order, service, kind, to, ...rest },
      ...{ startedMs: started * windowMs, exposedMs: first * windowMs, decidedMs: decided * windowMs, endedMs: ended * windowMs },
      ...{ offered: (end - started) * perSecond, exposed: Math.round(exposed), failed, slow: Math.round(failed / 2) },
      ...{ userMinutes: Math.round(failed / 3), slowMs: 120 },
    };
  });
}

function trafficOf(
  { service, kind, versions, failing, p99, traffic, hosts, hostNames }: Story,
  { length }: Size,
): VariantTraffic {
  const seconds = Array.from({ length }, (_, second) => second);
  const requests = versions.map((_, at) => seconds.map((second) => perSecond * shareOf(traffic, second, versions, at)));
  const isMixed = seconds.map((_, second) => requests.filter((row) => row[second]! > 0).length > 1);
  const totals = versions.map((_, at): VersionTotals => {
    const count = Math.round(requests[at]!.reduce((sum, each, second) => sum + (isMixed[second] ? each : 0), 0));
    return count === 0
      ? { requests: 0, failed: 0, p50: NaN, p99: NaN }
      : { requests: count, failed: Math.round(count * failing[at]!), p50: p99[at]! / 5, p99: p99[at]! };
  });
  const perSeed = totals.map((each) =>
    Array.from({ length: seeds }, (_, seed) => ({
      ...each,
      failed: each.requests === 0 ? 0 : Math.max(0, each.failed + (seed - 1) * 3),
      p99: each.p99 * (1 + 0.05 * (seed - 1)),
    })),
  );
  return {
    ...{ service, kind, versions, requests },
    failed: requests.map((row, at) => row.map((each) => each * failing[at]!)),
    hosts: versions.map((_, at) => seconds.map((second) => hostNames.length * shareOf(hosts, second, versions, at))),
    totals: totals.map((each, at) => ({
      ...each,
      requests: each.requests * seeds,
      failed: perSeed[at]!.reduce((sum, { failed }) => sum + failed, 0),
    })),
    perSeed,
  };
}

/** The first hosts have the newest version. */
function hostsOf({ kind, versions, hosts, hostNames }: Story, { length, windowMs }: Size): HostVersion[] {
  const has = (index: number, second: number): string => {
    let place = (index + 0.5) / hostNames.length;
    for (let at = versions.length - 1; at > 0; at--) {
      const share = shareOf(hosts, second, versions, at);
      if (place < share) return versions[at]!;
      place -= share;
    }
    return versions[0]!;
  };
  return hostNames.flatMap((host, index) => {
    const found: HostVersion[] = [];
    for (let second = 0; second < length; second++) {
      const version = has(index, second);
      const last = found.at(-1)?.version;
      if (last === version) continue;
      // A process is gone for two seconds before the next one is there.
      if (kind === 'release' && last !== undefined) found.push({ atMs: (second - 0.5) * windowMs, host, kind, version: '' });
      found.push({ atMs: (second + (kind === 'release' && last !== undefined ? 1.5 : 0)) * windowMs, host, kind, version });
    }
    return found;
  });
}

/** A week in which two services with long names come to nine versions each under ten variants, and lists that were cut off. */
export function crowded(): RunFile {
  const base = fixture({ variants: 10, seeds, windows: 600 });
  const versions = Array.from({ length: 9 }, (_, at) => `2026.11.${10 + at}-${'build'.repeat(at === 4 ? 12 : 1)}`);
  const story = (service: string, kind: RolloutKind): Story => ({
    ...{
      service,
      kind,
      versions,
      hostNames: Array.from({ length: 60 }, (_, index) => `${service}${kind === 'config' ? '#' : '/'}${index}`),
    },
    ...{ failing: versions.map((_, at) => (at % 3 === 2 ? 0.04 : 0)), p99: versions.map((_, at) => 40 + 10 * at) },
    traffic: (second) => coming(versions, second / 60),
    hosts: (second) => coming(versions, (second + 3) / 60),
    rollouts: versions.slice(1).map((to, at) => ({
      ...{ from: versions[at]!, to, isBad: at % 3 === 1, outcome: at % 3 === 1 ? 'superseded' : 'succeeded' },
      ...{ started: (at + 1) * 60 - 8, decided: (at + 1) * 60 + 30, ended: (at + 1) * 60 + 40 },
    })),
    phases: versions
      .slice(1)
      .flatMap((_, at) =>
        ['progressing', 'paused', 'promoting', 'rolling-back', 'stalled', 'succeeded'].map(
          (phase, step) => [(at + 1) * 60 - 8 + step * 2, phase, 'Some reason'] as const,
        ),
      ),
  });
  const stories = [story('checkout-service-with-a-long-name', 'release'), story('catalogue', 'config')];
  const variants = base.variants.map((variant) => {
    const changed = rolledOut({ ...variant, series: { ...variant.series, windowMs: 1_008_000 } }, stories, {
      length: 600,
      windowMs: 1_008_000,
    });
    return { ...changed, change: { ...changed.change!, hosts: changed.change!.hosts.slice(0, changesKept) } };
  });
  return { ...base, faults: [], scenario: { ...base.scenario, durationMs: 604_800_000, warmupMs: 0 }, variants };
}

/** Each version replaces the one before within half of its time. */
function coming(versions: readonly string[], turn: number): Readonly<Record<string, number>> {
  const at = Math.min(versions.length - 1, Math.floor(turn));
  const share = Math.min(1, 2 * (turn - at));
  if (at === 0) return {};
  return { [versions[at]!]: share, ...(at > 1 ? { [versions[at - 1]!]: 1 - share } : {}) };
}

/** One window, one seed, one variant: asked for, never met, never decided, and nothing known of hosts. */
export function bare(): RunFile {
  const base = fixture({ variants: 1, seeds: 1, windows: 2 });
  const [variant] = base.variants as [VariantResult];
  const none = { requests: 0, failed: 0, p50: NaN, p99: NaN };
  const what = { service: 'api', kind: 'release' } as const;
  return {
    ...base,
    faults: [],
    variants: [
      {
        ...variant,
        change: {
          rollouts: [
            {
              ...{ ...what, seed: 0, order: 0, from: 'v1', to: 'v2', isBad: false, outcome: 'idle', startedMs: 1000 },
              ...{ exposedMs: NaN, decidedMs: NaN, endedMs: NaN, slowMs: NaN },
              ...{ offered: 0, exposed: 0, failed: 0, slow: 0, userMinutes: 0 },
            },
          ],
          traffic: [
            {
              ...{ ...what, versions: ['v1', 'v2'], requests: [[7], [0]], failed: [[0], [0]], hosts: [[0], [0]] },
              ...{ totals: [none, none], perSeed: [[none], [none]] },
            },
          ],
          ...{ phases: [], hosts: [], leaders: [] },
        },
      },
    ],
  };
}
