/** Queueing formulas for staffing: Poisson arrivals, exponential service times, one queue before `servers` that are alike.
 *
 *  Load is offered in Erlangs: arrivals per unit of time, times the mean service time. Real services have service times of other shapes
 *  and a queue per replica, so read these as a model: with a queue per replica and random balancing the truth is worse (see
 *  `replicasForWait`), with service times that vary less than exponential ones it is better.
 *
 *  A. K. Erlang (1917); S. Halfin and W. Whitt, Heavy-traffic limits for queues with many exponential servers, Operations Research
 *  29 (1981) */
import { exp, log } from '../../../core/math.ts';

/** Share of requests that would be lost if nobody could wait. Stable for any size, unlike the quotient of powers and factorials. */
export function erlangB(servers: number, offeredLoad: number): number {
  let blocked = 1;
  for (let k = 1; k <= servers; k++) blocked = nextErlangB(blocked, k, offeredLoad);
  return blocked;
}

/** Probability that an arrival has to wait; 1 for an overloaded system. */
export const erlangC = (servers: number, offeredLoad: number): number =>
  waitingFrom(erlangB(servers, offeredLoad), servers, offeredLoad);

/** In the unit of `serviceTime`; Infinity for an overloaded system. */
export const meanWait = (servers: number, offeredLoad: number, serviceTime: number): number =>
  offeredLoad >= servers ? Infinity : (erlangC(servers, offeredLoad) * serviceTime) / (servers - offeredLoad);

/** The wait that a share of `fraction` does not exceed. */
export function waitQuantile(fraction: number, servers: number, offeredLoad: number, serviceTime: number): number {
  if (offeredLoad >= servers) return Infinity;
  const waiting = erlangC(servers, offeredLoad);
  return waiting <= 1 - fraction ? 0 : (log(waiting / (1 - fraction)) * serviceTime) / (servers - offeredLoad);
}

/** How long one may wait, and which share of requests must not wait longer. */
export interface WaitTarget {
  readonly maxWait: number;
  readonly fraction: number;
}

/** The smallest number of servers on one queue that keeps the target; 0 without load, and `atMost` if so many would not do. `maxWait` is in
 *  the unit of `serviceTime`. */
export function serversForWait(
  offeredLoad: number,
  serviceTime: number,
  { maxWait, fraction }: WaitTarget,
  atMost = Infinity,
): number {
  if (!(offeredLoad > 0)) return 0;
  let blocked = 1;
  for (let servers = 1; servers < atMost; servers++) {
    blocked = nextErlangB(blocked, servers, offeredLoad);
    const waiting = waitingFrom(blocked, servers, offeredLoad);
    if (waitsLonger(waiting, servers, offeredLoad, maxWait / serviceTime) <= 1 - fraction) return servers;
  }
  return atMost;
}

/** The same for replicas with a queue each, among which arrivals are divided at random: every one is an M/M/`slots` system of its own,
 *  M/M/1 with one slot. The pessimistic bound; balancers that look at queues lie between this and `serversForWait`. */
export function replicasForWait(
  offeredLoad: number,
  serviceTime: number,
  slots: number,
  { maxWait, fraction }: WaitTarget,
): number {
  if (!(offeredLoad > 0)) return 0;
  const keeps = (replicas: number): boolean => {
    const share = offeredLoad / replicas;
    return waitsLonger(erlangC(slots, share), slots, share, maxWait / serviceTime) <= 1 - fraction;
  };
  // Waiting falls with every replica, so the boundary is found by doubling and halving.
  let enough = Math.floor(offeredLoad / slots) + 1;
  let tooFew = enough - 1;
  for (; !keeps(enough); enough *= 2) tooFew = enough;
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (keeps(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}

/** Servers for a load that has a safety of `beta` standard deviations of the number in service. */
export const squareRootStaffing = (offeredLoad: number, beta: number): number =>
  Math.ceil(offeredLoad + beta * Math.sqrt(offeredLoad));

/** Probability of waiting under square-root staffing, in the limit of many servers. */
export const halfinWhittWaiting = (beta: number): number => 1 / (1 + (beta * normalCdf(beta)) / normalDensity(beta));

/** B(k) from B(k − 1). */
const nextErlangB = (blocked: number, servers: number, offeredLoad: number): number =>
  (offeredLoad * blocked) / (servers + offeredLoad * blocked);

function waitingFrom(blocked: number, servers: number, offeredLoad: number): number {
  if (offeredLoad >= servers) return 1;
  return blocked / (1 - (offeredLoad / servers) * (1 - blocked));
}

/** P(W > t), with t in service times. */
const waitsLonger = (waiting: number, servers: number, offeredLoad: number, inServiceTimes: number): number =>
  offeredLoad >= servers ? 1 : waiting * exp(-(servers - offeredLoad) * inServiceTimes);

const normalDensity = (x: number): number => exp(-0.5 * x * x) * 0.3989422804014327;

/** Φ(x) = 1/2 + φ(x) · (x + x³/3 + x⁵/(3·5) + …). All terms have one sign, so nothing cancels for x ≥ 0, which is all that is asked. */
function normalCdf(x: number): number {
  if (x > 9) return 1;
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 0.5 + normalDensity(x) * sum;
}
