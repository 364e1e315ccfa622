/** What members say to each other. Messages are plain data and are not changed after they were sent. */

/** `left` is what a member says of itself; of others they are `dead`. */
export type MemberStatus = 'alive' | 'suspect' | 'dead' | 'left';

/** A piece of news about a member. The incarnation is the subject's own count of how often it had to defend itself. */
export interface Update {
  readonly kind: 'alive' | 'suspect' | 'dead';
  readonly member: number;
  readonly incarnation: number;
  /** Who says so first; a member that reports its own death has left. */
  readonly from: number;
}

/** One line of a full exchange. */
export interface MemberRecord {
  readonly member: number;
  readonly incarnation: number;
  readonly status: MemberStatus;
}

interface Piggyback {
  readonly updates: readonly Update[];
}

export type SwimMessage = Piggyback &
  (
    | /** Over a reliable connection, whose answer takes the same way back. */
      { readonly type: 'ping'; readonly sequence: number; readonly target: number; readonly isReliable: boolean }
    /** Please ping `target` for me; say so if it does not answer you either. */
    | { readonly type: 'indirect-ping'; readonly sequence: number; readonly target: number }
    | { readonly type: 'ack'; readonly sequence: number }
    | { readonly type: 'nack'; readonly sequence: number }
    | { readonly type: 'gossip' }
    /** All I know; `isReply` to yours. */
    | { readonly type: 'push-pull'; readonly isReply: boolean; readonly members: readonly MemberRecord[] }
  );
