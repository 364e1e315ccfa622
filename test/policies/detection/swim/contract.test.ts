/** Every group membership of the table against the contract, and the contract against memberships that break it. */
import { describe, expect, it } from 'vitest';
import {
  checkMembership,
  type Membership,
  type MembershipDeps,
  memberships,
  type SwimMessage,
  swim,
  swimPresets,
} from '../../../../src/policies/detection/swim/index.ts';
import { type MakeMembership, membershipRules } from '../../../../src/policies/detection/swim/contract.ts';

for (const definition of Object.values(memberships)) {
  describe.each([swimPresets.lan, swimPresets.local, { awarenessMaxMultiplier: 1, suspicionMaxTimeoutMult: 1 }])(
    `${definition.name} %j keeps the contract of memberships: it`,
    (params) => {
      for (const rule of membershipRules) {
        it(rule.name, () => expect(rule.check((deps) => definition.make(params, deps))).toEqual([]));
      }
    },
  );
}

describe('the contract', () => {
  type Made = ReturnType<MakeMembership>;
  const spoilt =
    (spoil: (member: Membership, deps: MembershipDeps) => Partial<Made>): MakeMembership =>
    (deps) => {
      const member = swim.make({}, deps);
      return {
        start: (nowMs, others) => member.start(nowMs, others),
        join: (seed) => member.join(seed),
        leave: (nowMs) => member.leave(nowMs),
        receive: (from, message, nowMs) => member.receive(from, message, nowMs),
        nextTimerMs: () => member.nextTimerMs(),
        onTimer: (nowMs) => member.onTimer(nowMs),
        ...spoil(member, deps),
      };
    };
  const complaints = (spoil: Parameters<typeof spoilt>[0]): string => checkMembership(spoilt(spoil)).join('\n');

  it('finds nothing wrong with an honest membership', () => {
    expect(checkMembership(spoilt(() => ({})))).toEqual([]);
  });

  it('notices members that do not answer, though they may defend themselves for long', () => {
    const silent = complaints((member) => ({
      receive: (from: number, message: SwimMessage, nowMs: number) => {
        if (message.type !== 'ping') member.receive(from, message, nowMs);
      },
    }));
    expect(silent).toContain('and of nothing else: told');
  });

  it('notices members that keep the news to themselves, or never look', () => {
    const mute = complaints((member) => ({
      receive: (from: number, message: SwimMessage, nowMs: number) => member.receive(from, { ...message, updates: [] }, nowMs),
    }));
    expect(mute).toContain('tells every other member of one that leaves, soon');
    expect(complaints(() => ({ nextTimerMs: () => Infinity }))).toContain('tells every survivor of a crash');
  });

  it('notices members that flood the network', () => {
    const loud = complaints((member, { transport }) => ({
      onTimer: (nowMs: number) => {
        member.onTimer(nowMs);
        for (let i = 0; i < 20; i++) transport.send(1, { type: 'gossip', updates: [] }, false);
      },
    }));
    expect(loud).toContain('per member and second');
  });
});
