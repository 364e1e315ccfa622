/** One member, hearing and sending. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  Membership,
  memberships,
  swim,
  swimPresets,
  type SwimMessage,
  type SwimParams,
  type Update,
} from '../../../../src/policies/detection/swim/index.ts';
import { defaults } from '../../../../src/core/params.ts';
import { testRng } from '../../fixtures.ts';

describe('a member', () => {
  let log: string[];
  let sent: { to: number; message: SwimMessage; isReliable: boolean }[];
  let member: Membership;

  const make = (params: Partial<SwimParams> = {}): Membership =>
    swim.make(params, {
      self: 0,
      rng: testRng(1),
      transport: { send: (to, message, isReliable) => sent.push({ to, message, isReliable }) },
      sink: {
        believe: (about, alive, nowMs) => log.push(`${nowMs}: ${about} ${alive ? 'alive' : 'dead'}`),
        suspect: (about, isSuspected, nowMs) => log.push(`${nowMs}: ${about} ${isSuspected ? 'suspected' : 'cleared'}`),
      },
    });
  const hear = (update: Update, nowMs = 0): void => member.receive(update.from, { type: 'gossip', updates: [update] }, nowMs);
  const suspect = (about: number, incarnation: number, from: number): Update => ({
    kind: 'suspect',
    member: about,
    incarnation,
    from,
  });
  const alive = (about: number, incarnation: number): Update => ({ kind: 'alive', member: about, incarnation, from: about });
  const types = (): string[] => sent.map(({ message }) => message.type);
  /** Fires all timers on the way. */
  const advanceTo = (endMs: number): void => {
    for (let nextMs = member.nextTimerMs(); nextMs <= endMs; nextMs = member.nextTimerMs()) member.onTimer(nextMs);
  };

  beforeEach(() => {
    log = [];
    sent = [];
    member = make();
  });

  it('answers a ping that is meant for it, the same way it came', () => {
    member.receive(3, { type: 'ping', sequence: 7, target: 0, isReliable: false, updates: [] }, 0);
    member.receive(3, { type: 'ping', sequence: 8, target: 0, isReliable: true, updates: [] }, 0);
    member.receive(3, { type: 'ping', sequence: 9, target: 4, isReliable: false, updates: [] }, 0);
    expect(sent).toMatchObject([
      { to: 3, message: { type: 'ack', sequence: 7 }, isReliable: false },
      { to: 3, message: { type: 'ack', sequence: 8 }, isReliable: true },
    ]);
  });

  it('pings, then asks three others and tries a connection, then suspects', () => {
    member = make({ pushPullInterval: 0 });
    member.start(0, [0, 1, 2, 3, 4, 5]);
    let pingMs = 0;
    while (sent.length === 0) {
      pingMs = member.nextTimerMs();
      member.onTimer(pingMs);
    }
    expect(types()).toEqual(['ping']);
    const { to: target } = sent[0];
    advanceTo(pingMs + 499);
    expect(types()).toEqual(['ping']);
    advanceTo(pingMs + 999);
    expect(types().slice(0, 5)).toEqual(['ping', 'indirect-ping', 'indirect-ping', 'indirect-ping', 'ping']);
    expect(sent[4]).toMatchObject({ to: target, isReliable: true });
    expect(new Set(sent.slice(1, 4).map(({ to }) => to)).size).toBe(3);
    expect(sent.slice(1, 4).map(({ to }) => to)).not.toContain(target);
    expect(member.healthScore()).toBe(0);
    advanceTo(pingMs + 1000);
    expect(log).toEqual([`${pingMs + 1000}: ${target} suspected`]);
    // Three helpers, and no word from any of them.
    expect(member.healthScore()).toBe(3);
  });

  it('takes an answer through others, or over the connection, for an answer', () => {
    for (const way of ['others', 'connection']) {
      sent = [];
      log = [];
      member = make({ pushPullInterval: 0 });
      member.start(0, [0, 1, 2, 3, 4, 5]);
      while (types().length < 5) member.onTimer(member.nextTimerMs());
      const { message } = sent[way === 'others' ? 0 : 4];
      if (message.type !== 'ping') throw new Error('expected a ping');
      const nowMs = member.nextTimerMs() - 1;
      member.receive(way === 'others' ? 5 : sent[0].to, { type: 'ack', sequence: message.sequence, updates: [] }, nowMs);
      member.onTimer(nowMs + 1);
      expect(log).toEqual([]);
      expect(member.healthScore()).toBe(0);
    }
  });

  it('pings for others, and passes the answer on or says that there was none', () => {
    member.receive(1, { type: 'indirect-ping', sequence: 70, target: 2, updates: [] }, 0);
    member.receive(3, { type: 'indirect-ping', sequence: 80, target: 4, updates: [] }, 10);
    const forwarded = sent.map(({ message }) => message);
    expect(sent.map(({ to }) => to)).toEqual([2, 4]);
    if (forwarded[0].type !== 'ping') throw new Error('expected a ping');
    member.receive(2, { type: 'ack', sequence: forwarded[0].sequence, updates: [] }, 20);
    expect(sent[2]).toMatchObject({ to: 1, message: { type: 'ack', sequence: 70 } });
    advanceTo(509);
    expect(sent).toHaveLength(3);
    advanceTo(510);
    expect(sent[3]).toMatchObject({ to: 3, message: { type: 'nack', sequence: 80 } });
    expect(member.nextTimerMs()).toBe(Infinity);
  });

  it('defends itself against suspicion and doubts itself more', () => {
    hear(suspect(0, 1, 4));
    expect(member.members()).toContainEqual({ member: 0, incarnation: 2, status: 'alive' });
    expect(member.pendingUpdates()).toEqual([alive(0, 2)]);
    expect(member.healthScore()).toBe(1);
    hear(suspect(0, 1, 5));
    expect(member.healthScore()).toBe(1);
  });

  it('suspects for as long as nobody confirms, and shorter with each that does', () => {
    for (let about = 1; about <= 9; about++) hear(alive(about, 1));
    hear(suspect(1, 1, 2));
    // n = 10: between 4 s and 24 s, two confirmations wanted.
    expect(member.nextTimerMs()).toBe(24_000);
    hear(suspect(1, 1, 2), 100);
    expect(member.nextTimerMs()).toBe(24_000);
    hear(suspect(1, 1, 3), 1000);
    // 24 − ln 2 / ln 3 · 20 = 11.381 s in all.
    expect(member.nextTimerMs()).toBe(11_381);
    hear(suspect(1, 1, 4), 2000);
    expect(member.nextTimerMs()).toBe(4000);
    advanceTo(4000);
    expect(log.slice(-3)).toEqual(['0: 1 suspected', '4000: 1 cleared', '4000: 1 dead']);
  });

  it('believes a suspect that outbids the suspicion, and no older news', () => {
    hear(alive(1, 4));
    hear(suspect(1, 4, 2));
    hear(alive(1, 4));
    expect(member.statusOf(1)).toBe('suspect');
    hear(alive(1, 5));
    expect(member.statusOf(1)).toBe('alive');
    hear({ kind: 'dead', member: 1, incarnation: 4, from: 2 });
    expect(member.statusOf(1)).toBe('alive');
    expect(log).toEqual(['0: 1 alive', '0: 1 suspected', '0: 1 cleared']);
  });

  it('tells a suspect so with its next ping', () => {
    member = make({ pushPullInterval: 0, gossipNodes: 0 });
    member.start(0, [0, 1]);
    hear(suspect(1, 1, 9));
    advanceTo(999);
    expect(sent[0].message.updates).toEqual([{ kind: 'suspect', member: 1, incarnation: 1, from: 0 }]);
  });

  it('passes each piece of news on so often as its group is large, and one about each member', () => {
    member = make({ retransmitMult: 1 });
    hear(alive(1, 1));
    hear(alive(1, 2));
    expect(member.pendingUpdates()).toEqual([alive(1, 2)]);
    const ping: SwimMessage = { type: 'ping', sequence: 1, target: 0, isReliable: false, updates: [] };
    // 1 · ⌈log10(2 + 1)⌉ = 1.
    member.receive(1, ping, 0);
    member.receive(1, ping, 0);
    expect(sent.map(({ message }) => message.updates)).toEqual([[alive(1, 2)], []]);
  });

  it('is not harmed by timers that fire early', () => {
    const run = (isNervous: boolean): string[] => {
      log = [];
      sent = [];
      member = make();
      member.start(0, [0, 1, 2, 3]);
      for (let nowMs = 0; nowMs < 60_000; nowMs += 50) {
        advanceTo(nowMs);
        if (isNervous) member.onTimer(nowMs);
      }
      return [...log, ...types()];
    };
    expect(run(true)).toEqual(run(false));
  });

  it('has the presets of memberlist', () => {
    expect(memberships.swim).toBe(swim);
    const wan = { ...defaults(swim.params), ...swimPresets.wan };
    expect([wan.probeInterval, wan.probeTimeout, wan.indirectChecks, wan.gossipNodes]).toEqual([5000, 3000, 3, 4]);
    const local = { ...defaults(swim.params), ...swimPresets.local };
    expect([local.probeInterval, local.probeTimeout, local.indirectChecks, local.retransmitMult]).toEqual([1000, 200, 1, 2]);
  });
});
