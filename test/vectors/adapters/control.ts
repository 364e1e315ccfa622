/** One adapter per kind of `control.json`. */
import { kubeletRestart } from '../../../src/policies/recovery/restarts/kubelet.ts';
import { FlowBackoff } from '../../../src/policies/recovery/parts/flow-backoff.ts';
import { type Budget, budgetStatus } from '../../../src/policies/recovery/eviction/disruption-budget.ts';
import { parseCountOrPercent } from '../../../src/policies/shared/count-or-percent.ts';
import {
  type EvictionRates,
  nodesEvictedPerSecond,
  type ZoneState,
  zoneState,
} from '../../../src/policies/recovery/eviction/zone-state.ts';
import type { Adapters } from '../vector-file.ts';
import { autoscalingAdapters } from './control-autoscaling.ts';
import { placementAdapters } from './control-placement.ts';
import { Script } from './stage.ts';

const backoffs: Adapters = {
  'backoff.sequence': (input: Limits & { readonly stepSec: number; readonly calls: number }) => {
    const backoff = flowBackoff(input);
    const backoffBeforeCallSec = Array.from({ length: input.calls }, (_, call) => {
      const before = backoff.backoffMs(ITEM) / 1000;
      next(backoff, call * input.stepSec);
      return before;
    });
    return { backoffBeforeCallSec };
  },

  'backoff.afterIdle': (input: Limits & Idle & { readonly thenNext: boolean }) => {
    const backoff = flowBackoff(input);
    for (let call = 0; call < input.nextCallsOneSecApart; call++) next(backoff, call);
    if (input.thenNext) next(backoff, input.nextCallsOneSecApart - 1 + input.thenIdleSec);
    return { backoffSec: backoff.backoffMs(ITEM) / 1000 };
  },

  'backoff.expired': (input: Limits & Idle) => {
    const backoff = flowBackoff(input);
    for (let call = 0; call < input.nextCallsOneSecApart; call++) next(backoff, call);
    const lastSec = input.nextCallsOneSecApart - 1;
    const isInBackoff = (atSec: number): boolean => backoff.isInBackoffSinceUpdate(ITEM, atSec * 1000);
    return { inBackOffBeforeIdle: isInBackoff(lastSec), inBackOffAfterIdle: isInBackoff(lastSec + input.thenIdleSec) };
  },

  'backoff.ticks': (input: Limits & { readonly atSec: readonly number[] }) => {
    const backoff = flowBackoff(input);
    const inBackOff: boolean[] = [];
    const backoffSecWhenInBackOff = input.atSec.map((atSec) => {
      const isInBackoff = backoff.isInBackoffSinceUpdate(ITEM, atSec * 1000);
      inBackOff.push(isInBackoff);
      if (isInBackoff) return backoff.backoffMs(ITEM) / 1000;
      next(backoff, atSec);
      return null;
    });
    return { inBackOff, backoffSecWhenInBackOff };
  },

  'kubelet.crashLoop': (input: {
    readonly initialBackoffSec: number;
    readonly maxBackoffSec: number;
    readonly resetAfterSec: number;
    readonly runDurationsSec: readonly number[];
  }) => {
    const policy = kubeletRestart.make(
      {
        initialBackoff: input.initialBackoffSec * 1000,
        maxContainerRestartPeriod: input.maxBackoffSec * 1000,
        resetAfter: input.resetAfterSec * 1000,
      },
      { rng: new Script() },
    );
    const startTimesSec: number[] = [];
    let startMs = 0;
    const restartDelaysSec = input.runDurationsSec.map((seconds) => {
      startTimesSec.push(startMs / 1000);
      const endMs = startMs + seconds * 1000;
      startMs = policy.restartAtMs(ITEM, startMs, endMs, true);
      policy.onRestarted(ITEM, startMs);
      return (startMs - endMs) / 1000;
    });
    return { restartDelaysSec, startTimesSec };
  },
};

const disruptions: Adapters = {
  'pdb.status': (input: {
    readonly maxUnavailable?: number | string;
    readonly minAvailable?: number | string;
    readonly controllerScale: number | null;
    readonly podCount: number;
    readonly healthyPods: number;
  }) => {
    const parse = (value: number | string) => parseCountOrPercent(String(value), 'the budget');
    const budget: Budget =
      input.maxUnavailable === undefined
        ? { minAvailable: parse(input.minAvailable!) }
        : { maxUnavailable: parse(input.maxUnavailable) };
    const status = budgetStatus(budget, input.controllerScale ?? undefined, input.podCount, input.healthyPods);
    const { disruptionsAllowed, desiredHealthy, expected } = status;
    return { disruptionsAllowed, currentHealthy: input.healthyPods, desiredHealthy, expectedPods: expected };
  },

  'node.zoneState': (input: { readonly ready: number; readonly notReady: number; readonly unhealthyZoneThreshold: number }) => ({
    state: zoneState(input.ready, input.notReady, input.unhealthyZoneThreshold),
  }),

  'node.evictionRate': (input: EvictionRates & { readonly zoneSize: number; readonly state: ZoneState }) => ({
    nodesPerSec: nodesEvictedPerSecond(input.state, input.zoneSize, input),
  }),
};

export const controlAdapters: Adapters = { ...backoffs, ...disruptions, ...autoscalingAdapters, ...placementAdapters };

interface Limits {
  readonly initialSec: number;
  readonly maxSec: number;
}
interface Idle {
  readonly nextCallsOneSecApart: number;
  readonly thenIdleSec: number;
}

const ITEM = 0;
const flowBackoff = ({ initialSec, maxSec }: Limits): FlowBackoff => new FlowBackoff(initialSec * 1000, maxSec * 1000);
const next = (backoff: FlowBackoff, atSec: number): void => backoff.next(ITEM, atSec * 1000, atSec * 1000);
