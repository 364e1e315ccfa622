/** A host of configuration, as long as it has its name: the agent on it, the version in force, and whether its process is there. What is sent
 *  by or to a process that has ended since is lost. */
import type { Streams } from '../../core/streams.ts';
import type {
  AgentDeps,
  AgentMessage,
  ConfigAgent,
  ConfigUpdate,
  DistributorMessage,
} from '../../policies/rollout/propagation/config-agent.ts';
import type { VersionSpec } from '../../scenario/spec.ts';
import type { Errands } from '../orchestration/errands.ts';
import type { ConfigLink } from './config-link.ts';

export interface ConfigHostParts {
  readonly errands: Errands;
  readonly streams: Streams;
  readonly link: ConfigLink;
  /** Of the host's own streams. */
  readonly streamName: string;
  readonly makeAgent: (deps: AgentDeps) => ConfigAgent;
  /** A message has arrived at the host's distributor. */
  onMessage(message: AgentMessage): void;
  /** As of agents. */
  apply(update: ConfigUpdate): string | undefined;
}

export class ConfigHost {
  readonly name: string;
  domain: string;
  /** Gone: there is not even a place for it. */
  isGone: boolean;
  /** In force. */
  version: VersionSpec;
  /** Name of the version that it refused last, until it takes something. */
  refused: string | undefined;
  /** Wakes its agent when that next wants to be. */
  wake: () => void;
  private readonly parts: ConfigHostParts;
  private isUp: boolean;
  /** Counts ends of its process. */
  private ends: number;
  private agents: number;
  private agent: ConfigAgent;

  constructor(name: string, domain: string, version: VersionSpec, parts: ConfigHostParts) {
    this.name = name;
    this.domain = domain;
    this.isGone = false;
    this.version = version;
    this.refused = undefined;
    this.parts = parts;
    this.isUp = false;
    this.ends = 0;
    this.agents = 0;
    this.agent = this.makeAgent();
    this.wake = this.wakerOf(this.agent);
  }

  get active(): ConfigUpdate | undefined {
    return this.agent.active;
  }

  /** On a new machine: nothing is on its disk. To be woken afterwards. */
  start(): void {
    this.isUp = true;
    this.agent.start(this.nowMs);
  }

  /** Another machine gets its name. */
  replace(): void {
    this.agent = this.makeAgent();
    this.wake = this.wakerOf(this.agent);
    this.refused = undefined;
  }

  /** In place: its disk is what it was. */
  restart(): void {
    this.isUp = true;
    this.refused = undefined;
    this.agent.onRestarted(this.nowMs);
    this.wake();
  }

  end(): void {
    this.isUp = false;
    this.ends++;
  }

  onDisconnected(): void {
    if (!this.isUp) return;
    this.agent.onDisconnected(this.nowMs);
    this.wake();
  }

  /** Its distributor sends this. */
  send(message: DistributorMessage): void {
    this.carry(() => {
      this.agent.onMessage(message, this.nowMs);
      this.wake();
    });
  }

  private get nowMs(): number {
    return this.parts.errands.nowMs;
  }

  private carry(arrive: () => void): void {
    const { ends } = this;
    if (!this.isUp) return;
    this.parts.link.send(() => {
      if (ends === this.ends) arrive();
    });
  }

  private makeAgent(): ConfigAgent {
    const { streams, streamName, makeAgent, onMessage, apply } = this.parts;
    return makeAgent({
      rng: streams.stream(`${streamName}/${this.agents++}`),
      host: {
        send: (message) => this.carry(() => onMessage(message)),
        apply: (update) => apply(update),
      },
    });
  }

  private wakerOf(agent: ConfigAgent): () => void {
    const isRunning = (): boolean => this.isUp && this.agent === agent;
    return this.parts.errands.waker('propagation agent', {
      nextTimerMs: () => (isRunning() ? agent.nextTimerMs() : Infinity),
      onTimer: (nowMs) => {
        if (isRunning()) agent.onTimer(nowMs);
      },
    });
  }
}
