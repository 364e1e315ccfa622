/** The benchmark's jobs as ordinary scenarios, run through the product's own loader and model.
 *  J1: M/M/1 at load 0.8. J2: n single-slot instances at load 0.9, two distinct choices. J3: J2 with a heartbeat per instance
 *  each second and a 3 s timeout per request. After the jobs of the same names in `limit.c`. */

const MEAN_MS = 10;

/** Text of the scenario in which `job` makes about `requests` requests. */
export function jobScenario(job, instances, requests) {
  const load = job === 'j1' ? 0.8 : 0.9;
  const perSecond = (load * instances * 1000) / MEAN_MS;
  const seconds = requests / perSecond;
  const detector = job === 'j3' ? '  detector: { use: heartbeat, every: 1s, misses: 3 }\n' : '';
  const timeout = job === 'j3' ? ', timeout: 3s' : '';
  return `scenario: 1
name: bench-${job}
about: Benchmark job ${job}.
demonstrates: speed
run: { duration: ${seconds}s, warmup: 0s, seeds: 1, window: ${seconds / 100}s }
services:
  api:
    instances: ${instances}
    slots: 1
    queue: unlimited
    work: { type: exponential, mean: ${MEAN_MS}ms }
traffic:
  - { to: api, arrivals: { type: poisson, rate: ${perSecond}/s }${timeout} }
policies:
${detector}  balancer: ${job === 'j1' ? 'random' : 'p2c'}
`;
}

export const defaultInstances = { j1: 1, j2: 100, j3: 1000 };
