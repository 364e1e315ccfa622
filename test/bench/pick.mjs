/** Child process of the policies' table: what one balancer costs per request, at several numbers of endpoints. Prints one line of JSON,
 *  `{ "1": [ns, …], "4": [ns, …] }`, the keys being the largest weight among the endpoints. `none` measures the driver alone.
 *
 *  The driver is a closed loop: half as many requests in flight as there are endpoints, and for every request that ends another is
 *  placed, so load and latencies move as they do in a run. Simulated time passes so that a request takes 10 ms on average. Counted is
 *  all that a request costs the policy: pick, onStart, onEnd, its probes, the reports it hears and the timers it asked for. */
import { Xoshiro128 } from '../../dist/core/xoshiro.js';
import { balancers, EndpointSet } from '../../dist/policies/balancing/index.js';

const [name, sizesText, batchMsText] = process.argv.slice(2);
const sizes = sizesText.split(',').map(Number);
const batchMs = Number(batchMsText);
const batches = 6;
const fewest = 50;
const meanLatencyMs = 10;

/** All endpoints alike; and weights from 1 to 4 where they make a difference to this policy. */
function weightings() {
  return picksWith(1) === picksWith(4) ? [1] : [1, 4];
}

function picksWith(heaviest) {
  const loop = new ClosedLoop(10, heaviest);
  const picks = [];
  for (let i = 0; i < 200; i++) picks.push(loop.step());
  return picks.join();
}

function nsPerPick(endpoints, heaviest) {
  const loop = new ClosedLoop(endpoints, heaviest);
  let count = fewest;
  let ns = loop.run(count);
  while (ns < batchMs * 1e6) {
    count *= 2;
    ns = loop.run(count);
  }
  // The least of several: whatever is beyond it was done to this process by others.
  let least = ns / count;
  for (let batch = 1; batch < batches; batch++) least = Math.min(least, loop.run(count) / count);
  return Math.round(least * 10) / 10;
}

/** The driver's own share: the cheapest choice that still goes round all endpoints. */
function none() {
  let members = [];
  let count = 0;
  let turn = 0;
  return {
    update(view) {
      members = view.members;
      count = view.count;
    },
    pick() {
      turn = turn + 1 < count ? turn + 1 : 0;
      return members[turn];
    },
  };
}

class ClosedLoop {
  constructor(endpoints, heaviest) {
    this.set = new EndpointSet(endpoints);
    for (let i = 0; i < endpoints; i++)
      this.set.add(`10.0.${i >> 8}.${i & 255}:80`, { weight: 1 + (i % heaviest), locality: i % 3 }, 0);
    this.balancer = name === 'none' ? none() : balancers[name].make({}, { rng: new Xoshiro128(1, 2, 3, 4) });
    this.set.bind(this.balancer, 0);
    this.context = { nowMs: 0.5, attempt: 0, hasHash: true, hashHigh: 0, hashLow: 0 };
    this.report = {
      queriesPerSecond: 0,
      errorsPerSecond: 0,
      utilization: 0,
      inFlight: 0,
      queueLength: 0,
      latencyMs: 0,
      isProbe: false,
    };
    this.probed = new Int32Array(64);
    this.stepMs = meanLatencyMs / (endpoints / 2);
    this.draw = 1;
    this.nextTimerMs = this.balancer.nextTimerMs?.() ?? Infinity;
    this.slots = new Int32Array(endpoints / 2);
    this.sinceMs = new Float64Array(endpoints / 2);
    // Dealt out instead of picked: thousands of picks that scan thousands of endpoints would take longer than the measurement.
    for (let flight = 0; flight < this.slots.length; flight++) this.start(flight, 2 * flight);
  }

  /** Processor time in nanoseconds: on a busy machine it says more than the clock on the wall. */
  run(count) {
    const from = process.cpuUsage();
    for (let i = 0; i < count; i++) this.step();
    const { user, system } = process.cpuUsage(from);
    return (user + system) * 1000;
  }

  step() {
    this.context.nowMs += this.stepMs;
    if (this.context.nowMs >= this.nextTimerMs) this.wake();
    let flight = this.random() % this.slots.length;
    // Every eighth endpoint is slow: half the time somebody else's request ends first.
    if ((this.slots[flight] & 7) === 0 && (this.draw & 0x10000) === 0) flight = flight + 1 < this.slots.length ? flight + 1 : 0;
    this.end(flight);
    return this.begin(flight);
  }

  begin(flight) {
    const { balancer, context } = this;
    context.hashHigh = this.random();
    context.hashLow = Math.imul(context.hashHigh, 0x9e3779b1) >>> 0;
    const slot = balancer.pick(context);
    this.start(flight, slot);
    if (balancer.probes !== undefined) this.probe();
    return slot;
  }

  start(flight, slot) {
    const { set, balancer, context } = this;
    set.begin(slot);
    if (balancer.onStart !== undefined) balancer.onStart(slot, context.nowMs);
    this.slots[flight] = slot;
    this.sinceMs[flight] = context.nowMs;
  }

  end(flight) {
    const { set, balancer, context } = this;
    const slot = this.slots[flight];
    set.end(slot);
    if (balancer.onEnd !== undefined) balancer.onEnd(slot, context.nowMs, context.nowMs - this.sinceMs[flight], 0);
    if (balancer.onReport !== undefined) this.tell(slot, false);
  }

  probe() {
    const count = this.balancer.probes(this.probed, this.context.nowMs);
    for (let i = 0; i < count; i++) this.tell(this.probed[i], true);
  }

  tell(slot, isProbe) {
    const { report } = this;
    const inFlight = this.set.table.active[slot];
    report.queriesPerSecond = 50;
    report.utilization = inFlight > 8 ? 1 : (inFlight + 1) / 10;
    report.inFlight = inFlight;
    report.latencyMs = meanLatencyMs + (slot & 7);
    report.isProbe = isProbe;
    this.balancer.onReport(slot, this.context.nowMs, report);
  }

  wake() {
    while (this.nextTimerMs <= this.context.nowMs) {
      this.balancer.onTimer(this.context.nowMs);
      this.nextTimerMs = this.balancer.nextTimerMs();
    }
  }

  /** 32 bits; which requests end when is the driver's affair and not drawn from the policy's stream. */
  random() {
    this.draw = (Math.imul(this.draw, 1664525) + 1013904223) | 0;
    return (this.draw ^ (this.draw >>> 15)) >>> 0;
  }
}

// Until the compiler has come to rest, numbers are slow and boxed.
for (const heaviest of weightings()) nsPerPick(100, heaviest);
console.log(
  JSON.stringify(Object.fromEntries(weightings().map((heaviest) => [heaviest, sizes.map((n) => nsPerPick(n, heaviest))]))),
);
