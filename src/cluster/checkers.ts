/** Invariants, watched in every run. A violation is a bug of ours: it stops the run with the evidence. What is checked:
 *  conservation (every request that arrived has ended in exactly one bucket or still waits), the same by time (Little's identity),
 *  places (nobody serves more than fits, a crashed instance holds nothing), causality (nothing ends before it arrives).
 *  The clock's monotony is checked by the engine, picks by the pipeline. */
import { invariant, InvariantViolation } from '../core/errors.ts';
import type { Ms } from '../core/time.ts';
import { type Fleet, instanceStates } from './fleet.ts';
import type { Recorder } from './recorder.ts';
import type { RequestTable } from './request-table.ts';

/** Relative error allowed between two sums of the same times added in different orders. */
const ROUNDING = 1e-6;

export class Checkers {
  private readonly fleet: Fleet;
  private readonly requests: RequestTable;
  private readonly recorder: Recorder;

  constructor(fleet: Fleet, requests: RequestTable, recorder: Recorder) {
    this.fleet = fleet;
    this.requests = requests;
    this.recorder = recorder;
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
    this.checkPlaces();
    return residual;
  }

  private checkPlaces(): void {
    const { fleet } = this;
    for (let instance = 0; instance < fleet.count; instance++) {
      const { slots, queueLimit } = fleet.services[fleet.service[instance]];
      const busy = fleet.busy[instance];
      const present = fleet.present[instance];
      // Texts are made only when needed: this loop runs over all instances in every window.
      if (busy < 0 || busy > present || present > slots + queueLimit) {
        throw new InvariantViolation(
          `${fleet.ids[instance]} works on ${busy} of ${slots} slots with ${present} requests present`,
        );
      }
      if (present > 0 && fleet.state[instance] !== instanceStates.up) {
        throw new InvariantViolation(`${fleet.ids[instance]} is down and holds ${present} requests`);
      }
      // Work-conserving: nobody waits beside a free slot, and nobody is served beyond the slots.
      if (busy !== Math.min(present, slots)) {
        throw new InvariantViolation(`${fleet.ids[instance]} has ${present} requests and works on ${busy} of ${slots} slots`);
      }
    }
  }
}
