/** Staged waves: a few first, then more, with time in between to see what happens; the way configuration is rolled out in large fleets.
 *
 *  Use it for what has many hosts and can be taken back: configuration, agents, kernels. It fails with mistakes that take longer to show than a
 *  soak, and with those that are the same everywhere and need no host at all: a value that is read by something central.
 *
 *  Each stage names how far it goes, as a share of all hosts or a number of them. A stage is over when all of its hosts use the new version and
 *  are healthy, the soak has passed, and the checks have passed. With `oneDomainAtATime` a stage goes through failure domains one after
 *  the other, each with a soak of its own, so that no two fail of the same change at once. When a check fails, too many hosts do badly, or
 *  a stage does not end, all go back (`rollback`), or everything stays as it is until somebody decides (`halt`). */
import { boolean, choice, duration, fraction, int, type ParamValues, records, string } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { parseCountOrPercent, roundedDown } from '../../shared/count-or-percent.ts';
import { Analysis, type AnalysisState } from '../analysis/analysis-run.ts';
import { metricFields } from '../analysis/metric-params.ts';
import { defineRollout, type HostStatus, type RolloutAction, type RolloutCommand, type RolloutObservation } from './rollout.ts';
import { BaseRollout, type BaseState, groupOf, idleState, justAfter, othersThan, scaleTo } from './parts/base-rollout.ts';
import { steppedCounts } from './parts/canary-replicas.ts';
import { fencepostsWithin } from './parts/fenceposts.ts';
import { readFrom } from './parts/group-metrics.ts';
import { minReady } from './parts/progress-watch.ts';
import { rollingStep, surgeParams } from './rolling-update.ts';

const params = {
  stages: records({
    fields: {
      fraction: fraction({ default: 0, about: 'How much of the whole has the new version when the stage is over.' }),
      count: int({ default: 0, min: 0, about: 'The same as a number; the larger of both counts.' }),
      soak: duration({ default: 300_000, min: 0, about: 'How long the stage is looked at after all of it has the new version.' }),
    },
    default: [{ fraction: 0.01, count: 1 }, { fraction: 0.1 }, { fraction: 0.5 }, { fraction: 1, soak: 600_000 }],
    atLeast: 1,
    about: 'How far each stage goes; after the last one, everything has the new version.',
    official: 'AWS AppConfig GrowthFactor, FinalBakeTimeInMinutes',
  }),
  oneDomainAtATime: boolean({
    default: true,
    about: 'Whether hosts of different failure domains are never changed at the same time.',
  }),
  onFailure: choice({ choices: ['rollback', 'halt'], default: 'rollback', about: 'What is done when a stage fails.' }),
  maxUnhealthy: string({
    default: '0',
    mayBeNumber: true,
    about:
      'How many hosts with the new version may do badly after a stage has reached them: a count or a percentage of those reached.',
  }),
  stageDeadline: duration({
    default: 1_800_000,
    min: 0,
    about: 'A stage that takes longer to reach its hosts has failed; 0: never.',
  }),
  metrics: records({ fields: metricFields, required: ['metric'], about: 'Checks of each stage, from its beginning.' }),
  ...surgeParams,
  minReadySeconds: minReady,
} as const;

export const stagedWaves = defineRollout({
  name: 'staged-waves',
  summary: 'A few hosts first, then more, one failure domain at a time, with soaks and checks in between.',
  useWhen: 'There are many hosts, and a mistake shows on a few of them before it would on all.',
  failsWhen: 'Mistakes take longer to show than a soak, or act through something that all hosts share.',
  cost: 'O(hosts log hosts) per change',
  sources: [
    'C. Tang et al., Holistic Configuration Management at Facebook (SOSP 2015)',
    'B. Beyer et al., The Site Reliability Workbook (2018), canarying releases',
    'AWS: AppConfig user guide, deployment strategies',
  ],
  aliases: [
    { system: 'AWS', name: 'AppConfig.Linear' },
    { system: 'Facebook', name: 'Configerator canary' },
  ],
  params,
  create: (values, deps) => new StagedWaves(values, deps.unit === 'hosts'),
});

