/** Every load balancer by name. */
import { type Resolution, resolvePolicy } from '../../core/policy-table.ts';
import { alwaysFirst } from './always-first.ts';
import type { BalancerDefinition } from './balancer.ts';
import { clientSideWeightedRoundRobin } from './client-side-weighted-round-robin.ts';
import { edfWeightedRoundRobin } from './edf-weighted-round-robin.ts';
import { fastWeightedRoundRobin } from './fast-weighted-round-robin.ts';
import { interleavedWeightedRoundRobin } from './interleaved-weighted-round-robin.ts';
import { staticStride } from './static-stride.ts';
import { staticWeightedRoundRobin } from './static-weighted-round-robin.ts';
import { weightedRandom } from './weighted-random.ts';
import { c3 } from './c3.ts';
import { joinIdleQueue } from './join-idle-queue.ts';
import { jsqD } from './jsq-d.ts';
import { leastTime } from './least-time.ts';
import { neverQueue } from './never-queue.ts';
import { prequal } from './prequal.ts';
import { shortestExpectedDelay } from './shortest-expected-delay.ts';
import { weightedP2c } from './weighted-p2c.ts';
import { boundedLoad } from './bounded-load.ts';
import { consistentHash } from './consistent-hash.ts';
import { iptablesRandom } from './iptables-random.ts';
import { ketama } from './ketama.ts';
import { maglev } from './maglev.ts';
import { moduloHash } from './modulo-hash.ts';
import { rendezvous } from './rendezvous.ts';
import { ringHash } from './ring-hash.ts';
import { sourceIpHash } from './source-ip-hash.ts';
import { leastConnections } from './least-connections.ts';
import { leastRequest } from './least-request.ts';
import { p2c } from './p2c.ts';
import { peakEwma } from './peak-ewma.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';
import { weightedRoundRobin } from './weighted-round-robin.ts';

export * from './balancer.ts';
export { EndpointSet, type EndpointOptions } from './endpoint-set.ts';
export {
  alwaysFirst,
  boundedLoad,
  consistentHash,
  iptablesRandom,
  ketama,
  maglev,
  moduloHash,
  rendezvous,
  ringHash,
  sourceIpHash,
  c3,
  joinIdleQueue,
  jsqD,
  leastTime,
  neverQueue,
  prequal,
  shortestExpectedDelay,
  weightedP2c,
  clientSideWeightedRoundRobin,
  edfWeightedRoundRobin,
  fastWeightedRoundRobin,
  interleavedWeightedRoundRobin,
  staticStride,
  staticWeightedRoundRobin,
  weightedRandom,
  leastConnections,
  leastRequest,
  p2c,
  peakEwma,
  random,
  roundRobin,
  weightedRoundRobin,
};

export const balancers: Readonly<Record<string, BalancerDefinition>> = {
  random,
  'round-robin': roundRobin,
  'weighted-round-robin': weightedRoundRobin,
  'client-side-weighted-round-robin': clientSideWeightedRoundRobin,
  'edf-weighted-round-robin': edfWeightedRoundRobin,
  'fast-weighted-round-robin': fastWeightedRoundRobin,
  'interleaved-weighted-round-robin': interleavedWeightedRoundRobin,
  'static-stride': staticStride,
  'static-weighted-round-robin': staticWeightedRoundRobin,
  'weighted-random': weightedRandom,
  'least-request': leastRequest,
  p2c,
  'least-connections': leastConnections,
  c3: c3,
  'join-idle-queue': joinIdleQueue,
  'jsq-d': jsqD,
  'least-time': leastTime,
  'never-queue': neverQueue,
  prequal: prequal,
  'shortest-expected-delay': shortestExpectedDelay,
  'weighted-p2c': weightedP2c,
  'peak-ewma': peakEwma,
  'bounded-load': boundedLoad,
  'consistent-hash': consistentHash,
  'iptables-random': iptablesRandom,
  ketama: ketama,
  maglev: maglev,
  'modulo-hash': moduloHash,
  rendezvous: rendezvous,
  'ring-hash': ringHash,
  'source-ip-hash': sourceIpHash,
  'always-first': alwaysFirst,
};

/** A balancer by its name or by the name another system gives it. */
export const resolveBalancer = (name: string): Resolution<BalancerDefinition> => resolvePolicy(balancers, name);
