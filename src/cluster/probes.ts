/** Probes on their way, as rows of a small table: a client asks an instance for its load, the instance answers at once if it can.
 *  They travel the network like requests; a probe of a dead or frozen instance is simply never answered. */
import { grownFloats, grownInts } from '../core/grow.ts';
import type { LoadReport } from '../policies/balancing/balancer.ts';
import type { Client } from './client.ts';
import type { Fleet } from './fleet.ts';
import type { LoadMonitor } from './load-monitor.ts';
import { channels, type Network, type Sent, sent } from './network.ts';
import type { Servers } from './servers.ts';

/** Keys of probes' network draws lie apart from those of requests and heartbeats. */
const PROBE_SALT = 2e6;

export class Probes {
  /** Sent so far: the price of a policy that probes. */
  sent: number;
  private readonly network: Network;
  private readonly fleet: Fleet;
  private readonly servers: Servers;
  private readonly monitor: LoadMonitor;
  private readonly clients: readonly Client[];
  private client: Int32Array;
  private instance: Int32Array;
  /** Number of the probe over the whole run: key of its network draws. */
  private number: Float64Array;
  private inFlight: Float64Array;
  private latencyMs: Float64Array;
  private readonly free: number[];
  private used: number;
  private readonly report: LoadReport;

  constructor(network: Network, fleet: Fleet, servers: Servers, monitor: LoadMonitor, clients: readonly Client[]) {
    this.sent = 0;
    this.network = network;
    this.fleet = fleet;
    this.servers = servers;
    this.monitor = monitor;
    this.clients = clients;
    this.client = new Int32Array(64);
    this.instance = new Int32Array(64);
    this.number = new Float64Array(64);
    this.inFlight = new Float64Array(64);
    this.latencyMs = new Float64Array(64);
    this.free = [];
    this.used = 0;
    this.report = emptyReport();
  }

  send(client: Client, instance: number): void {
    const probe = this.free.pop() ?? this.newRow();
    this.client[probe] = client.number;
    this.instance[probe] = instance;
    this.number[probe] = this.sent++;
    const state = this.hop(channels.probe, probe, client.zone, this.fleet.zone[instance]);
    if (state === sent.now) this.delivered(probe);
    else if (state === sent.never) this.free.push(probe);
  }

  /** The probe reaches its instance. */
  delivered(probe: number): void {
    const instance = this.instance[probe];
    if (!this.servers.answers(instance)) {
      this.free.push(probe);
      return;
    }
    this.monitor.readProbe(instance, this.report);
    this.inFlight[probe] = this.report.inFlight;
    this.latencyMs[probe] = this.report.latencyMs;
    const client = this.clients[this.client[probe]];
    const state = this.hop(channels.probeAnswer, probe, this.fleet.zone[instance], client.zone);
    if (state === sent.now) this.answered(probe);
    else if (state === sent.never) this.free.push(probe);
  }

  /** The answer reaches the client. */
  answered(probe: number): void {
    const client = this.clients[this.client[probe]];
    const { report } = this;
    report.inFlight = this.inFlight[probe];
    report.latencyMs = this.latencyMs[probe];
    report.isProbe = true;
    const slot = this.instance[probe] - client.base;
    this.free.push(probe);
    client.pipeline.onReport(slot, report);
  }

  private hop(channel: typeof channels.probe | typeof channels.probeAnswer, probe: number, from: number, to: number): Sent {
    if (this.network.isInstant) return sent.now;
    return this.network.send(channel, from, to, this.instance[probe], probe, 0, this.number[probe], PROBE_SALT + channel);
  }

  private newRow(): number {
    if (this.used === this.client.length) {
      const size = this.used * 2;
      this.client = grownInts(this.client, size);
      this.instance = grownInts(this.instance, size);
      this.number = grownFloats(this.number, size);
      this.inFlight = grownFloats(this.inFlight, size);
      this.latencyMs = grownFloats(this.latencyMs, size);
    }
    return this.used++;
  }
}

export function emptyReport(): LoadReport {
  return {
    queriesPerSecond: 0,
    errorsPerSecond: 0,
    utilization: 0,
    inFlight: 0,
    queueLength: 0,
    latencyMs: 0,
    isProbe: false,
  };
}
