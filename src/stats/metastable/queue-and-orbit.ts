/** A server with a queue, and an *orbit*: requests whose client has timed out and will retry or give up. Here the flows between
 *  the two as a fluid: in which direction they move from a given filling, and the ridge that separates collapse from recovery.
 *  `queue-orbit-chain.ts` solves the same model exactly, with chance.
 *
 *  Use it to see how close a healthy system is to its ridge, and how much a trigger must add. It is a model of averages: where
 *  queues are short, chance crosses the ridge long before the fluid would.
 *
 *  The model is that of the metafor tool (mpi-sws-rse/metafor; "Analyzing metastable failures", HotOS 2025). The saddle
 *  follows from its rates by setting both drifts to zero. Times in any unit, rates per that unit. */
export interface QueueAndOrbit {
  readonly arrivalRate: number;
  /** Of one thread. */
  readonly serviceRate: number;
  /** Of the client, for one try. */
  readonly timeout: number;
  readonly retries: number;
  /** 1 unless told. */
  readonly threads?: number;
}

/** An upper bound for the chance that a request arriving at a queue of this length times out: Chebyshev's inequality on a sum
 *  of exponential service times; 1 from where the mean wait comes within a standard deviation of the timeout. A bound, and a
 *  wide one: it overstates the timeouts of short queues by orders of magnitude. */
export function timeoutProbability(
  queue: number,
  { serviceRate, timeout, threads = 1 }: Omit<QueueAndOrbit, 'arrivalRate' | 'retries'>,
): number {
  if (queue === 0) return 0;
  const rate = Math.min(queue, threads) * serviceRate;
  const slack = timeout - queue / rate;
  const deviation = Math.sqrt(queue) / rate;
  if (slack <= deviation) return 1;
  const inverse = deviation / slack;
  return inverse * inverse;
}

/** What one request in the orbit does per unit of time. Together the two end one stay per timeout. */
export function orbitRates({ retries, timeout }: QueueAndOrbit): { readonly retry: number; readonly giveUp: number } {
  return { retry: retries / ((retries + 1) * timeout), giveUp: 1 / ((retries + 1) * timeout) };
}

export interface QueueAndOrbitDrift {
  readonly queue: number;
  readonly orbit: number;
}

/** Change of queue and orbit per unit of time, from a given filling. */
export function drift(model: QueueAndOrbit, queue: number, orbit: number): QueueAndOrbitDrift {
  const { retry, giveUp } = orbitRates(model);
  const timingOut = timeoutProbability(queue, model);
  return {
    queue: model.arrivalRate - model.serviceRate * Math.min(queue, model.threads ?? 1) + orbit * retry,
    orbit: model.arrivalRate * timingOut - orbit * retry * (1 - timingOut) - orbit * giveUp,
  };
}

/** Where neither moves, for one thread: beyond it both grow, short of it both drain. Null where there is no ridge: at or below
 *  serviceRate/(retries+1) every filling drains, from the service rate on none does. Meant for fillings of at least one
 *  request, that is for timeouts well above a service time. */
export function saddle(model: QueueAndOrbit): (QueueAndOrbitDrift & { readonly timeoutProbability: number }) | null {
  const { arrivalRate, serviceRate, timeout, retries } = model;
  const probability = balancingTimeoutProbability(model);
  if (!(arrivalRate > serviceRate / (retries + 1) && arrivalRate < serviceRate)) return null;
  // With one thread the bound is q/(μT − q)²; setting it equal to p gives √p·q + √q − √p·μT = 0, a quadratic in √q.
  const root = (Math.sqrt(1 / probability + 4 * serviceRate * timeout) - 1 / Math.sqrt(probability)) / 2;
  return {
    queue: root * root,
    orbit: ((serviceRate - arrivalRate) * (retries + 1) * timeout) / retries,
    timeoutProbability: probability,
  };
}

/** The chance of timing out at which retries just fill what arrivals leave of one thread. At 1 or above, even an orbit that
 *  all requests enter cannot keep the server busy; at 0 or below, arrivals alone do. */
export function balancingTimeoutProbability({ arrivalRate, serviceRate, retries }: QueueAndOrbit): number {
  return ((serviceRate - arrivalRate) * (retries + 1)) / (retries * serviceRate);
}
