/** The balancers that stand on their own; they can also be put inside the composite ones. */
import type { BalancerDefinition } from './balancer.ts';
import { alwaysFirst } from './always-first.ts';
import { boundedLoad } from './bounded-load.ts';
import { c3 } from './c3.ts';
import { clientSideWeightedRoundRobin } from './client-side-weighted-round-robin.ts';
import { consistentHash } from './consistent-hash.ts';
import { deterministicAperture } from './deterministic-aperture.ts';
import { edfWeightedRoundRobin } from './edf-weighted-round-robin.ts';
import { fastWeightedRoundRobin } from './fast-weighted-round-robin.ts';
import { interleavedWeightedRoundRobin } from './interleaved-weighted-round-robin.ts';
import { iptablesRandom } from './iptables-random.ts';
import { joinIdleQueue } from './join-idle-queue.ts';
import { jsqD } from './jsq-d.ts';
import { ketama } from './ketama.ts';
import { leastConnections } from './least-connections.ts';
import { leastRequest } from './least-request.ts';
import { leastTime } from './least-time.ts';
import { maglev } from './maglev.ts';
import { moduloHash } from './modulo-hash.ts';
import { neverQueue } from './never-queue.ts';
import { p2c } from './p2c.ts';
import { peakEwma } from './peak-ewma.ts';
import { prequal } from './prequal.ts';
import { random } from './random.ts';
import { rendezvous } from './rendezvous.ts';
import { ringHash } from './ring-hash.ts';
import { roundRobin } from './round-robin.ts';
import { shortestExpectedDelay } from './shortest-expected-delay.ts';
import { sourceIpHash } from './source-ip-hash.ts';
import { staticStride } from './static-stride.ts';
import { staticWeightedRoundRobin } from './static-weighted-round-robin.ts';
import { weightedP2c } from './weighted-p2c.ts';
import { weightedRandom } from './weighted-random.ts';
import { weightedRoundRobin } from './weighted-round-robin.ts';

export const simpleBalancers: Readonly<Record<string, BalancerDefinition>> = {
  // By turns and by chance.
  random,
  'round-robin': roundRobin,
  'always-first': alwaysFirst,
  'weighted-random': weightedRandom,
  'weighted-round-robin': weightedRoundRobin,
  'edf-weighted-round-robin': edfWeightedRoundRobin,
  'fast-weighted-round-robin': fastWeightedRoundRobin,
  'static-weighted-round-robin': staticWeightedRoundRobin,
  'static-stride': staticStride,
  'interleaved-weighted-round-robin': interleavedWeightedRoundRobin,
  'client-side-weighted-round-robin': clientSideWeightedRoundRobin,
  'iptables-random': iptablesRandom,
  // By requests in flight.
  'least-request': leastRequest,
  p2c,
  'weighted-p2c': weightedP2c,
  'jsq-d': jsqD,
  'least-connections': leastConnections,
  'shortest-expected-delay': shortestExpectedDelay,
  'never-queue': neverQueue,
  'join-idle-queue': joinIdleQueue,
  // By measured latency and load.
  'peak-ewma': peakEwma,
  'least-time': leastTime,
  c3,
  prequal,
  // By the request’s key.
  'ring-hash': ringHash,
  maglev,
  ketama,
  'consistent-hash': consistentHash,
  'bounded-load': boundedLoad,
  rendezvous,
  'modulo-hash': moduloHash,
  'source-ip-hash': sourceIpHash,
  // By a part of the endpoints.
  'deterministic-aperture': deterministicAperture,
};
