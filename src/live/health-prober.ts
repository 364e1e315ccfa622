/** Sends a health checker's probes and sees to it that each comes back once: with its answer, or as timed out. */
import { type Prober, probeKind, type ProbeResult, probeResults } from '../policies/detection/checks/health-checker.ts';
import type { Ms } from '../core/time.ts';
import { askHealth, type HealthProbe, type ProbeAgents } from './health-probe.ts';
import type { Timer, Timers } from './system.ts';

export interface HealthProberParts {
  readonly probe: HealthProbe;
  readonly agents: ProbeAgents;
  readonly timers: Timers;
  endpointOf(slot: number): string;
  onResult(slot: number, probe: number, result: ProbeResult): void;
}

interface UnderWay {
  readonly slot: number;
  readonly abort: AbortController;
  readonly timer: Timer;
}

export class HealthProber implements Prober {
  readonly #parts: HealthProberParts;
  readonly #underWay = new Map<number, UnderWay>();

  constructor(parts: HealthProberParts) {
    this.#parts = parts;
  }

  /** Probes that have no result yet. */
  get underWay(): number {
    return this.#underWay.size;
  }

  probe(slot: number, probe: number, timeoutMs: Ms): void {
    const { agents, timers, endpointOf, probe: question } = this.#parts;
    const abort = new AbortController();
    const over = (result: ProbeResult): void => {
      const pending = this.#underWay.get(probe);
      if (pending === undefined) return;
      this.#underWay.delete(probe);
      pending.timer.clear();
      pending.abort.abort();
      this.#parts.onResult(slot, probe, result);
    };
    this.#underWay.set(probe, { slot, abort, timer: timers.set(timeoutMs, () => over(probeResults.timeout)) });
    void askHealth(endpointOf(slot), probeKind(probe), question, agents, abort.signal).then(over);
  }

  /** Gives up probes of an endpoint that is nobody's concern any more; nobody is told. */
  forget(slot: number): void {
    for (const [probe, pending] of this.#underWay) if (pending.slot === slot) this.#giveUp(probe, pending);
  }

  close(): void {
    for (const [probe, pending] of this.#underWay) this.#giveUp(probe, pending);
  }

  #giveUp(probe: number, { abort, timer }: UnderWay): void {
    this.#underWay.delete(probe);
    timer.clear();
    abort.abort();
  }
}
