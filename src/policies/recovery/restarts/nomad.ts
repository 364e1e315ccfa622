/** Nomad's restarts: a few per interval, each after a delay with up to a quarter of it on top; beyond that the task fails for good, or
 *  waits for the next interval.
 *
 *  Use mode `fail` where a scheduler moves what keeps failing to another machine, and `delay` where there is none. It fails in mode
 *  `fail` when the cause is not the machine: the task is moved about and fails everywhere.
 *
 *  An interval begins with the first end after the last interval is over. */
import { choice, duration, int } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { defineRestartPolicy, type RestartPolicy } from './restart-policy.ts';

export const nomadRestart = defineRestartPolicy({
  name: 'nomad',
  summary: 'Restarts a few times per interval, then gives the instance up or waits for the next interval.',
  useWhen: 'A scheduler replaces what keeps failing, and should do so soon.',
  failsWhen: 'The cause is elsewhere: replacements fail too, and every one of them costs a placement.',
  cost: 'O(1), one draw',
  sources: ['hashicorp/nomad: client/allocrunner/taskrunner/restarts/restarts.go'],
  aliases: [{ system: 'Nomad', name: 'restart' }],
  params: {
    attempts: int({ default: 2, min: 0, about: 'Restarts allowed in one interval.', official: 'Nomad attempts' }),
    interval: duration({ default: 1_800_000, min: 1, about: 'Length of an interval.', official: 'Nomad interval' }),
    delay: duration({ default: 15_000, min: 0, about: 'Wait before each restart, jitter aside.', official: 'Nomad delay' }),
    mode: choice({
      choices: ['fail', 'delay'],
      default: 'fail',
      about: 'What happens when the attempts of an interval are used up.',
      official: 'Nomad mode',
    }),
  },
  create: (params, { rng }) => new NomadRestart(params, rng),
});

interface NomadParams {
  readonly attempts: number;
  readonly interval: Ms;
  readonly delay: Ms;
  readonly mode: 'fail' | 'delay';
}

class NomadRestart implements RestartPolicy {
  readonly #params: NomadParams;
  readonly #rng: Rng;
  readonly #intervals = new Map<number, { sinceMs: Ms; count: number }>();

  constructor(params: NomadParams, rng: Rng) {
    this.#params = params;
    this.#rng = rng;
  }

  restartAtMs(instance: number, startedAtMs: Ms, endedAtMs: Ms): Ms {
    const { attempts, interval, delay, mode } = this.#params;
    const counted = this.#intervals.get(instance) ?? { sinceMs: startedAtMs, count: 0 };
    this.#intervals.set(instance, counted);
    // The original asks for later than the end, which a clock that moves always is.
    if (endedAtMs >= counted.sinceMs + interval) {
      counted.sinceMs = endedAtMs;
      counted.count = 0;
    }
    counted.count++;
    if (counted.count <= attempts) return endedAtMs + delay * (1 + JITTER_SHARE * this.#rng.next());
    return mode === 'fail' ? Infinity : Math.max(endedAtMs, counted.sinceMs + interval);
  }

  onRestarted(): void {}

  forget(instance: number): void {
    this.#intervals.delete(instance);
  }
}

const JITTER_SHARE = 0.25;
