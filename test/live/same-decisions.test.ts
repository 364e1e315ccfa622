/** One script, once with a virtual clock and once over real sockets: the pipeline and its policies decide the same, in the same order.
 *  Decisions are compared and not durations. Where a real timer has to run out before something else happens, that something never
 *  happens by itself; where an answer has to come before a timer, the timer is a hundred times what a loopback answer takes. The breaker's
 *  clock is moved on by hand. */
import { afterEach, describe, expect, test } from 'vitest';
import { createProxy } from '../../src/live/index.ts';
import { type ProxyOptions, settingsOf } from '../../src/live/proxy-options.ts';
import { systemClock } from '../../src/live/system.ts';
import { testRng } from '../policies/fixtures.ts';
import { inTurn, inWords, letter, type Reply, World } from '../policies/pipeline/world.ts';
import { ask, Backends } from './backends.ts';

type Behaviour = 'ok' | 'error' | 'shed' | 'lost' | 'broken' | 'silence';
interface Script {
  readonly name: string;
  readonly options: Omit<ProxyOptions, 'endpoints' | 'balancer'> & { readonly balancer?: ProxyOptions['balancer'] };
  /** By endpoint: request by request, then the last for ever; or nobody listens. */
  readonly endpoints: readonly (readonly Behaviour[] | 'nobody')[];
  /** `ask` waits for the answer; a number moves the policies' clock on by so many ms. */
  readonly steps: readonly ('ask' | number)[];
  /** Decisions that must be among those made, or the script shows nothing. */
  readonly shows: readonly string[];
}

const times = (count: number): readonly 'ask'[] => Array.from({ length: count }, () => 'ask' as const);
/** Beyond all patience, and not waited for. */
const HEDGE_MS = 200;

const scripts: readonly Script[] = [
  {
    name: 'retries with back-off, by outcome',
    options: { retry: { use: 'full-jitter', base: 4, cap: 8, retries: 3, on: ['error', 'refused', 'lost', 'shed'] } },
    endpoints: [['error', 'lost', 'ok'], ['shed', 'error', 'error', 'ok'], 'nobody', ['ok', 'error', 'error', 'broken', 'ok']],
    steps: times(9),
    shows: ['ended 0.0 error', 'ended 0.1 shed', 'ended 0.2 refused', 'sent 0.3 to d (retry)', 'finished 0 ok', 'lost', 'error'],
  },
  {
    name: 'no retries but for what the policy names',
    options: { retry: { use: 'immediate', retries: 2, on: ['refused'] } },
    endpoints: ['nobody', ['error'], ['lost', 'ok']],
    steps: times(6),
    shows: ['ended 0.0 refused', 'finished 0 error', 'finished 1 lost'],
  },
  {
    name: 'a hedge, which wins or is not needed',
    options: { hedge: { use: 'delay', delay: HEDGE_MS, maxHedgedAttempts: 2, onFailure: false } },
    endpoints: [['silence'], ['ok'], ['ok', 'silence', 'ok']],
    steps: times(5),
    shows: ['sent 0.1 to b (hedge)', 'dropped 0.0', 'finished 1 ok'],
  },
  {
    name: 'hedges at once after failures',
    options: { hedge: { use: 'grpc', maxAttempts: 3, hedgingDelay: 60_000 } },
    endpoints: [
      ['error', 'lost', 'ok'],
      ['lost', 'ok', 'error'],
      ['ok', 'error'],
    ],
    steps: times(5),
    shows: ['sent 0.1 to b (hedge)', 'sent 0.2 to c (hedge)', 'finished 0 ok'],
  },
  {
    name: 'a breaker that opens, tries once too early, and closes',
    options: { breaker: { use: 'gobreaker', consecutiveFailures: 2, timeout: 10_000, maxRequests: 1 } },
    // Requests turned away take their turn in the rotation: the first that is let through goes to c.
    endpoints: [
      ['error', 'ok'],
      ['error', 'ok'],
      ['lost', 'error', 'ok'],
    ],
    steps: [...times(5), 11_000, ...times(2), 11_000, ...times(3)],
    shows: ['finished 3 circuitOpen', 'finished 4 circuitOpen', 'finished 5 error', 'finished 6 circuitOpen', 'finished 7 ok'],
  },
  {
    name: 'a breaker that counts slices of time, with retries',
    options: {
      retry: { use: 'immediate', retries: 1 },
      breaker: { use: 'resilience4j-time', slidingWindowSize: 10_000, minimumNumberOfCalls: 4 },
    },
    endpoints: [
      ['error', 'error', 'ok'],
      ['error', 'error', 'ok'],
      ['error', 'error', 'ok'],
    ],
    steps: [...times(4), 61_000, ...times(4), 61_000, ...times(3)],
    shows: ['circuitOpen', 'finished 0 error'],
  },
  {
    name: 'a budget that runs dry and fills again',
    options: {
      retry: { use: 'immediate', retries: 1 },
      budget: { use: 'token-bucket', capacity: 3, initial: 3, fillPerSuccess: 0.5 },
    },
    endpoints: [['error'], ['error', 'error', 'error', 'ok', 'ok', 'error'], ['error', 'ok']],
    steps: times(10),
    shows: ['(retry)', 'finished 2 error', 'ok'],
  },
  {
    name: 'an attempt timeout',
    options: { attemptTimeoutMs: HEDGE_MS, retry: { use: 'immediate', retries: 1 } },
    endpoints: [['silence', 'ok'], ['ok'], ['ok', 'silence', 'ok']],
    steps: times(5),
    shows: ['dropped 0.0', 'sent 0.1 to b (retry)', 'finished 0 ok'],
  },
  {
    name: 'the timeout of a request, and a fallback for it',
    options: { timeoutMs: HEDGE_MS, fallback: { on: ['timeout', 'error'], answer: { status: 200, body: 'instead' } } },
    endpoints: [['silence', 'ok'], ['error', 'ok'], ['lost']],
    steps: times(5),
    shows: ['dropped 0.0', 'finished 0 ok (fallback)', 'finished 1 ok (fallback)', 'finished 2 lost'],
  },
  {
    name: 'admission control by a rate limit',
    options: { admission: { use: 'token-bucket', rate: 0.1, burst: 2 } },
    endpoints: [['ok'], ['ok'], ['ok']],
    steps: [...times(4), 11_000, ...times(2)],
    shows: ['finished 2 shed', 'finished 4 ok', 'finished 5 shed'],
  },
  {
    name: 'a balancer that is drawn away from failures',
    options: { balancer: { use: 'p2c' }, retry: { use: 'constant', delay: 3, retries: 2 } },
    endpoints: [['error'], ['ok', 'error', 'ok'], ['ok', 'lost', 'ok'], 'nobody'],
    steps: times(12),
    shows: ['(retry)', 'ok'],
  },
];

