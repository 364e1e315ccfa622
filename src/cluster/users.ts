/** Closed loops: users who wait for the answer, think, and ask again; or the sessions of a recording, whose requests keep their order and
 *  their think times. A user never has more than one request out, so a slow system is asked less: say so when comparing with an open
 *  loop. Everything a user draws is keyed by the user and the how many-eth request it is. */
import type { KeyedDraws } from '../core/streams.ts';
import type { Ms } from '../core/time.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import type { Engine } from '../engine/index.ts';
import type { ArrivalSpec } from '../scenario/spec.ts';
import type { ReplayData } from '../scenario/replay-data.ts';
import { makeSampler, type Sampler } from '../stats/samplers.ts';
import { eventKinds } from './events.ts';

/** Requests of a user stay apart from the next user's: 2^20 of them and 2^20 users stay below 2^40. */
const PER_USER = 1_048_576;
const THINK = 2;
const SESSION = 3;
const NONE = -1;

interface Pace {
  readonly count: number;
  /** When the user first asks; Infinity for never. */
  firstMs(user: number): Ms;
  /** From the end of the user's n-th request to the next; Infinity for none. */
  pauseMs(user: number, done: number): Ms;
  /** Row of the recording behind the user's n-th request; −1 for none. */
  placeOf(user: number, done: number): number;
}

export class Users {
  readonly count: number;
  private readonly engine: Engine;
  private readonly source: number;
  private readonly pace: Pace;
  private readonly done: Int32Array;
  private readonly repeats: Int32Array;

  constructor(engine: Engine, spec: ArrivalSpec, source: number, keyed: KeyedDraws, rng: Xoshiro128) {
    this.engine = engine;
    this.source = source;
    this.pace = spec.type === 'replay' ? new RecordedPace(spec.data) : new ThinkingPace(spec as UsersSpec, keyed, rng);
    this.count = this.pace.count;
    this.done = new Int32Array(this.count);
    this.repeats = new Int32Array(this.count);
    for (let user = 0; user < this.count; user++) this.wakeIn(user, this.pace.firstMs(user));
  }

  /** Number of the request the user makes now. */
  requestOf(user: number): number {
    return user * PER_USER + this.done[user];
  }

  repeatsOf(user: number): number {
    return this.repeats[user];
  }

  placeOf(user: number): number {
    return this.pace.placeOf(user, this.done[user]);
  }

  /** The user's request is over. */
  ended(user: number): void {
    this.repeats[user] = 0;
    const pauseMs = this.pace.pauseMs(user, this.done[user]);
    this.done[user]++;
    this.wakeIn(user, pauseMs);
  }

  /** It failed, and the user asks the same again. */
  repeat(user: number, waitMs: Ms, repeats: number): void {
    this.repeats[user] = repeats;
    this.wakeIn(user, waitMs);
  }

  private wakeIn(user: number, delayMs: Ms): void {
    if (delayMs < Infinity) this.engine.at(this.engine.time + delayMs, eventKinds.userWakes, this.source, user);
  }
}

type UsersSpec = ArrivalSpec & { readonly type: 'users' };

class ThinkingPace implements Pace {
  readonly count: number;
  private readonly keyed: KeyedDraws;
  private readonly rng: Xoshiro128;
  private readonly think: Sampler;
  private readonly gap: Sampler;
  private readonly lastOfSession: number;

  constructor(spec: UsersSpec, keyed: KeyedDraws, rng: Xoshiro128) {
    this.count = spec.users;
    this.keyed = keyed;
    this.rng = rng;
    this.think = makeSampler(spec.think);
    this.gap = makeSampler(spec.gap);
    this.lastOfSession = 1 / spec.requests;
  }

  /** Everybody comes in the middle of a think time: a share of one, so that constant think times do not start in step. */
  firstMs(user: number): Ms {
    this.keyed.fork(user * PER_USER, THINK, this.rng);
    return this.think.sample(this.rng) * this.rng.next();
  }

  pauseMs(user: number, done: number): Ms {
    const index = user * PER_USER + done;
    const isLast = this.keyed.unit(index, SESSION) < this.lastOfSession;
    this.keyed.fork(index + 1, THINK, this.rng);
    return isLast ? this.gap.sample(this.rng) : this.think.sample(this.rng);
  }

  placeOf(): number {
    return NONE;
  }
}

/** One user per session of the recording; requests without one are sessions of a single request. */
class RecordedPace implements Pace {
  readonly count: number;
  private readonly timesMs: Float64Array;
  private readonly workMs: Float64Array | undefined;
  /** Rows of the recording by session, and where each session starts in them. */
  private readonly rows: Int32Array;
  private readonly starts: Int32Array;

  constructor(data: ReplayData) {
    const { timesMs, sessions } = data;
    const sessionOf = new Int32Array(timesMs.length);
    const known = sessions === undefined ? 0 : sessions.reduce((most, session) => Math.max(most, session + 1), 0);
    let next = known;
    for (let row = 0; row < timesMs.length; row++)
      sessionOf[row] = sessions !== undefined && sessions[row] >= 0 ? sessions[row] : next++;
    this.count = next;
    this.timesMs = timesMs;
    this.workMs = data.workMs;
    this.starts = new Int32Array(next + 1);
    for (const session of sessionOf) this.starts[session + 1]++;
    for (let session = 0; session < next; session++) this.starts[session + 1] += this.starts[session];
    this.rows = new Int32Array(timesMs.length);
    const filled = this.starts.slice(0, next);
    sessionOf.forEach((session, row) => (this.rows[filled[session]++] = row));
  }

  firstMs(user: number): Ms {
    return this.starts[user] === this.starts[user + 1] ? Infinity : this.timesMs[this.rows[this.starts[user]]];
  }

  /** From one request to the next as recorded, without the time the first took where that is known. */
  pauseMs(user: number, done: number): Ms {
    const at = this.starts[user] + done;
    if (at + 1 >= this.starts[user + 1]) return Infinity;
    const tookMs = this.workMs?.[this.rows[at]] ?? 0;
    return Math.max(0, this.timesMs[this.rows[at + 1]] - this.timesMs[this.rows[at]] - (Number.isNaN(tookMs) ? 0 : tookMs));
  }

  placeOf(user: number, done: number): number {
    return this.rows[this.starts[user] + done];
  }
}
