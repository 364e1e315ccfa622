/** The kubelet's restarts, with CrashLoopBackOff: the first at once, each further one after twice the wait of the last, from 10 s to
 *  5 min.
 *
 *  Use it as the default of containers: a process that crashes once is back in a moment, one that cannot start does not wear down its
 *  host. It fails after a long outage of something the process needs: by then the wait is five minutes, and that is how long it stays
 *  away after the cause is gone.
 *
 *  The wait counts from the end of the process. It is forgotten when a process ends more than 10 minutes after the last restart;
 *  running for exactly 10 minutes does not count. Newer kubelets let the maximum be lowered per node, or begin at 1 s with a maximum
 *  of a minute; the 10 minutes stay. */
import { choice, duration } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { FlowBackoff } from '../parts/flow-backoff.ts';
import { defineRestartPolicy, isRestarted, type RestartPolicy, type RestartWhen, restartWhen } from './restart-policy.ts';

export const kubeletRestart = defineRestartPolicy({
  name: 'kubelet',
  summary: 'Restarts at once, then after waits that double from 10 s to 5 min (CrashLoopBackOff).',
  useWhen: 'Containers restart in place, as under Kubernetes.',
  failsWhen: 'A dependency is away for minutes: restarts lag behind its return by up to the longest wait.',
  cost: 'O(1)',
  sources: [
    'kubernetes/kubernetes: pkg/kubelet/kuberuntime/kuberuntime_manager.go, doBackOff',
    'kubernetes/enhancements: KEP-4603, tuning CrashLoopBackOff',
  ],
  aliases: [
    { system: 'Kubernetes', name: 'CrashLoopBackOff' },
    { system: 'Kubernetes', name: 'restartPolicy' },
  ],
  params: {
    restartPolicy: choice({
      choices: restartWhen,
      default: 'always',
      about: 'Which ends lead to a restart.',
      official: 'Kubernetes restartPolicy: Always, OnFailure, Never',
    }),
    initialBackoff: duration({ default: 10_000, min: 1, about: 'Wait before the second restart.' }),
    maxContainerRestartPeriod: duration({
      default: 300_000,
      min: 1,
      about: 'No wait is longer.',
      official: 'Kubernetes crashLoopBackOff.maxContainerRestartPeriod',
    }),
    resetAfter: duration({
      default: 600_000,
      min: 1,
      about: 'The waits begin anew when a process ends later than this after the last restart.',
    }),
  },
  create: ({ restartPolicy, initialBackoff, maxContainerRestartPeriod, resetAfter }) =>
    new KubeletRestart(restartPolicy, new FlowBackoff(initialBackoff, maxContainerRestartPeriod, resetAfter)),
});

class KubeletRestart implements RestartPolicy {
  readonly #when: RestartWhen;
  readonly #backoff: FlowBackoff;
  readonly #endedAtMs = new Map<number, Ms>();

  constructor(when: RestartWhen, backoff: FlowBackoff) {
    this.#when = when;
    this.#backoff = backoff;
  }

  restartAtMs(instance: number, _startedAtMs: Ms, endedAtMs: Ms, isFailure: boolean): Ms {
    if (!isRestarted(this.#when, isFailure)) return Infinity;
    this.#endedAtMs.set(instance, endedAtMs);
    return this.#backoff.allowedAtMs(instance, endedAtMs);
  }

  onRestarted(instance: number, nowMs: Ms): void {
    this.#backoff.next(instance, this.#endedAtMs.get(instance) ?? nowMs, nowMs);
  }

  forget(instance: number): void {
    this.#endedAtMs.delete(instance);
    this.#backoff.reset(instance);
  }
}
