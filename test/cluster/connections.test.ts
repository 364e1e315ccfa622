import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ConnectionHost, Connections, ConnectionUsers, FULL, GO, WAIT } from '../../src/cluster/connections.ts';
import { Engine } from '../../src/engine/index.ts';
import type { PoolSpec } from '../../src/scenario/spec.ts';
import { heapGrowth } from '../contracts/heap.ts';

describe('a pool of connections', () => {
  test('opens one for a request that finds none, and keeps it for the next', () => {
    const { pool, ready, tokens } = stage({});
    expect(pool.acquire(1, 0)).toBe(WAIT);
    expect([pool.isWaiting(1), pool.connectionOf(1), pool.open(0, 0)]).toEqual([true, -1, 0]);
    pool.opened(tokens[0]!);
    expect(ready).toEqual([1]);
    expect([pool.isWaiting(1), pool.connectionOf(1), pool.open(0, 0)]).toEqual([false, 0, 1]);
    pool.release(1, 0, true);
    expect([pool.acquire(2, 0), pool.connectionOf(2), pool.connectionOf(1)]).toEqual([GO, 0, -1]);
    expect(tokens).toHaveLength(1);
  });

  test('opens no more than its limit; then requests wait in order; then they are refused', () => {
    const { pool, ready, tokens } = stage({ connections: 2, pending: 2 });
    expect([1, 2, 3, 4, 5].map((attempt) => pool.acquire(attempt, 0))).toEqual([WAIT, WAIT, WAIT, WAIT, FULL]);
    expect([tokens.length, pool.queued(0)]).toEqual([2, 4]);
    for (const token of tokens) pool.opened(token);
    expect(ready).toEqual([1, 2]);
    pool.release(2, 0, true);
    expect([ready.at(-1), pool.connectionOf(3)]).toEqual([3, 1]);
    expect([pool.acquire(5, 0), pool.acquire(6, 0)]).toEqual([WAIT, FULL]);
  });

  test('with no place to wait still opens connections', () => {
    const { pool, tokens } = stage({ connections: 1, pending: 0 });
    expect([pool.acquire(1, 0), pool.acquire(2, 0)]).toEqual([WAIT, FULL]);
    pool.opened(tokens[0]!);
    expect(pool.acquire(2, 0)).toBe(FULL);
  });

  test('gives a new connection to who waits longest, whoever it was opened for', () => {
    const { pool, ready, tokens } = stage({ connections: 2 });
    pool.acquire(1, 0);
    pool.opened(tokens[0]!);
    pool.acquire(2, 0);
    pool.acquire(3, 0);
    pool.release(1, 0, true);
    pool.opened(tokens[1]!);
    expect(ready).toEqual([1, 2, 3]);
    expect([pool.connectionOf(2), pool.connectionOf(3)]).toEqual([0, 1]);
  });

  test('begins no handshake for a request that one under way will serve', () => {
    const { pool, tokens } = stage({ connections: 9 });
    pool.acquire(1, 0);
    pool.abandon(1, 0);
    pool.acquire(2, 0);
    expect(tokens).toHaveLength(1);
    pool.acquire(3, 0);
    expect(tokens).toHaveLength(2);
  });

  test('opens what nobody waits for any more, and keeps it', () => {
    const { pool, ready, tokens } = stage({});
    pool.acquire(1, 0);
    pool.abandon(1, 0);
    pool.opened(tokens[0]!);
    expect([ready, pool.open(0, 0), pool.acquire(2, 0)]).toEqual([[], 1, GO]);
  });

  test('passes over one who gave up waiting', () => {
    const { pool, ready, tokens } = stage({ connections: 1 });
    for (const attempt of [1, 2, 3]) pool.acquire(attempt, 0);
    pool.abandon(1, 0);
    pool.opened(tokens[0]!);
    expect([ready, pool.queued(0)]).toEqual([[2], 1]);
  });

  test('closes a connection that cannot be used again, and opens another for the next in the queue', () => {
    const { pool, ready, tokens } = stage({ connections: 1 });
    pool.acquire(1, 0);
    pool.opened(tokens[0]!);
    pool.acquire(2, 0);
    pool.release(1, 0, false);
    expect([pool.open(0, 0), tokens.length, ready]).toEqual([0, 2, [1]]);
    pool.opened(tokens[1]!);
    expect([ready, pool.connectionOf(2), pool.opens.total]).toEqual([[1, 2], 1, 2]);
  });

  test('keeps endpoints apart', () => {
    const { pool, ready, tokens } = stage({ connections: 1, pending: 0 });
    expect([pool.acquire(1, 0), pool.acquire(2, 1)]).toEqual([WAIT, WAIT]);
    pool.opened(tokens[1]!);
    expect([ready, pool.open(0, 0), pool.open(1, 0)]).toEqual([[2], 0, 1]);
  });

  test('needs no event where opening takes no time', () => {
    const { pool, tokens } = stage({ connections: 2, pending: 0 }, 0);
    expect([1, 2, 3].map((attempt) => pool.acquire(attempt, 0))).toEqual([GO, GO, FULL]);
    expect([tokens.length, pool.opens.total]).toEqual([0, 2]);
  });

  test('refuses to take back what it never gave', () => {
    const { pool } = stage({});
    expect(() => pool.release(1, 0, true)).toThrow('without a connection');
    expect(() => pool.abandon(1, 0)).toThrow('does not wait');
  });
});

