/** The members that one member knows, in the order in which it will probe them: shuffled once per round, so that everybody is
 *  probed once in each. Newcomers are put at a random place of the round that runs; the dead leave at its end, after a while. */
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import type { MemberRecord, MemberStatus } from './messages.ts';

export interface Member extends MemberRecord {
  incarnation: number;
  status: MemberStatus;
  changedAtMs: Ms;
}

export const isGone = ({ status }: { readonly status: MemberStatus }): boolean => status === 'dead' || status === 'left';

export class MemberList {
  readonly #rng: Rng;
  readonly #byNumber = new Map<number, Member>();
  #round: Member[] = [];
  #next = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** Including oneself, and the dead that have not left the list yet. */
  get count(): number {
    return this.#round.length;
  }

  get(member: number): Member | undefined {
    return this.#byNumber.get(member);
  }

  all(): readonly Member[] {
    return this.#round;
  }

  /** A member not known before; it counts as dead until somebody says more. */
  add(member: number, nowMs: Ms): Member {
    const added: Member = { member, incarnation: 0, status: 'dead', changedAtMs: nowMs };
    this.#byNumber.set(member, added);
    const place = this.#round.length === 0 ? 0 : this.#rng.below(this.#round.length);
    this.#round.push(added);
    swap(this.#round, place, this.#round.length - 1);
    return added;
  }

  /** Whom to probe now, if anybody. */
  nextToProbe(self: number, nowMs: Ms, gossipToTheDeadMs: Ms): Member | undefined {
    for (let looked = 0; looked < this.#round.length; looked++) {
      if (this.#next >= this.#round.length) {
        this.#startRound(nowMs, gossipToTheDeadMs);
        this.#next = 0;
        continue;
      }
      const member = this.#round[this.#next++];
      if (member.member !== self && !isGone(member)) return member;
    }
    return undefined;
  }

  /** Up to `count` different members that `accepts` takes. Tries three times per member, so a small group is searched well. */
  pick(count: number, accepts: (member: Member) => boolean): readonly Member[] {
    const picked: Member[] = [];
    const size = this.#round.length;
    for (let attempt = 0; attempt < 3 * size && picked.length < count; attempt++) {
      const member = this.#round[this.#rng.below(size)];
      if (accepts(member) && !picked.includes(member)) picked.push(member);
    }
    return picked;
  }

  #startRound(nowMs: Ms, gossipToTheDeadMs: Ms): void {
    const kept = moveDead(this.#round, nowMs, gossipToTheDeadMs);
    for (const { member } of this.#round.splice(kept)) this.#byNumber.delete(member);
    for (let last = this.#round.length - 1; last > 0; last--) swap(this.#round, last, this.#rng.below(last + 1));
  }
}

/** Moves those that have been gone for longer than `gossipToTheDeadMs` to the end; returns how many come before them. */
export function moveDead(members: Pick<Member, 'status' | 'changedAtMs'>[], nowMs: Ms, gossipToTheDeadMs: Ms): number {
  let end = members.length;
  for (let at = 0; at < end;) {
    if (isGone(members[at]) && nowMs - members[at].changedAtMs > gossipToTheDeadMs) swap(members, at, --end);
    else at++;
  }
  return end;
}

function swap<Item>(items: Item[], a: number, b: number): void {
  const kept = items[a];
  items[a] = items[b];
  items[b] = kept;
}
