/** The life of instances that come and go: wanted, placed, image pulled, started, ready; told to go, drained, gone. Where they run and
 *  how many there should be is decided elsewhere. Places are reused, the one that has been empty longest first. */
import { invariant } from '../../core/errors.ts';
import type { Streams } from '../../core/streams.ts';
import type { Ms } from '../../core/time.ts';
import type { Xoshiro128 } from '../../core/xoshiro.ts';
import { makeSampler, type Sampler } from '../../stats/samplers.ts';
import type { Fleet } from '../fleet.ts';
import type { Servers } from '../servers.ts';
import type { Errands } from './errands.ts';

export const podStates = { empty: 0, pending: 1, starting: 2, ready: 3, unready: 4, leaving: 5 } as const;

/** The node of a pod that has none, or needs none. */
export const NO_NODE = -1;

export interface PodsHost {
  /** How long until it has its image, if pulling it takes so long. */
  untilPulled(instance: number, pullMs: () => Ms): Ms;
  ready(instance: number): void;
  unready(instance: number): void;
  /** It was told to go. */
  leaves(instance: number): void;
  /** It has gone, and `lost` requests with it. */
  gone(instance: number, node: number, lost: number): void;
}

export class Pods {
  private readonly fleet: Fleet;
  private readonly servers: Servers;
  private readonly errands: Errands;
  private readonly host: PodsHost;
  // By instance.
  readonly state: Uint8Array;
  readonly node: Int32Array;
  readonly createdMs: Float64Array;
  /** When its process was started first; NaN before that. */
  readonly startedMs: Float64Array;
  readonly readyChangedMs: Float64Array;
  /** Whether it has ever said if it is ready. */
  readonly hasReported: Uint8Array;
  /** Counts the pods that a place has held, so that an errand of an earlier one is recognised. */
  private readonly lives: Int32Array;
  /** By service: empty places, longest empty first. */
  private readonly empty: readonly number[][];
  private readonly pullTimes: readonly Sampler[];
  private readonly rng: Xoshiro128;
  /** Time pods have waited for a place, and how many have. */
  waitedMs: Ms;
  placed: number;

  constructor(fleet: Fleet, servers: Servers, errands: Errands, streams: Streams, host: PodsHost) {
    this.fleet = fleet;
    this.servers = servers;
    this.errands = errands;
    this.host = host;
    this.state = new Uint8Array(fleet.count);
    this.node = new Int32Array(fleet.count).fill(NO_NODE);
    this.createdMs = new Float64Array(fleet.count);
    this.startedMs = new Float64Array(fleet.count).fill(NaN);
    this.readyChangedMs = new Float64Array(fleet.count).fill(NaN);
    this.hasReported = new Uint8Array(fleet.count);
    this.lives = new Int32Array(fleet.count);
    this.empty = fleet.services.map(() => []);
    this.pullTimes = fleet.services.map(({ elastic }) => makeSampler(elastic.imagePull));
    this.rng = streams.stream('image-pull');
    this.waitedMs = 0;
    this.placed = 0;
    for (let instance = 0; instance < fleet.count; instance++) {
      if (!fleet.exists(instance)) this.empty[fleet.service[instance]].push(instance);
    }
  }

  /** What has been there since before the first moment. */
  wasThere(instance: number, node: number): void {
    this.state[instance] = podStates.ready;
    this.node[instance] = node;
    this.startedMs[instance] = -Infinity;
    this.readyChangedMs[instance] = -Infinity;
    this.hasReported[instance] = 1;
  }

  /** It should have been there and found no room. */
  waits(instance: number): void {
    this.state[instance] = podStates.pending;
    this.createdMs[instance] = this.errands.nowMs;
  }

  /** One more of the service; returns its place, or -1 when there is none. */
  create(service: number): number {
    const places = this.empty[service];
    // Whatever holds processes in a place down is not the new one's.
    const free = places.findIndex((instance) => !this.servers.isHeld(instance));
    if (free === -1) return -1;
    const [instance] = places.splice(free, 1);
    this.lives[instance]++;
    this.state[instance] = podStates.pending;
    this.node[instance] = NO_NODE;
    this.createdMs[instance] = this.errands.nowMs;
    this.startedMs[instance] = NaN;
    this.readyChangedMs[instance] = NaN;
    this.hasReported[instance] = 0;
    return instance;
  }

