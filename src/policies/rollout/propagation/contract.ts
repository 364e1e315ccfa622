/** What every agent owes its host, as checks that can be run on one. Each rule returns the violations it found, in words; none is good. */
import type { Ms } from '../../../core/time.ts';
import type { AgentDeps, AgentMessage, ConfigAgent, ConfigUpdate, DistributorMessage } from './config-agent.ts';
import { Distributor } from './distributor.ts';
import { HashedDraws } from '../../shared/fixed-draws.ts';

export type MakeAgent = (deps: AgentDeps) => ConfigAgent;

export interface AgentRule {
  /** A sentence that the agent should make true. */
  readonly name: string;
  check(make: MakeAgent): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkAgent = (make: MakeAgent): readonly string[] =>
  agentRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

const MINUTE: Ms = 60_000;

export const agentRules: readonly AgentRule[] = [
  {
    name: 'comes to have every change, over a network that delays and reorders',
    check: (make) => {
      const trial = new PropagationTrial(make, 8, 1);
      for (let version = 1; version <= 12; version++) {
        trial.publish(version);
        trial.run(version % 3 === 0 ? 12 * MINUTE : 500);
      }
      trial.run(15 * MINUTE);
      return trial.expectAll(12);
    },
  },
  {
    name: 'never goes back to an older version by itself',
    check: (make) => {
      const trial = new PropagationTrial(make, 5, 2);
      trial.lossShare = 0.2;
      for (let version = 1; version <= 40; version++) {
        trial.publish(version);
        trial.run(700 + 900 * (version % 4));
      }
      return trial.violations;
    },
  },
  {
    name: 'keeps the last good version when a change cannot be used, says so, and takes the next one',
    check: (make) => {
      const trial = new PropagationTrial(make, 4, 3);
      trial.publish(1);
      trial.run(15 * MINUTE);
      trial.bad.add(2);
      trial.publish(2);
      trial.run(15 * MINUTE);
      const during = trial.expectAll(1);
      const refusals = trial.distributor.refusals.length;
      trial.publish(3);
      trial.run(15 * MINUTE);
      return [...during, ...(refusals === 4 ? [] : [`says of ${refusals} refusals of 4`]), ...trial.expectAll(3)];
    },
  },
  {
    name: 'keeps what it has while the distributor is gone, and comes back with it',
    check: (make) => {
      const trial = new PropagationTrial(make, 6, 4);
      trial.publish(1);
      trial.run(15 * MINUTE);
      trial.cut();
      trial.publish(2);
      trial.run(30 * MINUTE);
      const during = trial.expectAll(1);
      const ages = trial.agents.map((agent) => agent.ageMs(trial.nowMs));
      trial.heal();
      trial.run(15 * MINUTE);
      const young = ages.filter((ageMs) => ageMs < 29 * MINUTE).length;
      return [...during, ...(young === 0 ? [] : [`${young} take half an hour of silence for fresh`]), ...trial.expectAll(2)];
    },
  },
  {
    name: 'has the newest version again after it restarted',
    check: (make) => {
      const trial = new PropagationTrial(make, 3, 5);
      trial.publish(1);
      trial.run(15 * MINUTE);
      for (const agent of trial.agents) agent.onRestarted(trial.nowMs);
      trial.publish(2);
      trial.run(15 * MINUTE);
      return trial.expectAll(2);
    },
  },
  {
    name: 'does not press on a distributor that does not answer',
    check: (make) => {
      const trial = new PropagationTrial(make, 1, 6);
      trial.publish(1);
      trial.run(15 * MINUTE);
      trial.cut();
      const before = trial.asked;
      trial.run(60 * MINUTE);
      const asked = trial.asked - before;
      return asked <= 400 ? trial.violations : [`asks ${asked} times in an hour of silence`];
    },
  },
  {
    name: 'gives the same answers to the same history',
    check: (make) => {
      const run = (): string => {
        const trial = new PropagationTrial(make, 3, 7);
        trial.lossShare = 0.3;
        for (let version = 1; version <= 10; version++) {
          trial.publish(version);
          trial.run(20_000);
        }
        return trial.log.join('\n');
      };
      return run() === run() ? [] : ['answers differently'];
    },
  },
];

/** Hosts below one distributor, over a network that delays, reorders and loses. */
export class PropagationTrial {
  readonly agents: readonly ConfigAgent[];
  readonly distributor: Distributor;
  readonly violations: string[] = [];
  readonly log: string[] = [];
  /** Versions that no host can use. */
  readonly bad = new Set<number>();
  lossShare = 0;
  nowMs: Ms = 0;
  asked = 0;
  #isCut = false;
  readonly #rng: HashedDraws;
  #messages: { readonly atMs: Ms; act(): void }[] = [];

