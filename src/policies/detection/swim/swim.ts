/** Group membership by SWIM with Lifeguard, as in hashicorp/memberlist: every member probes another one per period, asks others
 *  to try where it fails, suspects before it condemns, lets suspects defend themselves, and spreads all news with messages that
 *  are sent anyway.
 *
 *  Use it where each member should know the others without a central registry: the load per member stays the same however large
 *  the group, and a crash is noticed within a period or two on average. It fails under sustained message loss and where members
 *  are slow rather than dead: a member that answers late is suspected, and must hear of it in time to defend itself. Lifeguard is
 *  the answer to that: a member that has reason to doubt itself waits longer (`awarenessMaxMultiplier`), suspicions start long
 *  and shorten only as others confirm them (`suspicionMaxTimeoutMult`), and a suspect is told with the very ping that it is
 *  suspected. With both multipliers at 1 the first two are off.
 *
 *  With the LAN defaults a helper's word that it had no answer either arrives just after the probe is over, so the first failed
 *  probe of a truly dead member costs the prober some confidence in itself; `nackAfter: 0.8`, as in the Lifeguard paper, avoids
 *  that.
 *
 *  Members are small integers. The object is passive: it is told what arrived and when, says when to wake it, and sends
 *  through a transport: unreliable messages may get lost, reliable ones arrive or the connection fails, silently. */