interface State extends BaseState {
  readonly stage: number;
  /** The part of a stage that is being changed: domains one after the other. */
  readonly reachedMs: Ms | null;
  readonly stageSinceMs: Ms;
  readonly analysis: AnalysisState | null;
  readonly domain: string | null;
  readonly failure: string;
  readonly isInconclusive: boolean;
}

const START: Omit<State, keyof BaseState> = {
  stage: 0,
  reachedMs: null,
  stageSinceMs: 0,
  analysis: null,
  domain: null,
  failure: '',
  isInconclusive: false,
};

/** What a wave is to change, and whether it has. */
interface Wave {
  readonly actions: readonly RolloutAction[];
  readonly isReached: boolean;
  /** Some of the stage is left after this wave. */
  readonly hasMore: boolean;
  readonly unhealthy: number;
  readonly reached: number;
}

class StagedWaves extends BaseRollout<State> {
  readonly #params: ParamValues<typeof params>;
  readonly #isOnHosts: boolean;
  readonly #analysis: Analysis;

  constructor(values: ParamValues<typeof params>, isOnHosts: boolean) {
    super({ ...idleState, ...START }, values.minReadySeconds);
    this.#params = values;
    this.#isOnHosts = isOnHosts;
    this.#analysis = new Analysis(values.metrics);
    parseCountOrPercent(values.maxUnhealthy, 'maxUnhealthy');
  }

  protected begin(from: string | null, to: string, nowMs: Ms): void {
    // The first version of all has nothing to be compared with, and the one that serves has proved itself.
    const stage = from === null || from === to ? this.#params.stages.length : 0;
    this.set({ ...START, from, to, stage, stageSinceMs: nowMs, phase: 'progressing', reason: 'Stage 1' });
  }

  protected override timers(): readonly Ms[] {
    const { reachedMs, stage, stageSinceMs, analysis } = this.state;
    const { stages, stageDeadline } = this.#params;
    const soak = stages[stage]?.soak ?? 0;
    return [
      reachedMs === null ? Infinity : justAfter(reachedMs + soak),
      reachedMs === null && stageDeadline > 0 ? justAfter(stageSinceMs + stageDeadline) : Infinity,
      analysis === null ? Infinity : this.#analysis.nextTimerMs(analysis),
    ];
  }

  protected override onCommand(command: RolloutCommand, nowMs: Ms): void {
    const { phase, isInconclusive } = this.state;
    if (phase === 'succeeded' || phase === 'idle') return;
    if (command === 'abort' && this.state.from !== null) this.#fail('abort by user', 'rollback');
    if (command === 'retry' && (phase === 'halted' || phase === 'aborted' || phase === 'rolling-back'))
      this.set({ ...START, stageSinceMs: nowMs, phase: 'progressing', reason: 'Stage 1' });
    if (command === 'promote' && phase === 'halted') this.#enter(this.state.stage + 1, null, nowMs);
    else if (command === 'promote' && isInconclusive) this.#enter(this.state.stage + 1, null, nowMs);
    if (command === 'promote-full' && phase !== 'rolling-back' && phase !== 'aborted')
      this.#enter(this.#params.stages.length, null, nowMs);
  }

