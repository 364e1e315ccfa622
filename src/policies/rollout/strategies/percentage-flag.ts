/** A percentage flag: both versions are everywhere already, and a hash of the user says who gets the new one.
 *
 *  Use it for behaviour behind a switch: it needs no replica and no restart, and off is off within seconds. It fails to protect what users share:
 *  a percent of users can break a database for all of them. And one user's load is not another's: a percent of users may be half of the load.
 *
 *  Percentages are gone through one after the other, each with a soak and checks; a check that fails switches everything off. A user who
 *  has the new version keeps it while percentages rise (`rollout/flags`). On hosts the hash is that of the host, and those below the
 *  percentage are pushed the new version. */
import { choice, duration, number, type ParamValues, records, string } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { Analysis, type AnalysisState } from '../analysis/analysis-run.ts';
import { metricFields } from '../analysis/metric-params.ts';
import { flagHashes, flagHashNames } from '../flags/flag-hashes.ts';
import { defineRollout, type RolloutAction, type RolloutCommand, type RolloutObservation } from './rollout.ts';
import { BaseRollout, type BaseState, hasWeights, idleState, justAfter, routeBy } from './parts/base-rollout.ts';
import { readFrom } from './parts/group-metrics.ts';

const params = {
  hash: choice({ choices: flagHashNames, default: 'launch-darkly', about: 'Whose hash divides users.' }),
  flag: string({
    default: 'rollout',
    about: 'Name of the flag; flags of the same name have the same users.',
    official: 'LaunchDarkly key',
  }),
  salt: string({ default: '', about: 'Sets flags of the same name apart.', official: 'LaunchDarkly salt' }),
  steps: records({
    fields: {
      percent: number({ default: 100, min: 0, max: 100, about: 'How many of a hundred users have the new version.' }),
      soak: duration({ default: 600_000, min: 0, about: 'How long that is looked at.' }),
    },
    required: ['percent'],
    default: [{ percent: 1 }, { percent: 10 }, { percent: 50 }, { percent: 100, soak: 0 }],
    atLeast: 1,
    about: 'Percentages to go through; after the last one everybody has it.',
  }),
  metrics: records({ fields: metricFields, required: ['metric'], about: 'Checks of each step.' }),
} as const;

export const percentageFlag = defineRollout({
  name: 'percentage-flag',
  summary: 'Switches the new version on for a growing percentage of users, by a hash of the user.',
  useWhen: 'Behaviour is behind a switch, and off must be off within seconds.',
  failsWhen: 'Users share what a few of them can break, or are few and of very different weight.',
  cost: 'O(1) per change, one hash per user',
  sources: ['LaunchDarkly: documentation, percentage rollouts', 'Unleash: documentation, gradual rollout strategy'],
  aliases: [
    { system: 'LaunchDarkly', name: 'rollout' },
    { system: 'Unleash', name: 'flexibleRollout' },
    { system: 'Flipper', name: 'percentage_of_actors' },
    { system: 'Facebook', name: 'Gatekeeper' },
  ],
  params,
  create: (values, deps) => new PercentageFlag(values, deps.unit === 'hosts'),
});

interface State extends BaseState {
  readonly index: number;
  readonly reachedMs: Ms | null;
  readonly analysis: AnalysisState | null;
  readonly isInconclusive: boolean;
  readonly failure: string | null;
}

const START: Omit<State, keyof BaseState> = {
  index: 0,
  reachedMs: null,
  analysis: null,
  isInconclusive: false,
  failure: null,
};

class PercentageFlag extends BaseRollout<State> {
  readonly routes = true;
  readonly leavesReplicas = true;
  readonly #params: ParamValues<typeof params>;
  readonly #isOnHosts: boolean;
  readonly #analysis: Analysis;

  constructor(values: ParamValues<typeof params>, isOnHosts: boolean) {
    super({ ...idleState, ...START });
    this.#params = values;
    this.#isOnHosts = isOnHosts;
    this.#analysis = new Analysis(values.metrics);
  }

  protected begin(from: string | null, to: string): void {
    const index = from === null || from === to ? this.#params.steps.length : 0;
    this.set({ ...START, from, to, index, phase: 'progressing', reason: 'FlagOn' });
  }

  protected override timers(): readonly Ms[] {
    const { reachedMs, index, analysis } = this.state;
    const soak = this.#params.steps[index]?.soak ?? 0;
    return [
      reachedMs === null ? Infinity : justAfter(reachedMs + soak),
      analysis === null ? Infinity : this.#analysis.nextTimerMs(analysis),
    ];
  }

