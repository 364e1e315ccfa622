/** HAProxy's health checks: one counter per server, from 0 to rise + fall − 1, that checks move up and down; at `rise` or above
 *  the server is up.
 *
 *  The counter goes one step at a time only inside its own half: a good check throws a server that is up to the top, a failed one
 *  throws a server that is down to the bottom. So it takes `fall` failures in a row to go down and `rise` good checks in a row to
 *  come up. Use it for that memory with one integer, and for its faster checks while something is changing. It fails as all
 *  active checks do where the check does not resemble the requests; and a server that alternates good and bad checks stays
 *  whatever it was.
 *
 *  The first check comes at a random moment of an interval: HAProxy spreads the servers of its configuration evenly over it. */
import { duration, fraction, int, type ParamValues } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { grownInts } from '../../../core/grow.ts';
import {
  defineHealthChecker,
  type HealthChecker,
  type HealthCheckerDeps,
  type HealthSink,
  isGood,
  type ProbeResult,
} from './health-checker.ts';
import { ProbeLoop } from './parts/probe-loop.ts';

const params = {
  inter: duration({ default: 2000, min: 1, about: 'From the end of a check to the next.' }),
  fastinter: duration({ default: 0, about: 'The same while a server is on its way up or down; 0 means as inter.' }),
  downinter: duration({ default: 0, about: 'The same while a server is fully down; 0 means as inter.' }),
  rise: int({ default: 2, min: 1, about: 'Good checks in a row until a server that is down is up.' }),
  fall: int({ default: 3, min: 1, about: 'Failed checks in a row until a server that is fully up is down.' }),
  timeoutCheck: duration({
    default: 0,
    about: 'How long to wait for an answer; 0 means as inter.',
    official: 'HAProxy timeout check',
  }),
  spreadChecks: fraction({
    default: 0,
    max: 0.5,
    about: 'Every interval is longer or shorter by a random part of up to this share of it.',
    official: 'HAProxy spread-checks',
  }),
};
export type HaproxyCheckParams = ParamValues<typeof params>;

export const haproxyHealthCheck = defineHealthChecker({
  name: 'haproxy',
  summary: 'Moves one counter per server up and down with its probes; the upper part of the range is up (HAProxy).',
  useWhen: 'Changes should be confirmed by several checks in both directions, and probes should quicken meanwhile.',
  failsWhen: 'Good and bad checks alternate: the server stays what it was; or the check passes where requests fail.',
  cost: 'O(log n) per probe',
  sources: [
    'haproxy/haproxy: src/check.c, set_server_check_status and srv_getinter',
    'HAProxy configuration manual, server parameters inter, fastinter, downinter, rise, fall',
  ],
  aliases: [{ system: 'HAProxy', name: 'check' }],
  params,
  create: (values, deps) => new HaproxyHealthChecker(values, deps),
});

/** The counter after a check: any good one takes a server that is up, or comes up by it, to the top. */
export function haproxyHealth(health: number, isPass: boolean, rise: number, fall: number): number {
  const next = health + (isPass ? 1 : -1);
  if (next < rise) return isPass ? next : 0;
  return isPass ? rise + fall - 1 : next;
}

/** Whether a server with this counter gets traffic. */
export const haproxyIsUp = (health: number, rise: number): boolean => health >= rise;

export class HaproxyHealthChecker implements HealthChecker {
  readonly reportEveryMs = Infinity;
  readonly startsAlive = true;
  readonly #params: HaproxyCheckParams;
  readonly #rng: Rng;
  readonly #sink: HealthSink;
  readonly #loop: ProbeLoop;
  #health: Int32Array = new Int32Array(16);

  constructor(values: HaproxyCheckParams, { rng, prober, sink }: HealthCheckerDeps) {
    this.#params = values;
    this.#rng = rng;
    this.#sink = sink;
    this.#loop = new ProbeLoop(prober, values.timeoutCheck || values.inter);
  }

  /** A server that is up starts on the brink: its first failure takes it down. */
  watch(slot: number, nowMs: Ms, isAlive: boolean = this.startsAlive): void {
    if (slot >= this.#health.length) this.#health = grownInts(this.#health, Math.max(slot + 1, 2 * this.#health.length));
    this.#health[slot] = isAlive ? this.#params.rise : 0;
    this.#loop.schedule(slot, nowMs + this.#rng.next() * this.#params.inter);
  }

  unwatch(slot: number): void {
    this.#loop.stop(slot);
  }

  onResult(slot: number, probe: number, result: ProbeResult, nowMs: Ms): void {
    if (!this.#loop.accepts(slot, probe)) return;
    const { rise, fall } = this.#params;
    const before = this.#health[slot];
    const after = haproxyHealth(before, isGood(result), rise, fall);
    this.#health[slot] = after;
    this.#loop.schedule(slot, nowMs + this.#spread(haproxyIntervalMs(after, this.#params)));
    const isUp = haproxyIsUp(after, rise);
    if (isUp !== haproxyIsUp(before, rise)) this.#sink.believe(slot, isUp, nowMs);
  }

  nextTimerMs(): Ms {
    return this.#loop.nextTimerMs();
  }

  onTimer(nowMs: Ms): void {
    this.#loop.onTimer(nowMs);
  }

  /** The counter, for reports. */
  healthOf(slot: number): number {
    return this.#health[slot];
  }

  #spread(intervalMs: Ms): Ms {
    const range = intervalMs * this.#params.spreadChecks;
    return range === 0 ? intervalMs : intervalMs + range - 2 * range * this.#rng.next();
  }
}

/** The interval after a check that left the counter at `health`. */
export function haproxyIntervalMs(
  health: number,
  { inter, fastinter, downinter, rise, fall }: Pick<HaproxyCheckParams, 'inter' | 'fastinter' | 'downinter' | 'rise' | 'fall'>,
): Ms {
  if (health === rise + fall - 1) return inter;
  return (health === 0 ? downinter : fastinter) || inter;
}
