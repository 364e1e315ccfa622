/** A scenario after checking: plain data, every default filled in, every quantity a number in one unit (milliseconds, requests per
 *  second, fractions). Nothing here refers to YAML; `load.ts` makes it, `cluster/` builds the world from it. It can be cloned to a
 *  worker thread as it is. */
import type { ParamValues, ParamSpecs } from '../core/params.ts';
import type { DistributionSpec } from '../core/distribution-spec.ts';
import type { Place } from '../core/issue.ts';
import type { Ms } from '../core/time.ts';

export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly demonstrates: string;
  readonly run: RunSpec;
  /** In the order written. */
  readonly services: readonly ServiceSpec[];
  readonly network: NetworkSpec;
  readonly traffic: readonly TrafficSpec[];
  readonly faults: readonly FaultSpec[];
  readonly policies: PolicyChoice;
  /** The variants to run; one variant labelled with the balancer when the file has no `compare`. First is the baseline. */
  readonly variants: readonly VariantSpec[];
  readonly expect: readonly ExpectSpec[];
}

export interface RunSpec {
  readonly durationMs: Ms;
  /** Requests that arrive earlier are left out of every statistic. */
  readonly warmupMs: Ms;
  /** Base seed; replications are `base:1`, `base:2`… */
  readonly seed: string;
  /** The exact seeds of the replications. */
  readonly seeds: readonly string[];
  /** Width of one point of the time series. */
  readonly windowMs: Ms;
}

export interface ServiceSpec {
  readonly name: string;
  /** One entry per instance: instance `api/3` is instances[3]. */
  readonly instances: readonly InstanceSpec[];
  /** Requests one instance serves at once; with processor sharing, its number of cores. */
  readonly slots: number;
  /** Places to wait beyond the slots; Infinity for no limit. A request that finds none is refused. */
  readonly queueLimit: number;
  readonly discipline: 'fifo' | 'lifo' | 'processor-sharing';
  /** Service time at speed 1. */
  readonly work: DistributionSpec;
  /** From the end of a crash to accepting requests. */
  readonly startupMs: Ms;
  /** After start-up: `factor` times slower at first, falling linearly to 1 over `forMs`. Not at time 0: those instances run already. */
  readonly coldStart: { readonly forMs: Ms; readonly factor: number };
  /** Whether the server drops a request whose client has given up (default false: it works on in vain). */
  readonly cancelAbandoned: boolean;
}

export interface InstanceSpec {
  readonly zone: string;
  /** 2 halves every service time. */
  readonly speed: number;
  /** Weight announced to balancers. */
  readonly weight: number;
  /** Priority level announced to balancers; 0 is used first. */
  readonly priority: number;
}

export interface NetworkSpec {
  /** One way, within a zone and between different zones. Constant 0 means no network is modelled. */
  readonly sameZone: DistributionSpec;
  readonly betweenZones: DistributionSpec;
  /** Overrides for pairs of zones, in either direction. */
  readonly pairs: readonly { readonly zones: readonly [string, string]; readonly latency: DistributionSpec }[];
}

export interface TrafficSpec {
  readonly name: string;
  /** Index into `services`. */
  readonly service: number;
  readonly arrivals: ArrivalSpec;
  /** Rate over time as a factor on the arrivals' own rate; constant 1 when nothing is written. */
  readonly profile: RateCurveSpec;
  /** Independent proxies, each with its own view; a request goes to one of them at random. */
  readonly balancers: number;
  /** Zones of the proxies, dealt out in turn. */
  readonly balancerZones: readonly string[];
  /** Infinity for none. Counted from arrival. */
  readonly timeoutMs: Ms;
  /** What was refused, lost or answered with an error is tried again at once, at another endpoint where the balancer offers one. */
  readonly retry: { readonly retries: number; readonly hostSelectionRetries: number };
  /** Popularity of request keys; absent when requests carry none. */
  readonly keys?: { readonly count: number; readonly exponent: number };
}

