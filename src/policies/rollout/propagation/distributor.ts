/** One node of the tree between the store and the hosts: takes the newest state from above, hands it to those below.
 *
 *  Use several levels where hosts are more than a store can serve. Each level adds its delay, and one that is cut off serves what it had: its
 *  hosts are stale together. It knows from acknowledgements which version each of those below has (`versions`), and sends again what was
 *  not acknowledged in time. Only the newest state is sent; what was overtaken on the way is not made up for. With a rate, those below
 *  are served in turn, so that a change reaches them spread over time.
 *
 *  After C. Tang et al., Holistic Configuration Management at Facebook (SOSP 2015), on observers and proxies. */
import type { Ms } from '../../../core/time.ts';
import type { AgentMessage, ConfigUpdate, DistributorMessage } from './config-agent.ts';

export interface DistributorOptions {
  /** Sends to one of those below. */
  readonly send: (child: string, message: DistributorMessage, nowMs: Ms) => void;
  /** After so long without an acknowledgement an update is sent again; Infinity: never. */
  readonly ackTimeoutMs?: Ms;
  /** Pushes per second; Infinity: all at once. */
  readonly pushesPerSecond?: number;
}

interface Child {
  /** What it said to have. */
  have: number;
  /** The newest that it refused. */
  refused: number;
  sent: number;
  sentMs: Ms;
  isSubscribed: boolean;
}

export class Distributor {
  readonly #send: DistributorOptions['send'];
  readonly #ackTimeoutMs: Ms;
  readonly #gapMs: Ms;
  readonly #children = new Map<string, Child>();
  #current: ConfigUpdate | undefined;
  #nextPushMs: Ms = -Infinity;

  constructor({ send, ackTimeoutMs = 10_000, pushesPerSecond = Infinity }: DistributorOptions) {
    this.#send = send;
    this.#ackTimeoutMs = ackTimeoutMs;
    this.#gapMs = pushesPerSecond === Infinity ? 0 : 1000 / pushesPerSecond;
  }

  get current(): ConfigUpdate | undefined {
    return this.#current;
  }

  /** The version vector: what each of those below was last heard to have; 0 for nothing. */
  get versions(): ReadonlyMap<string, number> {
    return new Map([...this.#children].map(([child, { have }]) => [child, have]));
  }

  /** Those who have refused what is current. */
  get refusals(): readonly string[] {
    const version = this.#current?.version ?? 0;
    return [...this.#children].flatMap(([child, { refused }]) => (refused === version && version > 0 ? [child] : []));
  }

  /** News from above. What is not newer is dropped: news can overtake each other. */
  publish(update: ConfigUpdate, nowMs: Ms): boolean {
    if (update.version <= (this.#current?.version ?? 0)) return false;
    this.#current = update;
    this.#pushDue(nowMs);
    return true;
  }

  onMessage(child: string, message: AgentMessage, nowMs: Ms): void {
    const state = this.#children.get(child) ?? { have: 0, refused: 0, sent: 0, sentMs: -Infinity, isSubscribed: false };
    this.#children.set(child, state);
    if (message.kind === 'ack') state.have = Math.max(state.have, message.version);
    else if (message.kind === 'nack') {
      state.have = message.have;
      state.refused = Math.max(state.refused, message.version);
    } else {
      state.have = message.have;
      if (message.kind === 'subscribe') {
        state.isSubscribed = true;
        state.sent = 0;
      }
      this.#answer(child, state, nowMs);
    }
  }

  /** Its connection is gone; it will ask again. */
  onDisconnected(child: string): void {
    const state = this.#children.get(child);
    if (state !== undefined) state.isSubscribed = false;
  }

  /** When `onTimer` must be called at the latest; Infinity for never. */
  nextTimerMs(): Ms {
    let dueMs = Infinity;
    for (const state of this.#children.values()) dueMs = Math.min(dueMs, this.#dueMs(state));
    return Math.max(dueMs, dueMs === Infinity ? dueMs : this.#nextPushMs);
  }

  onTimer(nowMs: Ms): void {
    this.#pushDue(nowMs);
  }

  /** When something is to be sent to it without being asked. */
  #dueMs({ have, refused, sent, sentMs, isSubscribed }: Child): Ms {
    const version = this.#current?.version ?? 0;
    if (!isSubscribed || have >= version || refused === version) return Infinity;
    return sent === version ? sentMs + this.#ackTimeoutMs : -Infinity;
  }

  #pushDue(nowMs: Ms): void {
    for (const [child, state] of this.#children) {
      if (this.#dueMs(state) > nowMs) continue;
      if (nowMs < this.#nextPushMs) return;
      this.#nextPushMs = nowMs + this.#gapMs;
      this.#update(child, state, nowMs);
    }
  }

  #answer(child: string, state: Child, nowMs: Ms): void {
    const version = this.#current?.version ?? 0;
    if (version > state.have && version > 0) this.#update(child, state, nowMs);
    else this.#send(child, { kind: 'unchanged', version }, nowMs);
  }

  #update(child: string, state: Child, nowMs: Ms): void {
    state.sent = this.#current!.version;
    state.sentMs = nowMs;
    this.#send(child, { kind: 'update', update: this.#current! }, nowMs);
  }
}
