/** The way to the store: time in each direction, and outages in which the store goes on by itself. */
import { describe, expect, it } from 'vitest';
import { STORE_TIMEOUT_MS, StoreLink } from '../../../src/cluster/change/store-link.ts';
import type { DistributionSpec } from '../../../src/core/distribution-spec.ts';
import { etcdStore, type StoreAnswer, type StoreRequest } from '../../../src/policies/rollout/store/index.ts';
import { Bench } from './harness.ts';

class LinkBench extends Bench {
  readonly link: StoreLink;
  /** What was heard, and when. */
  readonly heard: { readonly atMs: number; readonly answer: StoreAnswer }[] = [];

  constructor(latency: DistributionSpec = { type: 'constant', value: 10 }) {
    super();
    this.link = new StoreLink({
      ...{ errands: this.errands, streams: this.streams, latency },
      makeStore: (deps) => etcdStore.make({}, deps),
    });
  }

  ask(request: StoreRequest): void {
    this.link.ask(request, (answer) => this.heard.push({ atMs: this.nowMs, answer }));
  }
}

const put: StoreRequest = { op: 'put', key: 'a', value: '1' };

describe('the way to the store', () => {
  it('takes its time in each direction', () => {
    const bench = new LinkBench();
    bench.ask(put);
    bench.run(10);
    expect(bench.link.store.get('a')).toBeUndefined();
    bench.run(20);
    expect(bench.link.store.get('a')?.value).toBe('1');
    expect(bench.heard).toEqual([]);
    bench.run(STORE_TIMEOUT_MS * 2);
    expect(bench.heard).toEqual([
      { atMs: 20, answer: { kind: 'written', succeeded: true, revision: bench.link.store.revision } },
    ]);
  });

  it('loses what is sent, under way, or answered in an outage, and the asker hears so once, after the timeout', () => {
    const cases = [
      { outage: [0, 5], isDone: false },
      { outage: [5, 100], isDone: false },
      { outage: [15, 100], isDone: true },
    ] as const;
    for (const { outage, isDone } of cases) {
      const bench = new LinkBench();
      const [fromMs, toMs] = outage;
      bench.at(fromMs, () => bench.link.setReachable(false));
      bench.at(toMs, () => bench.link.setReachable(true));
      bench.at(0, () => bench.ask(put));
      bench.run(STORE_TIMEOUT_MS * 3);
      expect(bench.link.store.get('a') !== undefined).toBe(isDone);
      expect(bench.heard).toEqual([{ atMs: STORE_TIMEOUT_MS, answer: { kind: 'unreachable' } }]);
    }
  });

  it('is there again only when every outage is over', () => {
    const bench = new LinkBench();
    bench.link.setReachable(false);
    bench.link.setReachable(false);
    bench.link.setReachable(true);
    bench.ask(put);
    bench.run(100);
    expect(bench.link.store.get('a')).toBeUndefined();
    bench.link.setReachable(true);
    bench.ask(put);
    bench.run(200);
    expect(bench.link.store.get('a')?.value).toBe('1');
  });

  it('lets leases run out while nobody reaches the store', () => {
    const bench = new LinkBench();
    bench.ask({ op: 'grant-lease', ttlMs: 10_000 });
    bench.run(50);
    const answer = bench.heard[0].answer;
    const lease = answer.kind === 'lease' ? answer.lease! : -1;
    bench.ask({ op: 'acquire', key: 'lock', lease, value: 'me' });
    bench.run(100);
    expect(bench.link.store.holder('lock')?.lease).toBe(lease);
    bench.link.setReachable(false);
    bench.run(60_000);
    expect(bench.link.store.holder('lock')).toBeUndefined();
  });

  it('says of a lease that is over only when it has been taken down', () => {
    const bench = new LinkBench();
    bench.ask({ op: 'grant-lease', ttlMs: 10_250 });
    bench.run(50);
    const answer = bench.heard[0].answer;
    const { lease, ttlMs } = answer.kind === 'lease' ? answer : { lease: -1, ttlMs: 0 };
    // Granted at 10 ms, and leases are taken down every half a second.
    const overMs = 10 + ttlMs;
    bench.at(overMs + 1 - 10, () => bench.ask({ op: 'keep-alive', lease: lease! }));
    bench.run(60_000);
    const takenDownMs = Math.ceil(overMs / 500) * 500;
    expect(bench.heard[1].answer).toEqual({ kind: 'keep-alive', result: 'not-found' });
    expect(bench.heard[1].atMs).toBeGreaterThanOrEqual(takenDownMs + 10);
    expect(bench.heard[1].atMs).toBeLessThan(takenDownMs + 20);
  });

  it('keeps those in order that must not overtake each other', () => {
    const bench = new LinkBench({ type: 'uniform', min: 0, max: 100 });
    const arrived: number[] = [];
    let arrivalMs = -Infinity;
    for (let number = 0; number < 50; number++)
      arrivalMs = bench.link.call(
        () => arrived.push(number),
        () => undefined,
        arrivalMs,
      );
    bench.run(1000);
    expect(arrived).toEqual(Array.from({ length: 50 }, (_, number) => number));
  });
});