/** Times between arrivals are independent with the named law; rates per second. With a profile or a trace the law holds in
 *  operational time (the integral of the rate), so that `constant` keeps even spacing and `poisson` stays Poisson. */
export type ArrivalSpec =
  | { readonly type: 'constant'; readonly perSecond: number }
  | { readonly type: 'poisson'; readonly perSecond: number }
  | { readonly type: 'gamma'; readonly perSecond: number; readonly shape: number }
  | { readonly type: 'weibull'; readonly perSecond: number; readonly shape: number }
  | {
      readonly type: 'hyperexponential';
      readonly perSecond: number;
      readonly branches: readonly { readonly share: number; readonly mean: number }[];
    }
  /** Markov-modulated Poisson: stays in each state an exponential time, then goes to the next in order (two states alternate). */
  | { readonly type: 'mmpp'; readonly states: readonly { readonly perSecond: number; readonly meanMs: Ms }[] }
  /** Batches of fixed size at the instants of a Poisson process of batches. */
  | { readonly type: 'batch'; readonly perSecond: number; readonly size: number };

/** Piecewise-linear in time. `times` do not fall; two equal times make a jump. Before the first and after the last point the value
 *  stays, unless `periodMs` is finite: then the curve repeats. For a recorded trace the values are absolute factors on `perSecond`. */
export interface RateCurveSpec {
  readonly timesMs: Float64Array;
  readonly factors: Float64Array;
  readonly periodMs: Ms;
}

export type FaultSpec = {
  /** As written, for reports: `slow api/3 x5`. */
  readonly label: string;
  /** Instances hit: service index and instance index. */
  readonly targets: readonly { readonly service: number; readonly instance: number }[];
  readonly schedule: FaultSchedule;
} & FaultEffect;

export type FaultEffect =
  /** Down: work is lost, new requests are refused, no heartbeats; then start-up. */
  | { readonly type: 'crash' }
  | { readonly type: 'slow'; readonly factor: number }
  /** A share of requests is answered with an error after its service time. */
  | { readonly type: 'errors'; readonly share: number }
  /** Frozen: accepts and queues, does no work and sends nothing, then goes on where it was. */
  | { readonly type: 'pause' }
  /** All instances of a zone crash together. */
  | { readonly type: 'zone-outage'; readonly zone: string };

export type FaultSchedule =
  | { readonly type: 'once'; readonly atMs: Ms; readonly forMs: Ms }
  /** Again and again, for each target by itself: time from repair to failure, and duration. */
  | { readonly type: 'random'; readonly timeToFailure: DistributionSpec; readonly timeToRepair: DistributionSpec };

/** A policy with its parameters, not yet made. */
export interface PolicyUse {
  /** Name in the family's table, or `./file.ts#Export`, or `package#Export`. */
  readonly use: string;
  /** For loaded policies: absolute path of the module and name of the export. */
  readonly module?: { readonly path: string; readonly exportName: string };
  /** Complete for built-in policies (durations in ms); as written for loaded ones. */
  readonly params: ParamValues<ParamSpecs>;
}

export interface PolicyChoice {
  readonly balancer: PolicyUse;
  /** Absent: balancers believe every instance alive for ever. */
  readonly detector?: PolicyUse;
}

export interface VariantSpec {
  readonly label: string;
  /** What differs from the scenario, as written: `balancer=p2c`. */
  readonly differs: string;
  readonly policies: PolicyChoice;
  /** The whole scenario of this variant when `compare` varies something other than policies; else absent. */
  readonly scenario?: Omit<Scenario, 'variants'>;
}

export const comparators = ['<', '<=', '>', '>=', '=='] as const;
export type Comparator = (typeof comparators)[number];

/** One line of `expect`. */
export interface ExpectSpec {
  /** As written, normalised spacing. */
  readonly text: string;
  /** Key of the metric glossary, as in `latency.p99`. */
  readonly metric: string;
  readonly comparator: Comparator;
  /** In the metric's unit: ms, fraction, per second or plain. */
  readonly limit: number;
  /** Labels of the variants it holds for; empty = all. */
  readonly variants: readonly string[];
  readonly place: Place;
}
