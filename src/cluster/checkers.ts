/** Invariants, watched in every run. A violation is a bug of ours: it stops the run with the evidence. What is checked:
 *  conservation (every request that arrived has ended in exactly one bucket or still waits, on every edge; no row of the table is lost or
 *  freed twice), the same by time (Little's identity), places (nobody serves more than fits, a crashed instance holds nothing), causality (nothing ends before it arrives).
 *  The clock's monotony is checked by the engine, picks by the pipeline. */
import { invariant, InvariantViolation } from '../core/errors.ts';
import type { Ms } from '../core/time.ts';
import { stages } from './call-table.ts';
import type { Client } from './client.ts';
import { type Fleet, instanceStates } from './fleet.ts';
import type { Gateway } from './gateway.ts';
import type { Recorder } from './recorder.ts';
import { CLIENT, HELD_BY_CALLER, HELD_BY_CLIENT, HOLDERS, type RequestTable } from './request-table.ts';

/** Relative error allowed between two sums of the same times added in different orders. */
const ROUNDING = 1e-6;

export class Checkers {
  private readonly fleet: Fleet;
  private readonly requests: RequestTable;
  private readonly recorder: Recorder;
  private readonly gateway: Gateway;
  private readonly clients: readonly Client[];
  /** By edge: requests found to be out. */
  private readonly out: Int32Array;

  constructor(fleet: Fleet, requests: RequestTable, recorder: Recorder, gateway: Gateway, clients: readonly Client[]) {
    this.fleet = fleet;
    this.requests = requests;
    this.recorder = recorder;
    this.gateway = gateway;
    this.clients = clients;
    this.out = new Int32Array(gateway.begun.length);
  }

  /** At the end of every window and of the run. Returns what Little's identity is off by, as a share. */
  check(nowMs: Ms): number {
    const { recorder } = this;
    const waiting = this.requests.countWaiting(nowMs);
    invariant(
      this.requests.latestArrivalMs <= nowMs,
      `a request arrives at ${this.requests.latestArrivalMs} ms, after now, ${nowMs} ms`,
    );
    invariant(
      recorder.offeredAll === recorder.endedAll + waiting,
      `requests are not conserved: ${recorder.offeredAll} arrived, ${recorder.endedAll} ended, ${waiting} wait`,
    );
    invariant(recorder.inSystem === waiting, `${recorder.inSystem} requests are counted as in the system, ${waiting} are found`);
    recorder.settle();
    const byRequest = recorder.durations + this.requests.waitingMs;
    const residual = byRequest === 0 ? 0 : Math.abs(recorder.area - byRequest) / byRequest;
    invariant(residual <= ROUNDING, `time in system is ${recorder.area} ms by the clock and ${byRequest} ms by request`);
    this.checkEdges();
    this.checkPlaces();
    return residual;
  }

  /** Requests whose caller waits for them, by edge: all that have begun and are not over. Linear in the rows, like `countWaiting`. */
  private checkEdges(): void {
    const { requests, out, clients, gateway } = this;
    const { calls, ints, rows } = requests;
    out.fill(0);
    let inUse = 0;
    for (let row = 0; row < rows; row++) {
      const holders = ints[(row << 4) + HOLDERS];
      if (holders === 0) continue;
      inUse++;
      if ((holders & (HELD_BY_CLIENT | HELD_BY_CALLER)) === 0) continue;
      // A call that a cache takes care of has not begun on its edge.
      if (calls.isUsed && calls.stage[row] >= stages.cacheHit && calls.stage[row] <= stages.cacheAgain) continue;
      out[clients[ints[(row << 4) + CLIENT]].edge]++;
    }
    if (inUse !== requests.live) {
      throw new InvariantViolation(`${requests.live} rows are counted as in use, ${inUse} are found`);
    }
    for (let edge = 0; edge < out.length; edge++) {
      if (gateway.begun[edge] - gateway.over[edge] === out[edge]) continue;
      throw new InvariantViolation(
        `requests are not conserved on edge ${edge}: ${gateway.begun[edge]} began, ${gateway.over[edge]} are over, ${out[edge]} are out`,
      );
    }
  }

  /** Whether requests of the service come back for more work, which they may do whatever the limit. */
  private comeBack(service: number): boolean {
    const { steps, holdsSlot, discipline } = this.fleet.services[service];
    return steps.length > 0 && (!holdsSlot || discipline === 'processor-sharing');
  }

  private checkPlaces(): void {
    const { fleet } = this;
    for (let instance = 0; instance < fleet.count; instance++) {
      const { slots, queueLimit } = fleet.services[fleet.service[instance]];
      const busy = fleet.busy[instance];
      const present = fleet.present[instance];
      // Texts are made only when needed: this loop runs over all instances in every window.
      if (busy < 0 || busy > present || (present > slots + queueLimit && !this.comeBack(fleet.service[instance]))) {
        throw new InvariantViolation(
          `${fleet.ids[instance]} works on ${busy} of ${slots} slots with ${present} requests present`,
        );
      }
      if (present > 0 && fleet.state[instance] !== instanceStates.up && fleet.state[instance] !== instanceStates.draining) {
        throw new InvariantViolation(`${fleet.ids[instance]} is down and holds ${present} requests`);
      }
      // Work-conserving: nobody waits beside a free slot, and nobody is served beyond the slots.
      if (busy !== Math.min(present, slots)) {
        throw new InvariantViolation(`${fleet.ids[instance]} has ${present} requests and works on ${busy} of ${slots} slots`);
      }
    }
  }
}
