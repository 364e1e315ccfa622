/** systemd's restarts: after a short fixed wait, until there were too many starts in a short time; then never again.
 *
 *  Use it for services on a machine, where somebody is called when a unit has failed. It fails where nobody is: a service that cannot
 *  start for half a second, because something it needs starts later, has used up its five starts and stays down.
 *
 *  Starts are counted in intervals that begin with a start: up to the burst are allowed in each, the first start of all among them. */
import { choice, duration, int } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { defineRestartPolicy, isRestarted, type RestartPolicy, type RestartWhen, restartWhen } from './restart-policy.ts';

export const systemdRestart = defineRestartPolicy({
  name: 'systemd',
  summary: 'Restarts after a fixed wait, and gives up after too many starts in a short time.',
  useWhen: 'A service runs on its own machine, and one that keeps failing is somebody’s business.',
  failsWhen: 'What it needs is away for a moment: the starts are used up within it.',
  cost: 'O(1)',
  sources: ['systemd/systemd: man/systemd.service.xml, man/systemd.unit.xml; src/basic/ratelimit.c'],
  aliases: [{ system: 'systemd', name: 'Restart' }],
  params: {
    restart: choice({
      choices: restartWhen,
      default: 'on-failure',
      about: 'Which ends lead to a restart.',
      official: 'systemd Restart, there no',
    }),
    restartSec: duration({ default: 100, min: 0, about: 'Wait before each restart.', official: 'systemd RestartSec' }),
    startLimitBurst: int({ default: 5, min: 1, about: 'Starts allowed in one interval.', official: 'systemd StartLimitBurst' }),
    startLimitInterval: duration({
      default: 10_000,
      min: 0,
      about: 'Length of an interval; 0: starts are not limited.',
      official: 'systemd StartLimitIntervalSec',
    }),
  },
  create: (params) => new SystemdRestart(params),
});

interface SystemdParams {
  readonly restart: RestartWhen;
  readonly restartSec: Ms;
  readonly startLimitBurst: number;
  readonly startLimitInterval: Ms;
}

class SystemdRestart implements RestartPolicy {
  readonly #params: SystemdParams;
  readonly #starts = new Map<number, { sinceMs: Ms; count: number }>();

  constructor(params: SystemdParams) {
    this.#params = params;
  }

  restartAtMs(instance: number, startedAtMs: Ms, endedAtMs: Ms, isFailure: boolean): Ms {
    if (!isRestarted(this.#params.restart, isFailure)) return Infinity;
    // The first start was not asked for here.
    if (!this.#starts.has(instance)) this.#starts.set(instance, { sinceMs: startedAtMs, count: 1 });
    const atMs = endedAtMs + this.#params.restartSec;
    return this.#mayStart(instance, atMs) ? atMs : Infinity;
  }

  onRestarted(): void {}

  forget(instance: number): void {
    this.#starts.delete(instance);
  }

  #mayStart(instance: number, atMs: Ms): boolean {
    const { startLimitBurst, startLimitInterval } = this.#params;
    if (startLimitInterval === 0) return true;
    const starts = this.#starts.get(instance);
    if (starts === undefined || starts.sinceMs + startLimitInterval <= atMs) {
      this.#starts.set(instance, { sinceMs: atMs, count: 1 });
      return true;
    }
    if (starts.count >= startLimitBurst) return false;
    starts.count++;
    return true;
  }
}
