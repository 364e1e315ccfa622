/** Records why requests went where they went: the first decisions after warm-up, each with what the balancer could see, how old that
 *  was, what it picked, and what somebody who knew every queue and every service time would have picked. The difference in time is the
 *  decision's regret. Costs O(instances) per recorded decision and nothing afterwards. */
import type { Ms } from '../core/time.ts';
import type { Engine } from '../engine/index.ts';
import { healthStates, type Slot } from '../policies/balancing/balancer.ts';
import type { Decision } from '../stats/result.ts';
import type { Client } from './client.ts';
import type { Fleet } from './fleet.ts';
import { INDEX, type RequestTable, WORK_MS } from './request-table.ts';
import type { Servers } from './servers.ts';

export class Explainer {
  readonly decisions: Decision[];
  private readonly engine: Engine;
  private readonly fleet: Fleet;
  private readonly requests: RequestTable;
  private readonly servers: Servers;
  private readonly wanted: number;
  private readonly fromMs: Ms;
  /** By client and slot: when anything last came from that instance. */
  private readonly heardMs: Float64Array[];

  constructor(engine: Engine, fleet: Fleet, requests: RequestTable, servers: Servers, wanted: number, fromMs: Ms) {
    this.decisions = [];
    this.engine = engine;
    this.fleet = fleet;
    this.requests = requests;
    this.servers = servers;
    this.wanted = wanted;
    this.fromMs = fromMs;
    this.heardMs = [];
  }

  get isDone(): boolean {
    return this.decisions.length >= this.wanted;
  }

  /** An answer or a heartbeat of the instance reached the client. */
  heard(client: Client, slot: Slot): void {
    this.heardOf(client)[slot] = this.engine.time;
  }

  /** Just after the pick and before the request reaches the instance; `active` already counts it. */
  decided(client: Client, request: number, picked: Slot): void {
    if (this.isDone || this.engine.time < this.fromMs) return;
    const now = this.engine.time;
    const workMs = this.requests.reals[(request << 3) + WORK_MS];
    const { table } = client.endpoints;
    const heard = this.heardOf(client);
    const visible = [];
    let best = -1;
    let bestMs = Infinity;
    for (let slot = 0; slot < client.instances; slot++) {
      const instance = client.base + slot;
      const takesMs = this.servers.timeToFinish(instance, workMs);
      if (takesMs < bestMs) {
        best = slot;
        bestMs = takesMs;
      }
      visible.push({
        instance: this.fleet.ids[instance],
        active: table.active[slot] - (slot === picked ? 1 : 0),
        healthy: table.health[slot] === healthStates.healthy,
        ageMs: now - heard[slot],
        present: this.fleet.present[instance],
        takesMs,
      });
    }
    const takesMs = this.servers.timeToFinish(client.base + picked, workMs);
    this.decisions.push({
      atMs: now,
      request: this.requests.reals[(request << 3) + INDEX],
      balancer: client.number,
      picked: this.fleet.ids[client.base + picked],
      best: best < 0 ? null : this.fleet.ids[client.base + best],
      regretMs: best < 0 ? 0 : takesMs - bestMs,
      visible,
    });
  }

  private heardOf(client: Client): Float64Array {
    let heard = this.heardMs[client.number];
    if (heard === undefined) {
      // Nothing heard yet: the instances were announced at the start.
      heard = new Float64Array(client.instances);
      this.heardMs[client.number] = heard;
    }
    return heard;
  }
}