import { duration, fraction, int, type ParamSpecs, type ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import type { BeliefSink } from '../detector.ts';
import { Broadcasts } from './broadcasts.ts';
import { nextAwareness, pushPullIntervalMs, retransmitLimit, suspicionTerms } from './formulas.ts';
import { isGone, type Member, MemberList } from './member-list.ts';
import type { MemberRecord, MemberStatus, SwimMessage, Update } from './messages.ts';
import { Prober } from './prober.ts';
import { Suspicion } from './suspicion.ts';

export interface SwimTransport {
  /** Must not call the membership before it returns. */
  send(to: number, message: SwimMessage, isReliable: boolean): void;
}

/** Beliefs: suspects still count as alive. */
export interface MembershipSink extends BeliefSink {
  suspect?(member: number, isSuspected: boolean, nowMs: Ms): void;
}

export interface MembershipDeps {
  /** This member's own number. */
  readonly self: number;
  readonly rng: Rng;
  readonly transport: SwimTransport;
  readonly sink: MembershipSink;
}

export type MembershipDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, MembershipDeps, Membership>;

const params = {
  probeInterval: duration({
    default: 1000,
    min: 1,
    about: 'How often a member probes another.',
    official: 'memberlist ProbeInterval',
  }),
  probeTimeout: duration({
    default: 500,
    min: 1,
    about: 'How long to wait for the answer before others are asked.',
    official: 'memberlist ProbeTimeout',
  }),
  indirectChecks: int({ default: 3, min: 0, about: 'How many others are asked.', official: 'memberlist IndirectChecks' }),
  nackAfter: fraction({
    default: 1,
    about: 'Share of the probe timeout after which they say that they had no answer either; 0.8 in the Lifeguard paper.',
  }),
  suspicionMult: int({
    default: 4,
    min: 1,
    about: 'The shortest suspicion lasts this · max(1, log10 n) probe intervals.',
    official: 'memberlist SuspicionMult',
  }),
  suspicionMaxTimeoutMult: int({
    default: 6,
    min: 1,
    about: 'An unconfirmed suspicion lasts so many times the shortest.',
    official: 'memberlist SuspicionMaxTimeoutMult',
  }),
  awarenessMaxMultiplier: int({
    default: 8,
    min: 1,
    about: 'A member that doubts itself stretches its probe interval up to so many times.',
    official: 'memberlist AwarenessMaxMultiplier',
  }),
  retransmitMult: int({
    default: 4,
    min: 1,
    about: 'News is sent this · ⌈log10(n + 1)⌉ times by each member.',
    official: 'memberlist RetransmitMult',
  }),
  gossipInterval: duration({
    default: 200,
    min: 1,
    about: 'How often news is sent by itself.',
    official: 'memberlist GossipInterval',
  }),
  gossipNodes: int({ default: 3, min: 0, about: 'To how many members.', official: 'memberlist GossipNodes' }),
  gossipToTheDead: duration({
    default: 30_000,
    about: 'For how long the dead are told, so that they can come back; then they are forgotten.',
    official: 'memberlist GossipToTheDeadTime',
  }),
  pushPullInterval: duration({
    default: 30_000,
    about: 'How often all that is known is exchanged with a random member, in groups of up to 32; 0 means never.',
    official: 'memberlist PushPullInterval',
  }),
  reconnectInterval: duration({
    default: 30_000,
    about:
      'How often one of the dead is asked to come back, so that a group once cut in two heals; 0 means never, as memberlist alone.',
    official: 'serf ReconnectInterval',
  }),
  maxUpdatesPerMessage: int({
    default: 16,
    min: 1,
    about: 'Pieces of news that fit into one message; memberlist fills 1400 bytes.',
  }),
};
export type SwimParams = ParamValues<typeof params>;

/** memberlist's other configurations, by what they change of the LAN defaults. */
export const swimPresets = {
  lan: {},
  wan: {
    probeInterval: 5000,
    probeTimeout: 3000,
    suspicionMult: 6,
    gossipInterval: 500,
    gossipNodes: 4,
    gossipToTheDead: 60_000,
    pushPullInterval: 60_000,
  },
  local: {
    probeTimeout: 200,
    indirectChecks: 1,
    suspicionMult: 3,
    retransmitMult: 2,
    gossipInterval: 100,
    gossipToTheDead: 15_000,
    pushPullInterval: 15_000,
  },
} as const satisfies Readonly<Record<string, Partial<SwimParams>>>;

export const swim = definePolicy<typeof params, MembershipDeps, Membership>({
  family: 'membership',
  name: 'swim',
  summary: 'Members probe each other at random, suspect before they condemn, and gossip the news (SWIM, Lifeguard).',
  useWhen: 'Members must know each other without a registry, at a load per member that does not grow with the group.',
  failsWhen: 'Messages get lost for long, or members are so slow that they hear of their suspicion too late.',
  cost: 'O(1) messages per member and period, O(n) per exchange of all that is known',
  sources: [
    'Das, Gupta, Motivala: SWIM (2002)',
    'Dadgar, Phillips, Currey: Lifeguard, Local Health Awareness for More Accurate Failure Detection (2018)',
    'hashicorp/memberlist: state.go, suspicion.go, awareness.go, queue.go, util.go',
    'hashicorp/serf: serf.go (reconnect)',
  ],
  aliases: [
    { system: 'HashiCorp', name: 'memberlist' },
    { system: 'Consul', name: 'serf' },
  ],
  params,
  create: (values, deps) => new Membership(values, deps),
});

export class Membership {
  readonly #params: SwimParams;
  readonly #self: number;
  readonly #rng: Rng;
  readonly #transport: SwimTransport;
  readonly #sink: MembershipSink;
  readonly #list: MemberList;
  readonly #me: Member;
  readonly #prober: Prober;
  readonly #news = new Broadcasts();
  readonly #suspicions = new Map<number, Suspicion>();
  #awareness = 0;
  #hasLeft = false;
  #probeTickMs: Ms = Infinity;
  #gossipTickMs: Ms = Infinity;
  #pushPullTickMs: Ms = Infinity;
  #reconnectTickMs: Ms = Infinity;
  /** Remembered for longer than the list does, which forgets the dead. */
  readonly #failed = new Set<number>();

  constructor(values: SwimParams, { self, rng, transport, sink }: MembershipDeps) {
    this.#params = values;
    this.#self = self;
    this.#rng = rng;
    this.#transport = transport;
    this.#sink = sink;
    this.#list = new MemberList(rng);
    this.#me = this.#list.add(self, 0);
    this.#me.status = 'alive';
    this.#me.incarnation = 1;
    this.#prober = new Prober(values, {
      sendPing: (target, sequence) => this.#sendPing(target, sequence),
      sendReliablePing: ({ member }, sequence) =>
        this.#transport.send(member, { type: 'ping', sequence, target: member, isReliable: true, updates: [] }, true),
      askOthers: (target, sequence) => this.#askOthers(target, sequence),
      forwardPing: (target, sequence) =>
        this.#transport.send(target, { type: 'ping', sequence, target, isReliable: false, updates: this.#takeNews() }, false),
      sendAck: (to, sequence) => this.#transport.send(to, { type: 'ack', sequence, updates: this.#takeNews() }, false),
      sendNack: (to, sequence) => this.#transport.send(to, { type: 'nack', sequence, updates: this.#takeNews() }, false),
      onVerdict: (target, isAlive, doubt, nowMs) => this.#onVerdict(target, isAlive, doubt, nowMs),
    });
  }

  /** Begins to probe and to gossip, each at a random moment of its interval. `others` are known to be members already; without
   *  them it needs `join`. */
  start(nowMs: Ms, others: readonly number[] = []): void {
    for (const member of others) {
      if (this.#list.get(member) !== undefined) continue;
      const known = this.#list.add(member, nowMs);
      known.status = 'alive';
      known.incarnation = 1;
    }
    const { probeInterval, gossipInterval, pushPullInterval, reconnectInterval } = this.#params;
    this.#probeTickMs = nowMs + this.#rng.next() * probeInterval;
    this.#gossipTickMs = nowMs + this.#rng.next() * gossipInterval;
    if (pushPullInterval > 0) this.#pushPullTickMs = nowMs + this.#rng.next() * pushPullInterval;
    if (reconnectInterval > 0) this.#reconnectTickMs = nowMs + reconnectInterval;
  }

  /** Gets to know the group through one of its members. */
  join(seed: number): void {
    this.#sendAll(seed, false);
  }

  /** Tells the others that it goes. To be called some gossip intervals before it stops. */
  leave(nowMs: Ms): void {
    this.#hasLeft = true;
    this.#prober.stop();
    this.#probeTickMs = Infinity;
    this.#pushPullTickMs = Infinity;
    this.#reconnectTickMs = Infinity;
    this.#hearDead({ kind: 'dead', member: this.#self, incarnation: this.#me.incarnation, from: this.#self }, nowMs);
  }

  receive(from: number, message: SwimMessage, nowMs: Ms): void {
    this.#answer(from, message, nowMs);
    for (const update of message.updates) this.#hear(update, nowMs);
  }

  /** When `onTimer` must be called at the latest. A call at an earlier time does no harm. */
  nextTimerMs(): Ms {
    let nextMs = Math.min(this.#gossipTickMs, this.#pushPullTickMs, this.#reconnectTickMs, this.#prober.nextTimerMs());
    if (!this.#prober.isBusy) nextMs = Math.min(nextMs, this.#probeTickMs);
    for (const { endsMs } of this.#suspicions.values()) nextMs = Math.min(nextMs, endsMs);
    return nextMs;
  }

  onTimer(nowMs: Ms): void {
    this.#prober.onTimer(nowMs);
    for (const [member, suspicion] of this.#suspicions) if (suspicion.endsMs <= nowMs) this.#condemn(member, nowMs);
    if (this.#probeTickMs <= nowMs && !this.#prober.isBusy) {
      // Of the ticks that passed during a stretched probe, one is made up for at once.
      this.#probeTickMs = nextTick(this.#probeTickMs, this.#params.probeInterval, nowMs);
      const target = this.#list.nextToProbe(this.#self, nowMs, this.#params.gossipToTheDead);
      if (target !== undefined) this.#prober.start(target, this.#awareness, nowMs);
    }
    if (this.#gossipTickMs <= nowMs) {
      this.#gossipTickMs = nextTick(this.#gossipTickMs, this.#params.gossipInterval, nowMs);
      this.#gossip(nowMs);
    }
    if (this.#pushPullTickMs <= nowMs) {
      const intervalMs = pushPullIntervalMs(this.#params.pushPullInterval, this.#list.count);
      this.#pushPullTickMs = nextTick(this.#pushPullTickMs, intervalMs, nowMs);
      for (const { member } of this.#list.pick(1, (other) => this.#isOther(other) && other.status === 'alive')) {
        this.#sendAll(member, false);
      }
    }
    if (this.#reconnectTickMs <= nowMs) {
      this.#reconnectTickMs = nextTick(this.#reconnectTickMs, this.#params.reconnectInterval, nowMs);
      this.#reconnect();
    }
  }

  /** All that this member knows, itself included; the dead only for a while. */
  members(): readonly MemberRecord[] {
    return this.#list.all().map(({ member, incarnation, status }) => ({ member, incarnation, status }));
  }

  statusOf(member: number): MemberStatus | undefined {
    return this.#list.get(member)?.status;
  }

  /** 0 for full confidence in itself, up to awarenessMaxMultiplier − 1. */
  healthScore(): number {
    return this.#awareness;
  }

  /** What it has still to pass on. */
  pendingUpdates(): readonly Update[] {
    return this.#news.pending();
  }

  #answer(from: number, message: SwimMessage, nowMs: Ms): void {
    switch (message.type) {
      case 'ping':
        // A ping for somebody who had this address before is not answered in their place.
        if (message.target !== this.#self) return;
        this.#transport.send(
          from,
          { type: 'ack', sequence: message.sequence, updates: message.isReliable ? [] : this.#takeNews() },
          message.isReliable,
        );
        return;
      case 'indirect-ping':
        this.#prober.onRequest(from, message.target, message.sequence, nowMs);
        return;
      case 'ack':
        this.#prober.onAck(message.sequence, nowMs);
        return;
      case 'nack':
        this.#prober.onNack(message.sequence);
        return;
      case 'push-pull':
        if (!message.isReply) this.#sendAll(from, true);
        for (const record of message.members) this.#merge(record, nowMs);
        return;
      case 'gossip':
    }
  }

  /** One line of what another member knows. Its dead are only suspected here: they may still be able to defend themselves. */
  #merge({ member, incarnation, status }: MemberRecord, nowMs: Ms): void {
    if (status === 'alive') this.#hearAlive({ kind: 'alive', member, incarnation, from: member }, nowMs);
    else if (status === 'left') this.#hearDead({ kind: 'dead', member, incarnation, from: member }, nowMs);
    else this.#hearSuspect({ kind: 'suspect', member, incarnation, from: this.#self }, nowMs);
  }

  #hear(update: Update, nowMs: Ms): void {
    if (update.kind === 'alive') this.#hearAlive(update, nowMs);
    else if (update.kind === 'suspect') this.#hearSuspect(update, nowMs);
    else this.#hearDead(update, nowMs);
  }

  #hearAlive(update: Update, nowMs: Ms): void {
    if (update.member === this.#self) {
      // Somebody remembers a former life of this member.
      if (!this.#hasLeft && update.incarnation > this.#me.incarnation) this.#refute(update.incarnation);
      return;
    }
    const member = this.#list.get(update.member) ?? this.#list.add(update.member, nowMs);
    if (update.incarnation <= member.incarnation) return;
    this.#suspicions.delete(update.member);
    this.#news.queue(update);
    member.incarnation = update.incarnation;
    if (member.status === 'alive') return;
    const before = member.status;
    this.#setStatus(member, 'alive', nowMs);
    this.#failed.delete(update.member);
    if (before === 'suspect') this.#sink.suspect?.(update.member, false, nowMs);
    else this.#sink.believe(update.member, true, nowMs);
  }

  #hearSuspect(update: Update, nowMs: Ms): void {
    const member = this.#list.get(update.member);
    if (member === undefined || update.incarnation < member.incarnation) return;
    const suspicion = this.#suspicions.get(update.member);
    if (suspicion !== undefined) {
      // Confirmations are passed on too, so that all members' suspicions shorten.
      if (suspicion.confirm(update.from, nowMs)) {
        this.#news.queue(update);
        if (suspicion.endsMs <= nowMs) this.#condemn(update.member, nowMs);
      }
      return;
    }
    if (member.status !== 'alive') return;
    if (member === this.#me) {
      this.#refute(update.incarnation);
      return;
    }
    this.#news.queue(update);
    member.incarnation = update.incarnation;
    this.#setStatus(member, 'suspect', nowMs);
    const { suspicionMult, suspicionMaxTimeoutMult, probeInterval } = this.#params;
    const terms = suspicionTerms(this.#list.count, suspicionMult, suspicionMaxTimeoutMult, probeInterval);
    this.#suspicions.set(update.member, new Suspicion(update.from, terms, nowMs));
    this.#sink.suspect?.(update.member, true, nowMs);
  }

  #hearDead(update: Update, nowMs: Ms): void {
    const member = this.#list.get(update.member);
    if (member === undefined || update.incarnation < member.incarnation) return;
    const wasSuspected = this.#suspicions.delete(update.member);
    if (isGone(member)) return;
    if (member === this.#me && !this.#hasLeft) {
      this.#refute(update.incarnation);
      return;
    }
    this.#news.queue(update);
    member.incarnation = update.incarnation;
    this.#setStatus(member, update.from === update.member ? 'left' : 'dead', nowMs);
    if (member === this.#me) return;
    if (member.status === 'dead') this.#failed.add(update.member);
    else this.#failed.delete(update.member);
    if (wasSuspected) this.#sink.suspect?.(update.member, false, nowMs);
    this.#sink.believe(update.member, false, nowMs);
  }

  /** Asks one of the dead, now and then: all together ask each of them about once per interval. */
  #reconnect(): void {
    if (this.#failed.size === 0) return;
    const alive = this.#list.all().filter((member) => !isGone(member)).length;
    if (this.#rng.next() > this.#failed.size / Math.max(alive, 1)) return;
    this.join([...this.#failed][this.#rng.below(this.#failed.size)]);
  }

  /** Nobody spoke up for the suspect in time. */
  #condemn(member: number, nowMs: Ms): void {
    const incarnation = this.#list.get(member)?.incarnation ?? 0;
    this.#hearDead({ kind: 'dead', member, incarnation, from: this.#self }, nowMs);
  }

  /** Outbids the accusation. Having had to is a reason to doubt oneself. */
  #refute(accusedIncarnation: number): void {
    const incarnation = Math.max(this.#me.incarnation, accusedIncarnation) + 1;
    this.#me.incarnation = incarnation;
    this.#adjustAwareness(1);
    this.#news.queue({ kind: 'alive', member: this.#self, incarnation, from: this.#self });
  }

  #setStatus(member: Member, status: MemberStatus, nowMs: Ms): void {
    member.status = status;
    member.changedAtMs = nowMs;
  }

  #sendPing(target: Member, sequence: number): void {
    const { member, incarnation, status } = target;
    // A suspect hears of it at once, so that it can defend itself as soon as possible.
    const updates: readonly Update[] =
      status === 'alive' ? this.#takeNews() : [{ kind: 'suspect', member, incarnation, from: this.#self }];
    this.#transport.send(member, { type: 'ping', sequence, target: member, isReliable: false, updates }, false);
  }

  #askOthers(target: Member, sequence: number): number {
    const isHelper = (other: Member): boolean => this.#isOther(other) && other !== target && other.status === 'alive';
    const helpers = this.#list.pick(this.#params.indirectChecks, isHelper);
    for (const { member } of helpers) {
      const message: SwimMessage = { type: 'indirect-ping', sequence, target: target.member, updates: this.#takeNews() };
      this.#transport.send(member, message, false);
    }
    return helpers.length;
  }

  #onVerdict(target: Member, isAlive: boolean, doubt: number, nowMs: Ms): void {
    this.#adjustAwareness(doubt);
    if (isAlive) return;
    const { member, incarnation } = target;
    this.#hearSuspect({ kind: 'suspect', member, incarnation, from: this.#self }, nowMs);
  }

  #gossip(nowMs: Ms): void {
    if (this.#news.size === 0) return;
    const { gossipNodes, gossipToTheDead } = this.#params;
    const listens = (other: Member): boolean => {
      if (!this.#isOther(other)) return false;
      if (other.status === 'dead') return nowMs - other.changedAtMs <= gossipToTheDead;
      return other.status !== 'left';
    };
    for (const { member } of this.#list.pick(gossipNodes, listens)) {
      const updates = this.#takeNews();
      if (updates.length === 0) return;
      this.#transport.send(member, { type: 'gossip', updates }, false);
    }
  }

  #sendAll(to: number, isReply: boolean): void {
    this.#transport.send(to, { type: 'push-pull', isReply, members: this.members(), updates: [] }, true);
  }

  #takeNews(): readonly Update[] {
    const { maxUpdatesPerMessage, retransmitMult } = this.#params;
    return this.#news.take(maxUpdatesPerMessage, retransmitLimit(retransmitMult, this.#list.count));
  }

  #adjustAwareness(delta: number): void {
    this.#awareness = nextAwareness(this.#awareness, delta, this.#params.awarenessMaxMultiplier);
  }

  #isOther({ member }: Member): boolean {
    return member !== this.#self;
  }
}

/** The first tick of start + k · interval after now. */
function nextTick(dueMs: Ms, intervalMs: Ms, nowMs: Ms): Ms {
  let tickMs = dueMs + intervalMs;
  if (tickMs <= nowMs) tickMs = dueMs + (Math.floor((nowMs - dueMs) / intervalMs) + 1) * intervalMs;
  return tickMs;
}
