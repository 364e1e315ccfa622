/** A member's probes, one at a time: a ping; without an answer in time, pings through others and over a reliable connection; and
 *  at the end of the interval a verdict. Also the pings it sends on behalf of others.
 *
 *  The interval, not the timeout, is stretched by what the member thinks of its own health: waiting longer does not bring a
 *  lost datagram, but gives the other ways their chance. */
import type { Ms } from '../../../core/time.ts';
import { scaledByAwareness } from './formulas.ts';
import type { Member } from './member-list.ts';

export interface ProbeTiming {
  readonly probeInterval: Ms;
  readonly probeTimeout: Ms;
  /** Share of the timeout after which a helper says that it had no answer either. */
  readonly nackAfter: number;
}

/** What the prober wants done. */
export interface ProbeActions {
  sendPing(target: Member, sequence: number): void;
  sendReliablePing(target: Member, sequence: number): void;
  /** How many members were asked for help. */
  askOthers(target: Member, sequence: number): number;
  forwardPing(target: number, sequence: number): void;
  sendAck(to: number, sequence: number): void;
  sendNack(to: number, sequence: number): void;
  /** The probe is over; `doubt` is what it says of the prober's own health. */
  onVerdict(target: Member, isAlive: boolean, doubt: number, nowMs: Ms): void;
}

interface Probe {
  readonly target: Member;
  readonly sequence: number;
  /** Of the reliable ping; 0 until it is sent. */
  fallbackSequence: number;
  readonly timeoutAtMs: Ms;
  readonly endsAtMs: Ms;
  isFallbackAnswered: boolean;
  asked: number;
  nacks: number;
}

interface Errand {
  readonly sequence: number;
  readonly askedBy: number;
  readonly theirSequence: number;
  readonly nackAtMs: Ms;
}

export class Prober {
  readonly #timing: ProbeTiming;
  readonly #actions: ProbeActions;
  readonly #errands: Errand[] = [];
  #probe: Probe | undefined;
  #lastSequence = 0;

  constructor(timing: ProbeTiming, actions: ProbeActions) {
    this.#timing = timing;
    this.#actions = actions;
  }

  get isBusy(): boolean {
    return this.#probe !== undefined;
  }

  nextTimerMs(): Ms {
    const probe = this.#probe;
    const probeMs = probe === undefined ? Infinity : probe.fallbackSequence === 0 ? probe.timeoutAtMs : probe.endsAtMs;
    return Math.min(probeMs, this.#errands[0]?.nackAtMs ?? Infinity);
  }

  start(target: Member, awareness: number, nowMs: Ms): void {
    const { probeInterval, probeTimeout } = this.#timing;
    const endsAtMs = nowMs + scaledByAwareness(probeInterval, awareness);
    const sequence = ++this.#lastSequence;
    this.#probe = {
      target,
      sequence,
      fallbackSequence: 0,
      timeoutAtMs: Math.min(nowMs + probeTimeout, endsAtMs),
      endsAtMs,
      isFallbackAnswered: false,
      asked: 0,
      nacks: 0,
    };
    this.#actions.sendPing(target, sequence);
  }

  /** Forgets the probe under way. */
  stop(): void {
    this.#probe = undefined;
  }

  onTimer(nowMs: Ms): void {
    while (this.#errands.length > 0 && this.#errands[0].nackAtMs <= nowMs) {
      const { askedBy, theirSequence } = this.#errands.shift()!;
      this.#actions.sendNack(askedBy, theirSequence);
    }
    const probe = this.#probe;
    if (probe === undefined) return;
    if (probe.fallbackSequence === 0 && probe.timeoutAtMs <= nowMs) {
      probe.asked = this.#actions.askOthers(probe.target, probe.sequence);
      probe.fallbackSequence = ++this.#lastSequence;
      this.#actions.sendReliablePing(probe.target, probe.fallbackSequence);
    }
    if (probe.fallbackSequence === 0 || probe.endsAtMs > nowMs) return;
    // Helpers that answer at all vouch for the prober: it hears. Without helpers any failed probe is a reason to doubt.
    const doubt = probe.asked > 0 ? probe.asked - Math.min(probe.nacks, probe.asked) : 1;
    this.#end(probe, probe.isFallbackAnswered, probe.isFallbackAnswered ? -1 : doubt, nowMs);
  }

  onAck(sequence: number, nowMs: Ms): void {
    const probe = this.#probe;
    if (probe !== undefined && probe.sequence === sequence) {
      this.#end(probe, true, -1, nowMs);
      return;
    }
    if (probe !== undefined && probe.fallbackSequence === sequence) {
      probe.isFallbackAnswered = true;
      return;
    }
    const at = this.#errands.findIndex((errand) => errand.sequence === sequence);
    if (at === -1) return;
    const [errand] = this.#errands.splice(at, 1);
    this.#actions.sendAck(errand.askedBy, errand.theirSequence);
  }

  onNack(sequence: number): void {
    if (this.#probe?.sequence === sequence) this.#probe.nacks++;
  }

  /** Another member asks for a ping to `target`. */
  onRequest(askedBy: number, target: number, theirSequence: number, nowMs: Ms): void {
    const nackAtMs = nowMs + this.#timing.nackAfter * this.#timing.probeTimeout;
    const sequence = ++this.#lastSequence;
    this.#errands.push({ sequence, askedBy, theirSequence, nackAtMs });
    this.#actions.forwardPing(target, sequence);
  }

  #end(probe: Probe, isAlive: boolean, doubt: number, nowMs: Ms): void {
    this.#probe = undefined;
    this.#actions.onVerdict(probe.target, isAlive, doubt, nowMs);
  }
}