  protected advance(observation: RolloutObservation, to: string): readonly RolloutAction[] {
    const { from, phase } = this.state;
    if (this.state.isHeld || phase === 'halted') return [];
    if (phase === 'rolling-back' || phase === 'aborted') return this.#back(observation, from!);
    if (this.state.stage < this.#params.stages.length) {
      this.#proceed(observation, to);
      // Whatever it turned into, it is answered with what holds now.
      if (this.phase === 'rolling-back') return this.#back(observation, from!);
      if (this.phase === 'halted') return [];
    }
    if (this.state.stage < this.#params.stages.length) return this.#wave(observation, to).actions;
    const rest = this.#isOnHosts ? this.#pushAll(observation, to) : this.#finish(observation, to);
    const isDone = this.#isOnHosts
      ? observation.hosts.every(({ version }) => version === to)
      : groupOf(observation, to).available >= observation.desired && rest.length === 0;
    if (isDone) this.become('succeeded', 'AllStages');
    else if (this.phase !== 'succeeded') this.become('promoting', 'LastStage');
    return rest;
  }

  #proceed(observation: RolloutObservation, to: string): void {
    const { nowMs } = observation;
    const { stages, stageDeadline } = this.#params;
    const { stage } = this.state;
    const wave = this.#wave(observation, to);
    // The whole has grown meanwhile, and the stage with it.
    if (wave.actions.length > 0 && this.state.reachedMs !== null)
      this.set({ reachedMs: null, stageSinceMs: nowMs, analysis: null });
    if (wave.isReached && this.state.reachedMs === null) this.set({ reachedMs: nowMs });
    const { reachedMs, stageSinceMs } = this.state;
    if (reachedMs !== null && wave.unhealthy > this.#allowed(wave.reached)) {
      this.#fail(`${wave.unhealthy} of ${wave.reached} do badly`);
      return;
    }
    if (reachedMs === null && stageDeadline > 0 && nowMs > stageSinceMs + stageDeadline) {
      this.#fail(`Stage ${stage + 1} does not reach its hosts`);
      return;
    }
    if (this.state.isInconclusive || !this.#checked(observation, to)) return;
    if (reachedMs === null) this.become('progressing', `Stage ${stage + 1}`);
    else if (nowMs <= reachedMs + stages[stage].soak) this.become('paused', `Soak of stage ${stage + 1}`);
    else this.#next(observation, wave.hasMore);
  }

  /** False when a check has failed, or says nothing. Checks begin with the wave, and what is running when the soak is over counts as passed. */
  #checked(observation: RolloutObservation, to: string): boolean {
    const { reachedMs, stage, from } = this.state;
    const { nowMs } = observation;
    if (reachedMs === null) return true;
    const isOver = nowMs > reachedMs + this.#params.stages[stage].soak;
    const group = this.#isOnHosts ? to : groupOf(observation, to).group;
    const run = this.state.analysis ?? this.#analysis.start(reachedMs);
    const analysis = this.#analysis.step(run, readFrom(observation, group, from), nowMs, isOver);
    this.set({ analysis });
    if (analysis.phase === 'Failed' || analysis.phase === 'Error') this.#fail(analysis.reason);
    if (analysis.phase === 'Inconclusive') {
      this.set({ isInconclusive: true });
      this.become('paused', `Inconclusive: ${analysis.reason}`);
    }
    return analysis.phase === 'Running' || analysis.phase === 'Successful';
  }