  constructor(make: MakeAgent, count: number, seed: number) {
    this.#rng = new HashedDraws(seed);
    this.distributor = new Distributor({
      send: (child, message, nowMs) => this.#post(nowMs, () => this.#deliver(Number(child), message)),
    });
    this.agents = Array.from({ length: count }, (_, at) => {
      let inUse = 0;
      return make({
        rng: new HashedDraws(seed * 1000 + at),
        host: {
          send: (message, nowMs) => this.#ask(at, message, nowMs),
          apply: ({ version }) => {
            if (this.bad.has(version)) return 'cannot be used';
            if (version < inUse) this.violations.push(`goes back from version ${inUse} to ${version}`);
            inUse = version;
            return undefined;
          },
        },
      });
    });
    for (const agent of this.agents) agent.start(0);
  }

  publish(version: number): void {
    const update: ConfigUpdate = { version, digest: `digest-${version}`, content: `content-${version}` };
    this.distributor.publish(update, this.nowMs);
  }

  /** Nothing gets through from now on. */
  cut(): void {
    this.#isCut = true;
    this.agents.forEach((agent, at) => {
      this.distributor.onDisconnected(String(at));
      agent.onDisconnected(this.nowMs);
    });
  }

  heal(): void {
    this.#isCut = false;
  }

  run(forMs: Ms): void {
    const untilMs = this.nowMs + forMs;
    for (let guard = 0; guard < 200_000; guard++) {
      let nextMs = this.distributor.nextTimerMs();
      let act = (): void => this.distributor.onTimer(this.nowMs);
      for (const agent of this.agents) {
        if (agent.nextTimerMs() >= nextMs) continue;
        nextMs = agent.nextTimerMs();
        act = () => agent.onTimer(this.nowMs);
      }
      for (const message of this.#messages) {
        if (message.atMs > nextMs) continue;
        nextMs = message.atMs;
        act = () => {
          this.#messages = this.#messages.filter((other) => other !== message);
          message.act();
        };
      }
      if (!(nextMs <= untilMs)) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      act();
      if (guard === 199_999) this.violations.push('wants to be woken without end');
    }
    this.nowMs = untilMs;
  }

  expectAll(version: number): readonly string[] {
    const others = this.agents.flatMap((agent, at) => {
      const has = agent.active?.version ?? 0;
      return has === version ? [] : [`host ${at} has version ${has} instead of ${version}`];
    });
    return [...this.violations, ...others].slice(0, 3);
  }

  #ask(at: number, message: AgentMessage, nowMs: Ms): void {
    this.asked++;
    this.log.push(JSON.stringify([nowMs, at, message]));
    this.#post(nowMs, () => this.distributor.onMessage(String(at), message, this.nowMs));
  }

  #deliver(at: number, message: DistributorMessage): void {
    this.agents[at].onMessage(message, this.nowMs);
  }

  /** Up to two seconds, so that one message can overtake another. */
  #post(nowMs: Ms, act: () => void): void {
    if (this.#isCut || this.#rng.next() < this.lossShare) return;
    this.#messages.push({ atMs: nowMs + 5 + this.#rng.next() * 2000, act });
  }
}
