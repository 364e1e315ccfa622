/** Queueing-model scaling: as many replicas as a formula says that the measured arrivals need, for a target on waiting.
 *
 *  Use it where requests take a known time and load rises and falls: it looks at what arrives and not at how bad things have become, so it
 *  reacts as far as needed in one step, also when it is overloaded. It fails where its model is wrong: service times with a heavy tail, a
 *  service that slows down under load, arrivals in bursts; and it staffs for what arrives, not for a backlog that has piled up.
 *
 *  Load is arrivals · service time. Models: one shared queue (Erlang C: P(wait > t) ≤ 1 − fraction), square-root staffing, a queue
 *  per replica (the pessimistic one), or plain utilisation. Arrivals and service time are smoothed. Up at once; down only as far as would
 *  also do for a load that is larger by a margin, so that noise does not take a replica away and bring it back.
 *
 *  A. K. Erlang (1917); S. Halfin and W. Whitt, Operations Research 29 (1981); D. Gross et al., Fundamentals of Queueing Theory */
import { duration, fraction, type ParamValues, string } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import { type Autoscaler, defineAutoscaler, type ScaleDecision, type ScaleObservation } from './autoscaler.ts';
import { backWithin, boundsParams, refuseEmptyBounds, within } from './parts/bounds.ts';
import { Smoothed } from './parts/smoothed.ts';
import { replicasFor, staffingParams } from './parts/staffing.ts';

const params = {
  ...boundsParams,
  ...staffingParams,
  arrivals: string({ default: 'requests-per-second', about: 'The metric that says how many requests arrive in a second.' }),
  serviceTime: string({ default: 'service-time', about: 'The metric that says how long a request takes, in milliseconds.' }),
  decideEvery: duration({ default: 15_000, min: 1, about: 'Time from one decision to the next.' }),
  smoothing: duration({ default: 15_000, min: 0, about: 'Half-life of what is remembered of both metrics.' }),
  scaleDownMargin: fraction({
    default: 0.1,
    max: 10,
    about: 'Down only as far as would do for a load that is larger by this share.',
  }),
} as const;

export const queueing = defineAutoscaler({
  name: 'queueing',
  summary: 'As many replicas as a queueing formula asks for, from arrivals and service time.',
  useWhen: 'Requests take about the same time whatever the load, and waiting is what must be bounded.',
  failsWhen: 'Service times have heavy tails or grow under load, or a backlog has to be worked off.',
  cost: 'O(slots of all replicas) per decision',
  sources: [
    'S. Halfin and W. Whitt: Heavy-traffic limits for queues with many exponential servers, Operations Research 29 (1981)',
    'D. Gross, J. Shortle, J. Thompson, C. Harris: Fundamentals of Queueing Theory (4th edition, 2008), chapter 2',
  ],
  aliases: [],
  params,
  create: (values) => new Queueing(values),
});

class Queueing implements Autoscaler {
  readonly decideEveryMs: Ms;
  readonly #params: ParamValues<typeof params>;
  readonly #arrivals: Smoothed;
  readonly #serviceTime: Smoothed;

  constructor(values: ParamValues<typeof params>) {
    refuseEmptyBounds('queueing', values);
    this.#params = values;
    this.decideEveryMs = values.decideEvery;
    this.#arrivals = new Smoothed(values.smoothing);
    this.#serviceTime = new Smoothed(values.smoothing);
  }

  decide(observation: ScaleObservation): ScaleDecision {
    const { specReplicas } = observation;
    const arrivals = observation.metric(this.#params.arrivals);
    const serviceTime = observation.metric(this.#params.serviceTime);
    if (arrivals !== undefined) this.#arrivals.add(arrivals.value, arrivals.atMs);
    // Nothing is served in quiet times; what requests took before still holds.
    if (serviceTime !== undefined) this.#serviceTime.add(serviceTime.value, serviceTime.atMs);
    const outside = backWithin(this.#params, specReplicas);
    if (outside !== undefined) return outside;
    if (arrivals === undefined) return { replicas: undefined, reason: 'NoArrivalRate' };
    const rate = this.#arrivals.value!;
    const perRequestMs = this.#serviceTime.value;
    if (perRequestMs === undefined) return { replicas: undefined, reason: 'NoServiceTime' };
    const { scaleDownMargin, max } = this.#params;
    const needed = replicasFor(rate, perRequestMs, this.#params, max);
    const comfortable = replicasFor(rate * (1 + scaleDownMargin), perRequestMs, this.#params, max);
    if (needed > specReplicas) return { replicas: within(this.#params, needed), reason: 'NeededForWait' };
    const replicas = within(this.#params, Math.min(specReplicas, comfortable));
    return { replicas, reason: replicas < specReplicas ? 'MoreThanNeeded' : 'Sufficient' };
  }
}
