/** Kinds about SWIM and Lifeguard. */
import {
  firstDetectionLimitMs,
  firstDetectionMs,
  Membership,
  nextAwareness,
  pushPullIntervalMs,
  remainingSuspicionMs,
  retransmitLimit,
  scaledByAwareness,
  Suspicion,
  suspicionTerms,
  suspicionTimeoutMs,
  swim,
  type SwimParams,
  type Update,
  worstDetectionPeriods,
} from '../../../src/policies/detection/swim/index.ts';
import { moveDead } from '../../../src/policies/detection/swim/member-list.ts';
import type { MemberStatus } from '../../../src/policies/detection/swim/messages.ts';
import { defaults } from '../../../src/core/params.ts';
import { type Adapters } from '../vector-file.ts';
import { Script } from './stage.ts';

interface NamedState {
  readonly name: string;
  readonly incarnation: number;
  readonly state: MemberStatus;
}

export const swimAdapters: Adapters = {
  'swim.remainingSuspicion': (input: {
    readonly confirmations: number;
    readonly k: number;
    readonly elapsedMs: number;
    readonly minMs: number;
    readonly maxMs: number;
  }) => ({ remainingMs: remainingSuspicionMs(input.confirmations, input.k, input.elapsedMs, input.minMs, input.maxMs) }),
  'swim.suspicionTimer': (input: {
    readonly from: string;
    readonly k: number;
    readonly minMs: number;
    readonly maxMs: number;
    readonly cases: readonly { readonly confirmFrom: readonly string[] }[];
  }) => {
    const results = input.cases.map(({ confirmFrom }) => {
      const names = new Names();
      const terms = { minMs: input.minMs, maxMs: input.maxMs, confirmations: input.k };
      const suspicion = new Suspicion(names.number(input.from), terms, 0);
      const accepted = confirmFrom.filter((from) => suspicion.confirm(names.number(from), 0)).length;
      return { accepted, totalMs: suspicion.endsMs };
    });
    return {
      acceptedConfirmations: results.map(({ accepted }) => accepted),
      totalTimeoutMs: results.map(({ totalMs }) => totalMs),
    };
  },
  'swim.suspicionTimeout': (input: {
    readonly suspicionMult: number;
    readonly clusterSize: number;
    readonly probeIntervalMs: number;
  }) => ({
    timeoutMs: suspicionTimeoutMs(input.suspicionMult, input.clusterSize, input.probeIntervalMs),
    timeoutOverMultMs: suspicionTimeoutMs(1, input.clusterSize, input.probeIntervalMs),
  }),
  'swim.lanTimeouts': (input: {
    readonly suspicionMult: number;
    readonly suspicionMaxTimeoutMult: number;
    readonly probeIntervalMs: number;
    readonly clusterSizes: readonly number[];
  }) => {
    const terms = input.clusterSizes.map((n) =>
      suspicionTerms(n, input.suspicionMult, input.suspicionMaxTimeoutMult, input.probeIntervalMs),
    );
    return {
      minMs: terms.map(({ minMs }) => minMs),
      maxMs: terms.map(({ maxMs }) => maxMs),
      k: terms.map(({ confirmations }) => confirmations),
      initialTimeoutMs: terms.map((each) => new Suspicion(1, each, 0).endsMs),
    };
  },
  'swim.suspectToDead': (input: {
    readonly suspicionMult: number;
    readonly suspicionMaxTimeoutMult: number;
    readonly probeIntervalMs: number;
    readonly rows: readonly { readonly peers: number; readonly confirmations: number }[];
  }) => ({
    suspectToDeadMs: input.rows.map(({ peers, confirmations }) => {
      const rig = new SwimRig({
        suspicionMult: input.suspicionMult,
        suspicionMaxTimeoutMult: input.suspicionMaxTimeoutMult,
        probeInterval: input.probeIntervalMs,
      });
      const names = Array.from({ length: peers }, (_, i) => `peer${i}`);
      for (const name of names) rig.say({ kind: 'alive', name, incarnation: 1 });
      rig.say({ kind: 'suspect', name: 'peer0', incarnation: 1 });
      for (const from of names.slice(1, 1 + confirmations)) rig.say({ kind: 'suspect', name: 'peer0', incarnation: 1, from });
      return rig.runUntilDead('peer0');
    }),
  }),

  'swim.retransmitLimit': (input: { readonly rows: readonly { readonly retransmitMult: number; readonly n: number }[] }) => ({
    limit: input.rows.map(({ retransmitMult, n }) => retransmitLimit(retransmitMult, n)),
  }),
  'swim.pushPullScale': (input: { readonly intervalMs: number; readonly n: readonly number[] }) => ({
    scaledMs: input.n.map((n) => pushPullIntervalMs(input.intervalMs, n)),
  }),
  'swim.awareness': (input: {
    readonly awarenessMaxMultiplier: number;
    readonly baseTimeoutMs: number;
    readonly deltas: readonly number[];
  }) => {
    let current = 0;
    const score = input.deltas.map((delta) => (current = nextAwareness(current, delta, input.awarenessMaxMultiplier)));
    return { score, scaledTimeoutMs: score.map((each) => scaledByAwareness(input.baseTimeoutMs, each)) };
  },
  'swim.firstDetection': (input: { readonly n: readonly number[]; readonly protocolPeriodMs: number }) => ({
    expectedMs: input.n.map((n) => firstDetectionMs(n, input.protocolPeriodMs)),
    limitMs: firstDetectionLimitMs(input.protocolPeriodMs),
    // The row has the bound as a formula in n.
    worstCaseRoundRobinPeriods: `${worstDetectionPeriods(1) - worstDetectionPeriods(0)}n${worstDetectionPeriods(0)}`,
  }),

  'swim.moveDead': (input: {
    readonly gossipToTheDeadMs: number;
    readonly nodes: readonly { readonly state: MemberStatus; readonly stateAgeMs: number }[];
  }) => {
    const members = input.nodes.map(({ state, stateAgeMs }) => ({ status: state, changedAtMs: -stateAgeMs }));
    const deadIndex = moveDead(members, 0, input.gossipToTheDeadMs);
    const isGone = ({ status }: { readonly status: MemberStatus }): boolean => status === 'dead' || status === 'left';
    const states = Object.fromEntries(members.map(({ status }, i) => [`stateAt${i}`, status]));
    const recent = (i: number): boolean => isGone(members[i]) && -members[i].changedAtMs <= input.gossipToTheDeadMs;
    return {
      deadIndex,
      ...states,
      othersBelowIndex: members.slice(0, deadIndex).every((member, i) => recent(i) || !isGone(member)) ? 'alive' : 'mixed',
      atOrAboveIndex: members.slice(deadIndex).every(isGone) ? 'dead-or-left' : 'mixed',
    };
  },
  'swim.merge': (input: { readonly local: readonly NamedState[]; readonly remote: readonly NamedState[] }) => {
    const rig = new SwimRig({});
    for (const { name, incarnation, state } of input.local) {
      rig.say({ kind: 'alive', name, incarnation });
      if (state !== 'alive') rig.say({ kind: state === 'suspect' ? 'suspect' : 'dead', name, incarnation });
    }
    rig.events.length = 0;
    rig.merge(input.remote);
    const names = new Set([...input.local, ...input.remote].map(({ name }) => name));
    return { after: [...names].map((name) => ({ name, ...rig.state(name) })), events: rig.events };
  },
  'swim.messages': (input: {
    readonly messages: readonly {
      readonly type: Update['kind'];
      readonly node: string;
      readonly incarnation: number;
      readonly from?: string;
    }[];
  }) => {
    const rig = new SwimRig({});
    for (const { type, node, incarnation, from } of input.messages) rig.say({ kind: type, name: node, incarnation, from });
    return {
      ...rig.state(input.messages[0].node),
      broadcasts: rig.membership.pendingUpdates().map(({ kind }) => kind),
    };
  },
  'swim.refute': (input: {
    readonly rows: readonly { readonly ownIncarnation: number; readonly accusedIncarnation: number }[];
  }) => {
    const rigs = input.rows.map(({ ownIncarnation, accusedIncarnation }) => {
      const rig = new SwimRig({});
      // Brought there by an accusation of its own.
      if (ownIncarnation > 1) rig.say({ kind: 'suspect', name: 'self', incarnation: ownIncarnation - 1 });
      const before = rig.membership.healthScore();
      rig.say({ kind: 'suspect', name: 'self', incarnation: accusedIncarnation });
      return { rig, delta: rig.membership.healthScore() - before };
    });
    return {
      newIncarnation: rigs.map(({ rig }) => rig.state('self').incarnation),
      awarenessDelta: same(rigs.map(({ delta }) => delta)),
      broadcast: same(rigs.map(({ rig }) => rig.membership.pendingUpdates()[0]?.kind)),
    };
  },
};