  #next(observation: RolloutObservation, hasMore: boolean): void {
    const { stage, domain } = this.state;
    if (!hasMore) this.#enter(stage + 1, null, observation.nowMs);
    else this.#enter(stage, this.#domainAfter(observation, domain), observation.nowMs);
  }

  #enter(stage: number, domain: string | null, nowMs: Ms): void {
    this.set({ ...START, stage, domain, stageSinceMs: nowMs });
    this.become('progressing', `Stage ${stage + 1}`);
  }

  #fail(failure: string, onFailure = this.#params.onFailure): void {
    this.set({ failure, analysis: null, reachedMs: null });
    if (onFailure === 'halt' || this.state.from === null) this.become('halted', failure);
    else this.become('rolling-back', failure);
  }

  #size(total: number): number {
    const { fraction: share, count } = this.#params.stages[this.state.stage];
    return Math.min(total, Math.max(count, Math.ceil(share * total)));
  }

  #wave(observation: RolloutObservation, to: string): Wave {
    return this.#isOnHosts ? this.#hostWave(observation, to) : this.#replicaWave(observation, to);
  }

  /** The hosts of the stage are the first ones in order; of these the wave is what lies in its domain. */
  #hostWave({ hosts }: RolloutObservation, to: string): Wave {
    const members = inOrder(hosts).slice(0, this.#size(hosts.length));
    const domain = this.#params.oneDomainAtATime ? (this.state.domain ?? this.#firstDomain(members, to)) : undefined;
    const own = domain === undefined ? members : members.filter((host) => host.domain === domain);
    const missing = own.filter((host) => targetOf(host) !== to).map(({ host }) => host);
    const reached = hosts.filter(({ version }) => version === to);
    const unhealthy = reached.filter(({ isHealthy }) => !isHealthy).length;
    if (domain !== undefined && this.state.domain !== domain) this.set({ domain });
    return {
      actions: missing.length === 0 ? [] : [{ kind: 'push', version: to, hosts: missing }],
      // Those that do badly are waited for, as far as more of them than may do so.
      isReached: own.every(({ version }) => version === to) && unhealthy <= this.#allowed(reached.length),
      hasMore: members.some((host) => targetOf(host) !== to && host.domain !== domain),
      unhealthy,
      reached: reached.length,
    };
  }

  #firstDomain(members: readonly HostStatus[], to: string): string | undefined {
    return members.find((host) => targetOf(host) !== to)?.domain ?? members[members.length - 1]?.domain;
  }

  #domainAfter({ hosts }: RolloutObservation, domain: string | null): string | null {
    const members = inOrder(hosts).slice(0, this.#size(hosts.length));
    const next = members.find((host) => host.domain !== domain && targetOf(host) !== this.state.to);
    return next?.domain ?? null;
  }

  /** Replicas are where the placement puts them: a stage is a number of them. */
  #replicaWave(observation: RolloutObservation, to: string): Wave {
    const { desired } = observation;
    const wanted = this.#size(desired);
    const own = groupOf(observation, to);
    const stable = groupOf(observation, this.state.from!);
    const older = othersThan(observation, to, this.state.from);
    const counts = steppedCounts(desired, { canary: wanted, stable: desired - wanted }, own, stable, older, this.#posts(desired));
    return {
      actions: [
        ...older.flatMap((group) => scaleTo(group, 0)),
        ...scaleTo(stable, counts.stable),
        ...scaleTo(own, counts.canary),
      ],
      isReached: own.spec === wanted && own.available >= wanted && stable.spec === desired - wanted,
      hasMore: false,
      unhealthy: Math.max(0, own.spec - own.available),
      reached: own.spec,
    };
  }

  #allowed(reached: number): number {
    return roundedDown(parseCountOrPercent(this.#params.maxUnhealthy, 'maxUnhealthy'), reached);
  }

  #posts(desired: number): ReturnType<typeof fencepostsWithin> {
    const { maxSurge, maxUnavailable } = this.#params;
    return fencepostsWithin(
      parseCountOrPercent(maxSurge, 'maxSurge'),
      parseCountOrPercent(maxUnavailable, 'maxUnavailable'),
      desired,
    );
  }

  #pushAll({ hosts }: RolloutObservation, version: string): readonly RolloutAction[] {
    const missing = hosts.filter((host) => targetOf(host) !== version).map(({ host }) => host);
    return missing.length === 0 ? [] : [{ kind: 'push', version, hosts: missing }];
  }

  #finish(observation: RolloutObservation, to: string): readonly RolloutAction[] {
    return rollingStep(observation, to, this.#posts(observation.desired));
  }

  /** Back everywhere at once: the old version is known to work. */
  #back(observation: RolloutObservation, from: string): readonly RolloutAction[] {
    const actions = this.#isOnHosts ? this.#pushAll(observation, from) : this.#finish(observation, from);
    const isBack = this.#isOnHosts
      ? observation.hosts.every(({ version }) => version === from)
      : groupOf(observation, from).available >= observation.desired && actions.length === 0;
    if (isBack) this.become('aborted', this.state.failure);
    return actions;
  }
}

const targetOf = ({ told, version }: HostStatus): string | undefined => told ?? version;

/** One domain after the other, by name. */
const inOrder = (hosts: readonly HostStatus[]): readonly HostStatus[] =>
  [...hosts].sort((a, b) => compare(a.domain, b.domain) || compare(a.host, b.host));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