const backends = new Backends();
afterEach(() => backends.close());

describe('the same decisions in virtual time and over real sockets', () => {
  test.each(scripts)('$name', async (script) => {
    const virtual = decideVirtually(script);
    for (const shown of script.shows) expect(virtual.join('\n')).toContain(shown);
    expect(await decideLive(script)).toEqual(virtual);
  });
});

function decideVirtually({ options, endpoints, steps }: Script): readonly string[] {
  const arrivals = endpoints.map(() => 0);
  const reply = ({ endpoint }: { readonly endpoint: number }): Reply => {
    const behaviours = endpoints[endpoint];
    if (behaviours === 'nobody') return { outcome: 'refused', afterMs: 0.1 };
    const behaviour = behaviours[Math.min(arrivals[endpoint]++, behaviours.length - 1)];
    if (behaviour === 'silence') return 'silence';
    // An answer begins before it ends.
    if (behaviour === 'ok') return { outcome: 'ok', commitsAfterMs: 0.1, afterMs: 0.2 };
    return behaviour === 'broken' ? { outcome: 'lost', commitsAfterMs: 0.1, afterMs: 0.2 } : { outcome: behaviour, afterMs: 0.1 };
  };
  const all = { endpoints: [], balancer: inTurn, ...options };
  const parts = settingsOf(all, (policy) => testRng(policy === 'balancer' ? 1 : 2), undefined);
  const world = new World({ endpoints: endpoints.length, balancer: parts.balancer, reply, parts });
  for (const step of steps) {
    if (step === 'ask') {
      world.start();
      while (world.requestsAlive.length > 0) world.advance(0.1);
    } else world.advance(step);
  }
  expect(world.violations).toEqual([]);
  return world.decisions.map(inWords);
}

async function decideLive({ options, endpoints, steps }: Script): Promise<readonly string[]> {
  const urls = await Promise.all(
    endpoints.map(async (behaviours) =>
      behaviours === 'nobody' ? backends.nobody() : (await backends.serve(...behaviours)).url,
    ),
  );
  const decided: string[] = [];
  const clock = systemClock();
  let skippedMs = 0;
  const proxy = backends.keep(
    createProxy({
      balancer: inTurn,
      ...options,
      endpoints: urls,
      clock: { now: () => clock.now() + skippedMs },
      rng: (policy) => testRng(policy === 'balancer' ? 1 : 2),
      onDecision: (decision) =>
        decided.push(
          inWords('endpoint' in decision ? { ...decision, endpoint: letter(urls.indexOf(decision.endpoint)) } : decision),
        ),
    }),
  );
  const port = await proxy.listen(0);
  for (const step of steps) {
    if (step !== 'ask') skippedMs += step;
    // An answer cut short is a failed request for the caller as well.
    else await ask(port).catch(() => undefined);
  }
  expect(proxy.active).toBe(0);
  expect([...proxy.endpoints.table.active.subarray(0, endpoints.length)]).toEqual(endpoints.map(() => 0));
  return decided;
}