describe('of several idle connections', () => {
  test.each([
    ['newest', [1, 1, 1, 1]],
    ['oldest', [0, 2, 1, 0]],
  ] as const)('the %s is used', (reuse, expected) => {
    const { pool } = stage({ connections: 3, reuse }, 0);
    for (const attempt of [0, 1, 2]) pool.acquire(attempt, 0);
    for (const attempt of [0, 2, 1]) pool.release(attempt, 0, true);
    const used = [4, 5, 6, 7].map((attempt) => {
      pool.acquire(attempt, 0);
      const connection = pool.connectionOf(attempt);
      pool.release(attempt, 0, true);
      return connection;
    });
    expect(used).toEqual(expected);
  });

  // Bronson et al. 2021, link imbalance: whatever runs on the slow connection ends last, which makes it the newest. After one burst
  // that used all ten, pairs of requests should meet it twice in ten.
  test.each([
    ['newest', 100],
    ['oldest', 20],
  ] as const)('with the %s first, %i of 100 pairs meet the slow one', (reuse, expected) => {
    const { pool } = stage({ connections: 10, reuse }, 0);
    const slow = 3;
    const met = (attempts: readonly number[]): boolean => {
      for (const attempt of attempts) pool.acquire(attempt, 0);
      const isSlow = (attempt: number): boolean => pool.connectionOf(attempt) === slow;
      const late = attempts.find(isSlow);
      for (const attempt of attempts) if (attempt !== late) pool.release(attempt, 0, true);
      if (late !== undefined) pool.release(late, 0, true);
      return late !== undefined;
    };
    met([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(Array.from({ length: 100 }, () => met([0, 1])).filter(Boolean)).toHaveLength(expected);
  });
});

describe('an idle connection', () => {
  test('is closed after its keep-alive, not at it, and does not count as open although nobody looked', () => {
    const { pool, tokens, at } = stage({ keepAliveMs: 10, connections: 1, pending: 0 });
    pool.acquire(1, 0);
    at(5, () => pool.opened(tokens[0]!));
    at(20, () => pool.release(1, 0, true));
    at(30, () => expect([pool.open(0, 30), pool.open(0, 30.1)]).toEqual([1, 0]));
    at(30, () => expect(pool.acquire(2, 0)).toBe(GO));
    at(40, () => pool.release(2, 0, true));
    at(51, () => expect(pool.open(0, 51)).toBe(0));
    at(51, () => expect([pool.acquire(3, 0), tokens.length]).toEqual([WAIT, 2]));
  });

  test('that the pool prefers stays, the others go', () => {
    const { pool, at } = stage({ keepAliveMs: 10, connections: 3 }, 0);
    for (const attempt of [0, 1, 2]) pool.acquire(attempt, 0);
    for (const attempt of [0, 1, 2]) pool.release(attempt, 0, true);
    for (const ms of [6, 12]) {
      at(ms, () => pool.acquire(3, 0));
      at(ms, () => pool.release(3, 0, true));
    }
    at(13, () => expect(pool.open(0, 13)).toBe(1));
  });

  test('with a keep-alive of 0 is still handed to who waits at that instant', () => {
    const { pool, ready, tokens, at } = stage({ keepAliveMs: 0, connections: 1 });
    for (const attempt of [1, 2]) pool.acquire(attempt, 0);
    at(5, () => pool.opened(tokens[0]!));
    at(9, () => pool.release(1, 0, true));
    at(12, () => pool.release(2, 0, true));
    at(13, () => expect([pool.open(0, 13), ready, tokens.length]).toEqual([0, [1, 2], 1]));
  });
});

describe('with several streams', () => {
  test('a connection carries that many attempts, and one handshake serves them all', () => {
    const { pool, ready, tokens } = stage({ streams: 3, connections: 2, pending: 1 });
    expect([1, 2, 3, 4, 5, 6, 7, 8].map((attempt) => pool.acquire(attempt, 0))).toEqual([...Array(7).fill(WAIT), FULL]);
    expect(tokens).toHaveLength(2);
    pool.opened(tokens[1]!);
    expect(ready).toEqual([1, 2, 3]);
    expect([1, 2, 3].map((attempt) => pool.connectionOf(attempt))).toEqual([1, 1, 1]);
    pool.release(2, 0, true);
    expect([ready.at(-1), pool.connectionOf(4)]).toEqual([4, 1]);
  });

  test('a connection in use goes before an idle one', () => {
    const { pool } = stage({ streams: 2, connections: 2, reuse: 'oldest' }, 0);
    for (const attempt of [0, 1, 2]) pool.acquire(attempt, 0);
    for (const attempt of [0, 1]) pool.release(attempt, 0, true);
    pool.acquire(3, 0);
    expect(pool.connectionOf(3)).toBe(1);
  });

  test('a connection that cannot be used again takes no more, and is closed after its last attempt', () => {
    const { pool, tokens } = stage({ streams: 2, connections: 1 });
    for (const attempt of [1, 2, 3]) pool.acquire(attempt, 0);
    pool.opened(tokens[0]!);
    pool.release(1, 0, false);
    expect([pool.connectionOf(3), pool.open(0, 0), tokens.length]).toEqual([-1, 1, 1]);
    pool.release(2, 0, true);
    expect([pool.open(0, 0), tokens.length]).toEqual([0, 2]);
  });
});

describe('when an endpoint is lost', () => {
  test('all its connections are, who waits gets new ones, and an old handshake means nothing', () => {
    const { pool, ready, tokens } = stage({ connections: 2 });
    for (const attempt of [1, 2, 3]) pool.acquire(attempt, 0);
    pool.acquire(9, 1);
    pool.opened(tokens[0]!);
    pool.opened(tokens[2]!);
    pool.endpointLost(0);
    expect([pool.open(0, 0), pool.open(1, 0), pool.queued(0), tokens.length]).toEqual([0, 1, 2, 5]);
    pool.opened(tokens[1]!);
    expect(ready).toEqual([1, 9]);
    pool.opened(tokens[3]!);
    pool.opened(tokens[4]!);
    expect([ready, pool.open(0, 0)]).toEqual([[1, 9, 2, 3], 2]);
    pool.release(1, 0, true);
    expect([pool.open(0, 0), pool.acquire(4, 0)]).toEqual([2, WAIT]);
  });
});

test('clients can share what attempts know: their queues stay apart', () => {
  const users = new ConnectionUsers();
  const one = stage({ connections: 1 }, 10, users);
  const other = stage({ connections: 1 }, 10, users);
  one.pool.acquire(1, 1);
  other.pool.acquire(2, 1);
  one.pool.acquire(3, 1);
  other.pool.opened(other.tokens[0]!);
  one.pool.opened(one.tokens[0]!);
  one.pool.release(1, 1, true);
  expect([one.ready, other.ready]).toEqual([[1, 3], [2]]);
});

test('a long queue whose attempts end at once is served in order, without a deep recursion', () => {
  const ended: number[] = [];
  const tokens: number[] = [];
  const host: ConnectionHost = {
    handshakeMs: () => 1,
    later: (_, token) => void tokens.push(token),
    ready(attempt) {
      ended.push(attempt);
      pool.release(attempt, 0, true);
    },
  };
  const pool = new Connections(new Engine(), { ...usual, connections: 1 }, 1, host);
  const attempts = Array.from({ length: 50_000 }, (_, attempt) => attempt);
  for (const attempt of attempts) pool.acquire(attempt, 0);
  pool.opened(tokens[0]!);
  expect(ended).toEqual(attempts);
});

test('who comes while the queue is being served does not overtake it', () => {
  const served: number[] = [];
  const tokens: number[] = [];
  const host: ConnectionHost = {
    handshakeMs: () => 1,
    later: (_, token) => void tokens.push(token),
    ready(attempt) {
      served.push(attempt);
      pool.release(attempt, 0, true);
      if (attempt === 1) expect(pool.acquire(9, 0)).toBe(WAIT);
    },
  };
  const pool = new Connections(new Engine(), { ...usual, connections: 1 }, 1, host);
  for (const attempt of [1, 2, 3]) pool.acquire(attempt, 0);
  pool.opened(tokens[0]!);
  expect([served, tokens.length]).toEqual([[1, 2, 3, 9], 1]);
});

test('connections opened are told apart by the end of the warm-up', () => {
  const { pool } = stage({ connections: 9 }, 0);
  pool.acquire(1, 0);
  pool.markWarmup();
  for (const attempt of [2, 3]) pool.acquire(attempt, 0);
  expect([pool.opens.total, pool.opens.measured]).toEqual([3, 2]);
});

test('nothing is allocated by requests once the tables have grown', () => {
  // A stack of plain numbers: an array would be reallocated as it grows and shrinks.
  const tokens = new Int32Array(64);
  let begun = 0;
  const host: ConnectionHost = {
    handshakeMs: () => 1,
    later(_, token) {
      tokens[begun++] = token;
    },
    ready() {},
  };
  const pool = new Connections(new Engine(), { ...usual, connections: 8, streams: 2 }, 4, host);
  const operations = 100_000;
  const run = (): void => {
    for (let i = 0; i < operations; i++) {
      const attempt = i % 200;
      if (pool.connectionOf(attempt) >= 0) pool.release(attempt, attempt & 3, (i & 7) > 0);
      else if (!pool.isWaiting(attempt)) pool.acquire(attempt, attempt & 3);
      else if ((i & 31) === 0) pool.abandon(attempt, attempt & 3);
      if (begun > 0) pool.opened(tokens[--begun]);
    }
  };
  expect(heapGrowth(run, operations)).toBeLessThan(operations);
});

// The oracle keeps connections as objects in an array and searches it for everything.
describe('any sequence of requests, releases, departures, handshakes and crashes', () => {
  const action = fc.record({
    what: fc.constantFrom('acquire', 'acquire', 'acquire', 'release', 'release', 'broken', 'abandon', 'opened', 'opened', 'lost'),
    waitMs: fc.nat({ max: 3 }),
    endpoint: fc.nat({ max: 1 }),
    which: fc.nat({ max: 50 }),
  });
  const spec = fc.record({
    connections: fc.integer({ min: 1, max: 4 }),
    streams: fc.constantFrom(1, 1, 2, 3),
    pending: fc.constantFrom(0, 1, 3, Infinity),
    keepAliveMs: fc.constantFrom(0, 4, Infinity),
    reuse: fc.constantFrom('newest' as const, 'oldest' as const),
    handshakeMs: fc.constantFrom(0, 1),
  });

  test('does what a plain model does, and loses nobody', () => {
    const property = fc.property(spec, fc.array(action, { maxLength: 120 }), ({ handshakeMs, ...some }, actions) => {
      const { pool, ready, tokens, at } = stage(some, handshakeMs);
      const model = new Model({ ...usual, ...some }, handshakeMs);
      let now = 0;
      /** Handshakes under way: what each side calls them. */
      let ended = 0;
      const steps = actions.map((each, attempt) => ({ ...each, attempt, atMs: (now += each.waitMs) }));
      for (const { what, endpoint, which, attempt, atMs } of steps) {
        at(atMs, () => {
          model.now = atMs;
          if (what === 'acquire') expect(pool.acquire(attempt, endpoint)).toBe(model.acquire(attempt, endpoint));
          else if (what === 'lost') {
            pool.endpointLost(endpoint);
            model.lost(endpoint);
          } else if (what === 'opened') {
            if (ended === tokens.length) return;
            pool.opened(tokens[ended]!);
            model.opened(ended++);
          } else if (what === 'abandon') {
            const waiting = model.queue[endpoint]![which % Math.max(1, model.queue[endpoint]!.length)];
            if (waiting === undefined) return;
            pool.abandon(waiting, endpoint);
            model.queue[endpoint] = model.queue[endpoint]!.filter((each) => each !== waiting);
          } else {
            const users = model.all.filter((each) => each.endpoint === endpoint).flatMap((each) => each.users);
            const user = users[which % Math.max(1, users.length)];
            if (user === undefined) return;
            pool.release(user, endpoint, what === 'release');
            model.release(user, what === 'release');
          }
          expect(ready).toEqual(model.ready);
          expect(tokens.length).toBe(model.handshakes.length);
          for (const each of [0, 1]) {
            expect([pool.open(each, atMs), pool.queued(each)]).toEqual([model.open(each), model.queue[each]!.length]);
          }
          for (let each = 0; each <= attempt; each++) expect(pool.connectionOf(each)).toBe(model.connectionOf(each));
        });
      }
    });
    fc.assert(property, { numRuns: 500, seed: 7 });
  });
});

interface ModelConnection {
  readonly number: number;
  readonly endpoint: number;
  state: 'opening' | 'open' | 'closing' | 'lost';
  users: number[];
  lastUse: number;
  idleSinceMs: number;
}

class Model {
  now = 0;
  all: ModelConnection[] = [];
  queue: number[][] = [[], []];
  readonly ready: number[] = [];
  /** In the order begun, those that took no time left out. */
  readonly handshakes: ModelConnection[] = [];
  private begun = 0;
  private uses = 0;
  private readonly spec: PoolSpec;
  private readonly handshakeMs: number;

  constructor(spec: PoolSpec, handshakeMs: number) {
    this.spec = spec;
    this.handshakeMs = handshakeMs;
  }

  acquire(attempt: number, endpoint: number): number {
    const found = this.available(endpoint);
    if (found !== undefined) return this.use(found, attempt);
    const uncovered = this.queue[endpoint]!.length - this.count(endpoint, 'opening') * this.spec.streams;
    if (uncovered >= 0 && this.held(endpoint) < this.spec.connections) {
      if (this.handshakeMs === 0 && this.queue[endpoint]!.length === 0) return this.use(this.begin(endpoint, 'open'), attempt);
      this.handshakes.push(this.begin(endpoint, 'opening'));
    } else if (uncovered >= 0 && uncovered >= this.spec.pending) return FULL;
    this.queue[endpoint]!.push(attempt);
    return WAIT;
  }

  release(attempt: number, isReusable: boolean): void {
    const connection = this.all.find((each) => each.users.includes(attempt))!;
    connection.users = connection.users.filter((each) => each !== attempt);
    connection.lastUse = this.uses++;
    connection.idleSinceMs = this.now;
    if (!isReusable && connection.state === 'open') connection.state = 'closing';
    if (connection.state !== 'open' && connection.users.length === 0) this.all = this.all.filter((each) => each !== connection);
    this.serve(connection.endpoint);
    this.openForQueue(connection.endpoint);
  }

  opened(handshake: number): void {
    const connection = this.handshakes[handshake]!;
    if (connection.state !== 'opening') return;
    connection.state = 'open';
    connection.lastUse = this.uses++;
    connection.idleSinceMs = this.now;
    this.serve(connection.endpoint);
  }

  lost(endpoint: number): void {
    for (const each of this.all) if (each.endpoint === endpoint) each.state = 'lost';
    this.openForQueue(endpoint);
  }

  open(endpoint: number): number {
    this.expire();
    return this.count(endpoint, 'open') + this.count(endpoint, 'closing');
  }

  connectionOf(attempt: number): number {
    return this.all.find((each) => each.users.includes(attempt))?.number ?? -1;
  }

  private serve(endpoint: number): void {
    const queue = this.queue[endpoint]!;
    for (let found = this.available(endpoint); found !== undefined && queue.length > 0; found = this.available(endpoint)) {
      this.ready.push(queue[0]!);
      this.use(found, queue.shift()!);
    }
  }

  private openForQueue(endpoint: number): void {
    const isCovered = (): boolean => this.queue[endpoint]!.length <= this.count(endpoint, 'opening') * this.spec.streams;
    while (!isCovered() && this.held(endpoint) < this.spec.connections) this.handshakes.push(this.begin(endpoint, 'opening'));
  }

  private begin(endpoint: number, state: 'opening' | 'open'): ModelConnection {
    const connection = { number: this.begun++, endpoint, state, users: [], lastUse: this.uses++, idleSinceMs: this.now };
    this.all.push(connection);
    return connection;
  }

  private use(connection: ModelConnection, attempt: number): typeof GO {
    connection.users.push(attempt);
    connection.lastUse = this.uses++;
    return GO;
  }

  private available(endpoint: number): ModelConnection | undefined {
    this.expire();
    const able = this.all.filter(
      (each) => each.endpoint === endpoint && each.state === 'open' && each.users.length < this.spec.streams,
    );
    const inUse = able.filter((each) => each.users.length > 0);
    const byUse = (inUse.length > 0 ? inUse : able).toSorted((x, y) => x.lastUse - y.lastUse);
    return this.spec.reuse === 'newest' ? byUse.at(-1) : byUse[0];
  }

  private expire(): void {
    const isExpired = (each: ModelConnection): boolean =>
      each.state === 'open' && each.users.length === 0 && this.now - each.idleSinceMs > this.spec.keepAliveMs;
    this.all = this.all.filter((each) => !isExpired(each));
  }

  private count(endpoint: number, state: ModelConnection['state']): number {
    return this.all.filter((each) => each.endpoint === endpoint && each.state === state).length;
  }

  private held(endpoint: number): number {
    return this.all.filter((each) => each.endpoint === endpoint && each.state !== 'lost').length;
  }
}

const usual: PoolSpec = {
  connections: 4,
  streams: 1,
  pending: Infinity,
  roundTrips: 1,
  handshake: { type: 'constant', value: 0 },
  keepAliveMs: Infinity,
  reuse: 'newest',
};

interface Stage {
  readonly pool: Connections;
  /** Attempts in the order in which they were told. */
  readonly ready: number[];
  /** Of the handshakes, as begun; the test ends them. */
  readonly tokens: number[];
  /** Does it at that time; times do not fall. */
  at(timeMs: number, act: () => void): void;
}

function stage(some: Partial<PoolSpec>, handshakeMs = 10, users = new ConnectionUsers()): Stage {
  const engine = new Engine();
  const ready: number[] = [];
  const tokens: number[] = [];
  const host: ConnectionHost = {
    handshakeMs: () => handshakeMs,
    later(delayMs, token) {
      expect(delayMs).toBe(handshakeMs);
      tokens.push(token);
    },
    ready: (attempt) => void ready.push(attempt),
  };
  const pool = new Connections(engine, { ...usual, ...some }, 2, host, users);
  const at = (timeMs: number, act: () => void): void => {
    if (timeMs > engine.time) {
      engine.at(timeMs, 1, 0, 0);
      const handle = (): void => {
        act();
        engine.stop();
      };
      engine.run(timeMs + 1, { handle });
      return;
    }
    act();
  };
  return { pool, ready, tokens, at };
}
