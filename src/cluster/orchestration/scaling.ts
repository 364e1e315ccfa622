/** One service's count of instances: an autoscaler, where there is one, says how many, replica controllers see to it. */
import { PolicyFault } from '../../core/errors.ts';
import type { Ms } from '../../core/time.ts';
import type { Autoscaler, ScaleObservation } from '../../policies/autoscaling/autoscaler.ts';
import type { Errands } from './errands.ts';
import type { DirectMeter } from './metrics-pipeline.ts';
import type { ReplicaGroups } from './replica-groups.ts';

export interface ScalingHost {
  /** Whether anybody decides anything at present. */
  isRunning(): boolean;
  observe(directly: DirectMeter | undefined): ScaleObservation;
  /** From now on so many are wanted. */
  scaled(from: number, to: number, reason: string): void;
}

export class Scaling {
  readonly groups: ReplicaGroups;
  readonly autoscaler: Autoscaler | undefined;
  desired: number;
  private readonly errands: Errands;
  private readonly host: ScalingHost;

  constructor(
    errands: Errands,
    name: string,
    groups: ReplicaGroups,
    autoscaler: Autoscaler | undefined,
    desired: number,
    meter: DirectMeter | undefined,
    host: ScalingHost,
  ) {
    this.errands = errands;
    this.groups = groups;
    this.autoscaler = autoscaler;
    this.desired = desired;
    this.host = host;
    if (autoscaler === undefined) return;
    const { decideEveryMs, sampleEveryMs = Infinity } = autoscaler;
    checkPeriod(name, 'decideEveryMs', decideEveryMs);
    checkPeriod(name, 'sampleEveryMs', sampleEveryMs);
    // Samples come first where both are due.
    if (sampleEveryMs < Infinity) {
      errands.every(sampleEveryMs, sampleEveryMs, () => {
        if (!host.isRunning()) return;
        meter?.take();
        autoscaler.sample?.(host.observe(meter));
      });
    }
    if (decideEveryMs < Infinity) errands.every(decideEveryMs, decideEveryMs, () => this.decide(name, meter));
  }

  /** By the autoscaler, or by somebody else. */
  setDesired(count: number, reason: string): void {
    const from = this.desired;
    if (count === from) return;
    this.desired = count;
    this.host.scaled(from, count, reason);
    this.autoscaler?.onScaled?.(from, count, this.errands.nowMs);
    this.groups.setWanted(count);
  }

  private decide(name: string, meter: DirectMeter | undefined): void {
    if (!this.host.isRunning()) return;
    const { replicas, reason } = this.autoscaler!.decide(this.host.observe(meter));
    if (replicas === undefined) return;
    if (!Number.isInteger(replicas) || replicas < 0) {
      const { nowMs } = this.errands;
      throw new PolicyFault(
        'autoscaler',
        `the autoscaler of ${name} wants ${replicas} instances at ${nowMs} ms, expected a whole number`,
      );
    }
    this.setDesired(replicas, reason);
  }
}

function checkPeriod(name: string, key: string, ms: Ms): void {
  if (!(ms > 0)) throw new PolicyFault('autoscaler', `${key} of the autoscaler of ${name} is ${ms}, expected a time above 0`);
}