/** The value they share. */
const same = <Value>(values: readonly Value[]): Value | readonly Value[] =>
  values.every((value) => value === values[0]) ? values[0] : values;

class Names {
  readonly #numbers = new Map<string, number>();

  number(name: string): number {
    const number = this.#numbers.get(name) ?? this.#numbers.size;
    this.#numbers.set(name, number);
    return number;
  }

  name(number: number): string | undefined {
    return [...this.#numbers.keys()][number];
  }
}

/** One member, called `self`, that hears messages but does not probe. */
class SwimRig {
  readonly membership: Membership;
  readonly events: { type: string; name: string | undefined }[] = [];
  readonly #names = new Names();

  constructor(params: Partial<SwimParams>) {
    const self = this.#names.number('self');
    this.membership = new Membership(
      { ...defaults(swim.params), ...params },
      {
        self,
        rng: { ...new Script(), next: () => 0, uint32: () => 0, below: () => 0 },
        transport: { send: () => {} },
        sink: {
          believe: (member, alive) => this.events.push({ type: alive ? 'join' : 'leave', name: this.#names.name(member) }),
        },
      },
    );
  }

  say(news: { kind: Update['kind']; name: string; incarnation: number; from?: string | undefined }): void {
    const { kind, name, incarnation, from = 'somebody' } = news;
    const update: Update = { kind, member: this.#names.number(name), incarnation, from: this.#names.number(from) };
    this.membership.receive(update.from, { type: 'gossip', updates: [update] }, 0);
  }

  merge(states: readonly NamedState[]): void {
    const members = states.map(({ name, incarnation, state }) => ({
      member: this.#names.number(name),
      incarnation,
      status: state,
    }));
    const from = this.#names.number('somebody');
    this.membership.receive(from, { type: 'push-pull', isReply: true, members, updates: [] }, 0);
  }

  state(name: string): { readonly state: MemberStatus | undefined; readonly incarnation: number | undefined } {
    const known = this.membership.members().find(({ member }) => member === this.#names.number(name));
    return { state: known?.status, incarnation: known?.incarnation };
  }

  runUntilDead(name: string): number {
    while (this.state(name).state !== 'dead') {
      const nextMs = this.membership.nextTimerMs();
      if (nextMs === Infinity) return Infinity;
      this.membership.onTimer(nextMs);
      if (this.state(name).state === 'dead') return nextMs;
    }
    return 0;
  }
}