  protected override onCommand(command: RolloutCommand): void {
    const { index, phase, isInconclusive } = this.state;
    if (phase === 'succeeded' || phase === 'idle') return;
    if (command === 'abort' && this.state.from !== null) this.#fail('user');
    if (command === 'retry' && this.state.failure !== null) this.set({ ...START, phase: 'progressing', reason: 'FlagOn' });
    if (this.state.failure !== null) return;
    if (command === 'promote' && (isInconclusive || phase === 'paused')) this.set({ ...START, index: index + 1 });
    if (command === 'promote-full') this.set({ ...START, index: this.#params.steps.length });
  }

  protected advance(observation: RolloutObservation, to: string): readonly RolloutAction[] {
    if (this.state.isHeld) return [];
    if (this.state.failure === null) this.#proceed(observation, to);
    const percent = this.#percent;
    const actions = this.#answers(observation, to, percent);
    const isThere = this.#isThere(observation, to, percent);
    if (this.state.failure !== null) this.become(isThere ? 'aborted' : 'rolling-back', `FlagOff: ${this.state.failure}`);
    else if (this.state.index >= this.#params.steps.length && this.phase !== 'succeeded')
      this.become(isThere ? 'succeeded' : 'promoting', 'FlagOn');
    return actions;
  }

  get #percent(): number {
    const { failure, index } = this.state;
    return failure === null ? (this.#params.steps[index]?.percent ?? 100) : 0;
  }

  #proceed(observation: RolloutObservation, to: string): void {
    const { nowMs } = observation;
    const { index, from } = this.state;
    if (index >= this.#params.steps.length || this.state.isInconclusive) return;
    if (!this.#isThere(observation, to, this.#percent)) {
      this.become('progressing', `At ${this.#percent} %`);
      return;
    }
    const reachedMs = this.state.reachedMs ?? nowMs;
    const isOver = nowMs > reachedMs + this.#params.steps[index].soak;
    const run = this.state.analysis ?? this.#analysis.start(reachedMs);
    const analysis = this.#analysis.step(run, readFrom(observation, to, from), nowMs, isOver);
    this.set({ reachedMs, analysis });
    if (analysis.phase === 'Failed' || analysis.phase === 'Error') this.#fail(analysis.reason);
    else if (analysis.phase === 'Inconclusive') {
      this.set({ isInconclusive: true });
      this.become('paused', `Inconclusive: ${analysis.reason}`);
    } else if (isOver) this.set({ ...START, index: index + 1 });
    else this.become('paused', `Soak at ${this.#percent} %`);
  }

  #fail(failure: string): void {
    this.set({ ...START, failure });
  }

  /** Users are divided by the router, by the hash it is told; hosts by their names, here. */
  #answers(observation: RolloutObservation, to: string, percent: number): readonly RolloutAction[] {
    const { hash: name, flag, salt } = this.#params;
    if (!this.#isOnHosts)
      return routeBy(observation, this.#shares(to, percent)).map((action) => ({ ...action, hash: { name, flag, salt } }));
    const from = this.state.from;
    const pushes: RolloutAction[] = [];
    for (const version of [to, from]) {
      if (version === null) continue;
      const hosts = observation.hosts
        .filter((host) => this.#wanted(host.host, to, percent) === version && (host.told ?? host.version) !== version)
        .map(({ host }) => host);
      if (hosts.length > 0) pushes.push({ kind: 'push', version, hosts });
    }
    return pushes;
  }

  #isThere(observation: RolloutObservation, to: string, percent: number): boolean {
    if (!this.#isOnHosts) {
      const shares = Object.entries(this.#shares(to, percent)).filter(([, share]) => share > 0);
      return hasWeights(observation.weights, Object.fromEntries(shares));
    }
    return observation.hosts.every(({ host, version }) => (version ?? null) === this.#wanted(host, to, percent));
  }

  #shares(to: string, percent: number): Readonly<Record<string, number>> {
    const { from } = this.state;
    return from === null || from === to ? { [to]: 100 } : { [from]: 100 - percent, [to]: percent };
  }

  #wanted(host: string, to: string, percent: number): string | null {
    const { hash, flag, salt } = this.#params;
    return flagHashes[hash].isOn(flag, salt, host, percent) ? to : this.state.from;
  }
}