  /** It has a node, or needs none: it starts. */
  bind(instance: number, node: number): void {
    invariant(this.state[instance] === podStates.pending, 'a pod is bound that does not wait for it');
    const { startupMs } = this.fleet.services[this.fleet.service[instance]];
    this.node[instance] = node;
    this.state[instance] = podStates.starting;
    this.waitedMs += this.errands.nowMs - this.createdMs[instance];
    this.placed++;
    const pullTime = this.pullTimes[this.fleet.service[instance]];
    const pullMs = this.host.untilPulled(instance, () => pullTime.sample(this.rng));
    this.startedMs[instance] = this.errands.nowMs + pullMs;
    this.servers.create(instance, this.errands.nowMs + pullMs + startupMs);
  }

  /** Its process accepts requests, for the first time or again after a crash. */
  cameUp(instance: number): void {
    const { readinessMs } = this.fleet.services[this.fleet.service[instance]].elastic;
    if (readinessMs === 0) {
      this.becomesReady(instance);
      return;
    }
    // Checks go on from the start of the process, whether or not they pass.
    const nowMs = this.errands.nowMs;
    const sinceMs = nowMs - this.startedMs[instance];
    const checks = Number.isFinite(sinceMs) ? Math.ceil(sinceMs / readinessMs) * readinessMs - sinceMs : readinessMs;
    this.later(instance, checks, () => {
      if (this.servers.isUp(instance)) this.becomesReady(instance);
    });
  }

  /** Its process is down; it may be started again in its place. */
  wentDown(instance: number): void {
    if (this.state[instance] === podStates.leaving) this.isGone(instance);
    else if (this.state[instance] === podStates.ready) {
      this.setReady(instance, podStates.unready);
      this.host.unready(instance);
    }
  }

  /** It is to go: at once where nothing runs, else when it has drained, or at the end of its grace. */
  terminate(instance: number): void {
    const state = this.state[instance];
    if (state === podStates.empty || state === podStates.leaving) return;
    const { drains, preStopMs, graceMs } = this.fleet.services[this.fleet.service[instance]].elastic.shutdown;
    this.state[instance] = podStates.leaving;
    this.host.leaves(instance);
    if (!this.servers.isUp(instance)) {
      this.isGone(instance);
      return;
    }
    if (preStopMs < graceMs) {
      this.later(instance, preStopMs, () => {
        if (!drains) this.isGone(instance);
        else this.servers.drain(instance);
      });
    }
    this.later(instance, graceMs, () => this.isGone(instance));
  }

  /** It is given up, whatever it does: its node is lost, or somebody more important needs the place. */
  drop(instance: number): void {
    if (this.state[instance] === podStates.empty) return;
    if (this.state[instance] !== podStates.leaving) {
      this.state[instance] = podStates.leaving;
      this.host.leaves(instance);
    }
    this.isGone(instance);
  }

  /** It has nothing left to do. */
  drained(instance: number): void {
    if (this.state[instance] === podStates.leaving) this.isGone(instance);
  }

  private becomesReady(instance: number): void {
    if (this.state[instance] === podStates.leaving || this.state[instance] === podStates.empty) return;
    this.setReady(instance, podStates.ready);
    this.host.ready(instance);
  }

  private setReady(instance: number, state: number): void {
    this.state[instance] = state;
    this.hasReported[instance] = 1;
    this.readyChangedMs[instance] = this.errands.nowMs;
  }

  private isGone(instance: number): void {
    if (this.state[instance] === podStates.empty) return;
    const node = this.node[instance];
    this.lives[instance]++;
    this.state[instance] = podStates.empty;
    this.node[instance] = NO_NODE;
    const lost = this.fleet.exists(instance) ? this.servers.remove(instance) : 0;
    this.empty[this.fleet.service[instance]].push(instance);
    this.host.gone(instance, node, lost);
  }

  /** Unless another pod holds the place by then. */
  private later(instance: number, delayMs: Ms, act: () => void): void {
    const life = this.lives[instance];
    this.errands.later(delayMs, () => {
      if (this.lives[instance] === life) act();
    });
  }
}
