/** Envoy's admission control: refuses at random in proportion to how far the success rate is below a threshold.
 *
 *  reject with probability min(maxRejectionProbability, ((n − s / successRateThreshold) / (n + 1))^(1 / aggression)), over the last 30 s.
 *
 *  Use it in a proxy in front of a service that fails under overload. It fails where errors have other causes: a broken dependency or bad
 *  requests from one client make it refuse everybody's, and unlike the throttle of the SRE book it counts any error as a reason.
 *
 *  Requests are counted when they end, those refused here never; the random number has four digits, as there. What was not
 *  carried out is not counted. */
import { pow } from '../../../core/math.ts';
import { duration, fraction, int, number, type ParamValues } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { type Admission, type AdmissionRequest, type AdmissionResult, admissionResults, defineAdmission } from './admission.ts';
import { RollingCounts } from './parts/rolling-counts.ts';

const params = {
  samplingWindow: duration({ default: 30_000, min: 1000, about: 'How far back requests are counted.' }),
  aggression: number({ default: 1, min: 1, about: 'Greater refuses more at a success rate just below the threshold.' }),
  successRateThreshold: fraction({
    default: 0.95,
    min: 0.01,
    about: 'Nothing is refused at this success rate or a better one.',
    official: 'Envoy sr_threshold',
  }),
  rpsThreshold: int({ default: 0, min: 0, about: 'Nothing is refused while fewer requests per second are counted.' }),
  maxRejectionProbability: fraction({ default: 0.8, min: 0, about: 'At least the rest is let through, to notice the recovery.' }),
};
type Values = ParamValues<typeof params>;

export const envoyAdmissionControl = defineAdmission({
  name: 'envoy-admission-control',
  summary: 'Refuses at random the more, the further the success rate is below a threshold (Envoy).',
  useWhen: 'A proxy shall take load off a service that answers overload with errors.',
  failsWhen: 'Errors have other causes than load: good requests are refused and nothing gets better.',
  cost: 'O(1)',
  sources: [
    'envoyproxy/envoy: source/extensions/filters/http/admission_control/admission_control.cc',
    'envoyproxy/envoy: source/extensions/filters/http/admission_control/thread_local_controller.cc',
  ],
  aliases: [{ system: 'Envoy', name: 'admission_control' }],
  params,
  create: (values, deps) => new EnvoyAdmissionControl(values, deps.rng),
});

export function envoyRejectProbability(requests: number, successes: number, values: EnvoyRejectRules): number {
  const excess = Math.max(0, (requests - successes / values.successRateThreshold) / (requests + 1));
  const probability = values.aggression === 1 ? excess : pow(excess, 1 / values.aggression);
  return Math.min(values.maxRejectionProbability, probability);
}
export type EnvoyRejectRules = Pick<Values, 'successRateThreshold' | 'aggression' | 'maxRejectionProbability'>;

class EnvoyAdmissionControl implements Admission {
  readonly #values: Values;
  readonly #counts: RollingCounts;
  readonly #rng: Rng;

  constructor(values: Values, rng: Rng) {
    this.#values = values;
    this.#counts = new RollingCounts(values.samplingWindow);
    this.#rng = rng;
  }

  admit(request: AdmissionRequest): boolean {
    this.#counts.advance(request.nowMs);
    if (this.#counts.ratePerSecond() < this.#values.rpsThreshold) return true;
    const probability = envoyRejectProbability(this.#counts.requests, this.#counts.good, this.#values);
    return !(ACCURACY * probability > this.#rng.below(ACCURACY));
  }

  onEnd(result: AdmissionResult, _rttMs: Ms, _inFlight: number, nowMs: Ms): void {
    if (result !== admissionResults.ignored) this.#counts.add(1, result === admissionResults.ok ? 1 : 0, nowMs);
  }

  limit(): number {
    return Infinity;
  }
}

const ACCURACY = 10_000;
