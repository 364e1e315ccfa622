/** A scenario after checking: plain data, every default filled in, every quantity a number in one unit (milliseconds, requests per
 *  second, fractions). Nothing here refers to YAML; `load.ts` makes it, `cluster/` builds the world from it. It can be cloned to a
 *  worker thread as it is. */
import type { ParamValues, ParamSpecs } from '../core/params.ts';
import type { DistributionSpec } from '../core/distribution-spec.ts';
import type { Place } from '../core/issue.ts';
import type { Ms } from '../core/time.ts';
import type { ReplayData } from './replay-data.ts';

export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly demonstrates: string;
  readonly run: RunSpec;
  /** In the order written. */
  readonly services: readonly ServiceSpec[];
  /** Kinds of requests; one called `default` when the file names none. */
  readonly classes: readonly ClassSpec[];
  /** Who calls whom, and how: first one per stream of traffic, in order, then one per call of a service. Edges of `queues` follow. */
  readonly edges: readonly EdgeSpec[];
  readonly queues: readonly QueueSpec[];
  /** What instances run on; empty: they need nothing. */
  readonly nodes: readonly NodeGroupSpec[];
  readonly pipeline: PipelineSpec;
  readonly network: NetworkSpec;
  readonly traffic: readonly TrafficSpec[];
  readonly faults: readonly FaultSpec[];
  /** What is rolled out, by time; absent: nothing is. */
  readonly changes?: readonly ChangeSpec[];
  /** How roll-outs are decided and carried out; absent without `changes`. */
  readonly delivery?: DeliverySpec;
  readonly policies: PolicyChoice;
  /** The variants to run; one variant labelled with the balancer when the file has no `compare`. First is the baseline. */
  readonly variants: readonly VariantSpec[];
  readonly expect: readonly ExpectSpec[];
  /** Absent: the headline metrics of every variant. */
  readonly gate?: readonly GateSpec[];
  /** Parts of the requests that get statistics of their own: every edge and class when there are several, and what `expect` asks for. */
  readonly views: readonly ViewSpec[];
  /** How a lasting failure is told from a passing one; absent: not judged. */
  readonly metastability?: MetastabilitySpec;
}

/** A kind of request. */
export interface ClassSpec {
  readonly name: string;
  /** 0 is the most important. */
  readonly priority: number;
  /** Who pays for it; empty for nobody in particular. */
  readonly tenant: string;
}

/** Requests of some edges and one class that arrive in [fromMs, toMs). */
export interface ViewSpec {
  /** As `expect` writes it: `edge=web->db, class=read`. */
  readonly label: string;
  /** Indices into `edges`; empty for those of the traffic. */
  readonly edges: readonly number[];
  /** Index into `services` when it speaks of one: then it also has numbers about the instances; else -1. */
  readonly service: number;
  /** Index into `classes`; -1 for all. */
  readonly class: number;
  readonly fromMs: Ms;
  readonly toMs: Ms;
}

export interface MetastabilitySpec {
  /** When the last trigger is over. */
  readonly triggerEndsMs: Ms;
  /** Recovered once goodput over offered load is back at this share of what it was before the first trigger began. */
  readonly recoveredShare: number;
  readonly triggerBeginsMs: Ms;
  /** Search for the load at which the system recovers by itself, as a share of the full load, to this resolution; absent: not searched. */
  readonly escape?: { readonly resolution: number; readonly low: number };
}

export interface RunSpec {
  readonly durationMs: Ms;
  /** Unix time of the first moment. */
  readonly epochMs: Ms;
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
  /** One entry per instance: instance `api/3` is instances[3]. In a world that is running: one per place, see `initial`. */
  readonly instances: readonly InstanceSpec[];
  /** How many of the places are taken at first; the others are for instances that come later. Absent: all, for ever. */
  readonly initial?: number;
  /** Requests one instance serves at once; with processor sharing, its number of cores. */
  readonly slots: number;
  /** Places to wait beyond the slots; Infinity for no limit. A request that finds none is refused. */
  readonly queueLimit: number;
  readonly discipline: 'fifo' | 'lifo' | 'processor-sharing';
  /** Service time at speed 1. */
  readonly work: DistributionSpec;
  /** By class; absent where `work` holds. */
  readonly workByClass: readonly (DistributionSpec | null)[];
  /** What a request does after its own work, one step after the other; empty: it is answered. */
  readonly steps: readonly StepSpec[];
  /** Whether a request keeps its slot while it waits for others (threads), or gives it up (event loop). */
  readonly holdsSlot: boolean;
  /** Whether a request whose deadline has passed is dropped instead of being worked on. Needs callers that propagate deadlines. */
  readonly dropsExpired: boolean;
  /** Stronger than the variant's: for every edge into this service, and at its own door (shedding, queueing). */
  readonly policies: PolicyOverrides;
  /** From the end of a crash to accepting requests. */
  readonly startupMs: Ms;
  /** After start-up: `factor` times slower at first, falling linearly to 1 over `forMs`. Not at time 0: those instances run already. */
  readonly coldStart: { readonly forMs: Ms; readonly factor: number };
  /** Whether the server drops a request whose client has given up (default false: it works on in vain). */
  readonly cancelAbandoned: boolean;
  /** Whether requests that find no place vanish without an answer, as when a listen queue overflows; else they are refused. */
  readonly dropsOverflow?: boolean;
  readonly elastic: ElasticSpec;
  /** What can be rolled out; the first one is there at first. Absent where nothing is. */
  readonly versions?: readonly VersionSpec[];
}

/** One version of a service, as code or as configuration: what is different with it. */
export interface VersionSpec {
  readonly name: string;
  /** Whether accepting it is a mistake. */
  readonly isBad: boolean;
  /** What it does to the instances that have it. */
  readonly effects: readonly VersionEffect[];
  /** What clients of the service do that have it; absent: as they are. Only as configuration. */
  readonly clients?: ClientSettings;
  /** Hosts refuse it: they cannot use it. Only as configuration. */
  readonly isMalformed: boolean;
}

export type VersionEffect = {
  /** Only from so long after the instance came up with it, or got it; 0: at once. */
  readonly afterMs: Ms;
  /** Only while the instance has so many requests, as a share of its slots; 0: always. */
  readonly load: number;
  /** Only in these zones; empty: in all. */
  readonly zones: readonly string[];
} & (
  | { readonly type: 'slow'; readonly factor: number }
  | { readonly type: 'errors'; readonly share: number }
  /** A share of its starts ends in a crash; and what runs crashes again and again, after such a time. Started again by the restart policy. */
  | { readonly type: 'crash'; readonly onStart: number; readonly every?: DistributionSpec }
  /** As the fault: slower and slower, then a crash. */
  | { readonly type: 'memory-leak'; readonly fillsMs: Ms; readonly factor: number }
  /** In place of the service's own cold start. */
  | { readonly type: 'cold-start'; readonly forMs: Ms; readonly factor: number }
  /** Caches of the instance's calls, shared ones too, are emptied when it comes up. */
  | { readonly type: 'cold-caches' }
  /** A share of the requests between it and instances of that service with one of those versions fails, whoever of the two calls. */
  | { readonly type: 'incompatible'; readonly service: number; readonly versions: readonly string[]; readonly share: number }
);

/** Values that clients read; what is absent is as the edge has it. */
export interface ClientSettings {
  readonly timeoutMs?: Ms;
  readonly attemptTimeoutMs?: Ms;
  readonly policies: PolicyOverrides;
}

/** From some moment on this version shall be everywhere. */
export interface ChangeSpec {
  /** `release`: instances are replaced by others. `config`: hosts are told. */
  readonly kind: 'release' | 'config';
  readonly atMs: Ms;
  /** Index into `services`. */
  readonly service: number;
  /** Name of one of its versions. */
  readonly version: string;
  /** Latency from which on a request counts as slow; absent: twice the 99th percentile of the service's requests before. */
  readonly slowMs?: Ms;
}

export interface DeliverySpec {
  /** Controllers that compete for deciding. */
  readonly controllers: number;
  /** Whether what controllers write is refused once another has led since. */
  readonly isFenced: boolean;
  /** One way, between controllers, store, distributors and hosts. */
  readonly latency: DistributionSpec;
  /** Share of messages between distributors and hosts that is lost. */
  readonly loss: number;
  /** Distributors per level below the one beside the store; the last level serves the hosts. */
  readonly distributors: readonly number[];
  /** Of each distributor; Infinity: all at once. */
  readonly pushesPerSecond: number;
  readonly ackTimeoutMs: Ms;
}

/** What matters of a service where instances come and go. */
export interface ElasticSpec {
  /** Places for instances at most, if written. */
  readonly places?: number;
  readonly imagePull: DistributionSpec;
  /** Time between checks of readiness; 0: seen at once. */
  readonly readinessMs: Ms;
  /** Until clients without discovery hear who is ready and who goes. */
  readonly endpointDelay: DistributionSpec;
  /** Thousandths of a core reserved, and in use when all slots are busy. */
  readonly cpu: number;
  readonly cpuLimit: number;
  /** Bytes reserved; in use by an idle instance, NaN where it is not measured; and per request present. */
  readonly memory: number;
  readonly memoryBase: number;
  readonly memoryPerRequest: number;
  readonly shutdown: { readonly drains: boolean; readonly preStopMs: Ms; readonly graceMs: Ms };
  readonly priority: number;
  readonly spread: readonly SpreadSpec[];
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly tolerates: readonly TolerationSpec[];
  /** On a node that does not answer; absent: as long as the eviction policy says. */
  readonly staysMs?: Ms;
  readonly budget?: BudgetSpec;
  /** Per hour and instance. */
  readonly price: number;
  /** How busy instances may be, on average, to count as enough. */
  readonly targetUtilization: number;
}

export interface SpreadSpec {
  /** `zone`, `node` or a label of nodes. */
  readonly over: string;
  readonly maxSkew: number;
  readonly when: 'DoNotSchedule' | 'ScheduleAnyway';
  readonly minDomains?: number;
}

export type TaintEffectName = 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';

export interface TolerationSpec {
  readonly key?: string;
  readonly value?: string;
  readonly effect?: TaintEffectName;
}

/** How many instances may be taken down on purpose at once: a count, or a share from 0 to 1. */
export interface BudgetSpec {
  readonly kind: 'minAvailable' | 'maxUnavailable';
  readonly amount: number;
  readonly isShare: boolean;
}

export interface NodeGroupSpec {
  readonly name: string;
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly zones: readonly string[];
  /** Thousandths of a core, bytes (Infinity for no limit), instances. */
  readonly cpu: number;
  readonly memory: number;
  readonly pods: number;
  readonly speed: number;
  readonly latencyMs: Ms;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly { readonly key: string; readonly value: string; readonly effect: TaintEffectName }[];
  readonly provisioning: DistributionSpec;
  readonly priority: number;
  /** Per hour; as `zones`. */
  readonly prices: readonly number[];
  readonly spot?: { readonly interrupted: DistributionSpec; readonly noticeMs: Ms };
}

/** How autoscalers and alarms get to know what is going on. */
export interface PipelineSpec {
  readonly scrapeMs: Ms;
  readonly windowMs: Ms;
  readonly delayMs: Ms;
  /** Share of measurements that get lost. */
  readonly missing: number;
  /** The metric that alarms watch, and how often they look. */
  readonly watch: string;
  readonly evaluateMs: Ms;
}

export type StepSpec =
  | { readonly type: 'work'; readonly work: DistributionSpec }
  /** All at once; goes on when `wait` of them have ended well (Infinity: all that are not optional), fails when that has become impossible.
   *  Those still out are then cancelled. */
  | { readonly type: 'calls'; readonly calls: readonly CallSpec[]; readonly wait: number }
  /** One of the branches, at random. Shares sum to at most 1; with the rest, none. */
  | { readonly type: 'branch'; readonly branches: readonly { readonly share: number; readonly steps: readonly StepSpec[] }[] }
  /** Leaves a message and goes on. A full queue counts as a failed call. */
  | { readonly type: 'publish'; readonly edge: number };

export interface CallSpec {
  /** Index into the scenario's `edges`. */
  readonly edge: number;
  /** So many calls alike, at once. */
  readonly copies: number;
  /** Whether its failure degrades the answer instead of failing it. */
  readonly optional: boolean;
  /** Classes that make this call; empty for all. */
  readonly classes: readonly number[];
  readonly cache?: CacheSpec;
}

export type CacheSpec = {
  /** One cache for the whole service (as a memcached beside it), or one per instance. */
  readonly shared: boolean;
  /** What a hit takes. */
  readonly hitTime: DistributionSpec;
} & (
  | {
      readonly type: 'ratio';
      /** Share of hits when warm. */
      readonly hit: number;
      /** Fills after which it is warm; hits grow in proportion until then. 0: always warm. */
      readonly fills: number;
      readonly startsCold: boolean;
    }
  | {
      readonly type: 'keys';
      /** Least recently used goes first. */
      readonly entries: number;
      readonly ttlMs: Ms;
      /** Requests for a key that is being fetched wait for that fetch (single flight). */
      readonly coalesces: boolean;
      /** XFetch's beta: a hit may refresh before expiry, at random and with the fetch time; 0 for never. */
      readonly earlyRefresh: number;
      /** Starts with every key present and fresh, ages spread over the TTL; otherwise empty. */
      readonly startsCold: boolean;
    }
);

/** Who calls whom, and how. */
export interface EdgeSpec {
  /** Name of the traffic, or `web->db`; `->jobs` and `jobs->worker` at queues. */
  readonly name: string;
  /** Index of the calling service; -1 for traffic, -2 for the deliveries of a queue. */
  readonly caller: number;
  /** Index of the called service. */
  readonly service: number;
  /** Index into `queues` when this edge publishes to it or delivers from it; else -1. */
  readonly queue: number;
  /** Independent proxies, each with its own view; 0: one beside every calling instance (sidecars, libraries). */
  readonly balancers: number;
  /** Zones of the proxies, dealt out in turn; not used by sidecars. */
  readonly balancerZones: readonly string[];
  /** From the call to its end, all tries together; Infinity for none. */
  readonly timeoutMs: Ms;
  /** Of each try; Infinity for none. */
  readonly attemptTimeoutMs: Ms;
  /** Whether the callee is told the deadline, and its own calls end with it. */
  readonly propagatesDeadline: boolean;
  /** What passing through the proxy costs, each way. Constant 0 for nothing. */
  readonly proxyLatency: DistributionSpec;
  readonly pool?: PoolSpec;
  readonly fallback?: FallbackSpec;
  /** Stronger than the service's and the variant's. */
  readonly policies: PolicyOverrides;
}

/** Connections of one client to one instance. */
export interface PoolSpec {
  readonly connections: number;
  /** Requests that share a connection at once (HTTP/2); 1 for HTTP/1.1. */
  readonly streams: number;
  /** Requests that may wait for a connection; beyond them requests are refused. */
  readonly pending: number;
  /** To open a connection: round trips on the network, and time on top (key exchange, mutual TLS). */
  readonly roundTrips: number;
  readonly handshake: DistributionSpec;
  /** Idle connections are closed after this; Infinity for never. */
  readonly keepAliveMs: Ms;
  /** Which idle connection is taken: the one used last or the one idle longest. */
  readonly reuse: 'newest' | 'oldest';
}

/** What a fallback can stand in for: names of results, as `retriable` and `circuitOpen`. */
export const fallbackResults = ['error', 'timeout', 'refused', 'lost', 'shed', 'noEndpoint', 'circuitOpen'] as const;

/** What the caller gets instead of a failure: a default answer, at once or after a while. */
export interface FallbackSpec {
  readonly on: readonly (typeof fallbackResults)[number][];
  readonly takesMs: Ms;
}

/** Messages between services. */
export interface QueueSpec {
  readonly name: string;
  /** Index of the service whose instances take messages, one per free slot. */
  readonly service: number;
  /** Index into `edges` of its deliveries. */
  readonly edge: number;
  /** A message not done by then is given to somebody else. */
  readonly visibilityMs: Ms;
  /** Deliveries after which a message is put aside as dead. */
  readonly maxReceives: number;
  /** Messages it holds; Infinity for no limit. More are refused. */
  readonly capacity: number;
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
  /** Index into `edges`. */
  readonly edge: number;
  readonly arrivals: ArrivalSpec;
  /** Rate over time as a factor on the arrivals' own rate; constant 1 when nothing is written. */
  readonly profile: RateCurveSpec;
  /** Classes of its requests with their shares, which sum to 1. A replay brings its own. */
  readonly mix: readonly { readonly class: number; readonly share: number }[];
  /** Users who ask again after a failure, as new requests. */
  readonly userRetries?: { readonly max: number; readonly after: DistributionSpec };
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
  | { readonly type: 'batch'; readonly perSecond: number; readonly size: number }
  /** Everybody at once, by the clock: `size` requests every `everyMs`, spread evenly at random over `spreadMs`. */
  | { readonly type: 'bursts'; readonly everyMs: Ms; readonly size: number; readonly spreadMs: Ms; readonly firstMs: Ms }
  /** Closed loop: each user waits for the answer, thinks, asks again. `requests` per session on average (geometric), then a gap;
   *  Infinity: one endless session. */
  | {
      readonly type: 'users';
      readonly users: number;
      readonly think: DistributionSpec;
      readonly requests: number;
      readonly gap: DistributionSpec;
    }
  /** Recorded requests. Closed: the requests of a session keep their order and think times instead of their instants. */
  | { readonly type: 'replay'; readonly data: ReplayData; readonly closed: boolean };

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
  /** Services of which every instance is meant, in this zone or anywhere: also those that come later. */
  readonly everyOf?: readonly { readonly service: number; readonly zone?: string }[];
  /** Nodes hit: group index and number within it. Then `targets` is empty. */
  readonly nodes?: readonly { readonly group: number; readonly node: number }[];
  /** Share of the targets that are hit, chosen anew each time; 1 for all. At least one is. Not to be confused with the `share` of requests
   *  or packets that some effects have. */
  readonly hit: number;
  readonly schedule: FaultSchedule;
  /** Crashes only: every other instance of the service that is up crashes too with this chance, after a time; and so on from there. */
  readonly cascade?: { readonly chance: number; readonly after: DistributionSpec };
} & FaultEffect;

/** Which messages a fault of the network meets. */
export type LinkSpec =
  /** Between zones: from any of `from` to any of `to`, and back unless one-way. */
  | { readonly type: 'zones'; readonly from: readonly string[]; readonly to: readonly string[]; readonly oneWay: boolean }
  /** Of the targets, with everybody. */
  | { readonly type: 'instances'; readonly direction: 'in' | 'out' | 'both' };

export type FaultEffect =
  /** Down: work is lost, new requests are refused, no heartbeats; then start-up. */
  | { readonly type: 'crash' }
  /** `requests`: share of the requests that are slow; 1 for all. */
  | { readonly type: 'slow'; readonly factor: number; readonly requests: number }
  /** A share of requests is answered with an error after its service time. */
  | { readonly type: 'errors'; readonly share: number }
  /** Frozen: accepts and queues, does no work and sends nothing, then goes on where it was. */
  | { readonly type: 'pause' }
  /** Accepts requests and never answers them; on ending, it goes on where it was. Its heartbeats may go on all the while. */
  | { readonly type: 'hang'; readonly heartbeats: boolean }
  /** Works on requests and sends no answer, for a share of them. */
  | { readonly type: 'drop-responses'; readonly share: number }
  /** Slower and slower, up to `factor`, while memory fills; then it crashes, starts up, and fills again. */
  | { readonly type: 'memory-leak'; readonly fillsMs: Ms; readonly factor: number }
  /** Its own timers run at this rate: 1.2 sends heartbeats a fifth less often. */
  | { readonly type: 'clock-drift'; readonly rate: number }
  /** Messages do not arrive. Requests hang until their timeout. */
  | { readonly type: 'partition'; readonly link: LinkSpec }
  /** A share of packets is lost: heartbeats and probes with them, requests and answers are sent again after 200 ms, 400 ms and so on. */
  | { readonly type: 'packet-loss'; readonly link: LinkSpec; readonly share: number }
  | { readonly type: 'latency'; readonly link: LinkSpec; readonly adds: DistributionSpec }
  /** The registry, name server or control plane that clients learn their endpoints from does not answer. */
  | { readonly type: 'discovery-outage' }
  /** The caches of the calls of these instances are emptied. */
  | { readonly type: 'cache-flush' }
  /** All instances of a zone crash together; or its nodes are lost, where there are nodes. */
  | { readonly type: 'zone-outage'; readonly zone: string }
  /** Others take this share of the processor: harmless while enough is left. */
  | { readonly type: 'cpu-exhaustion'; readonly share: number }
  /** Down, with everything on it. */
  | { readonly type: 'node-loss' }
  /** Nothing is scaled, placed or repaired, and no node is heard. */
  | { readonly type: 'control-plane-outage' }
  /** Nothing is measured. */
  | { readonly type: 'metrics-outage' }
  /** The store of versions, locks and leases is not reached by anybody. */
  | { readonly type: 'store-outage' }
  /** No distributor hands on configuration. */
  | { readonly type: 'distributor-outage' }
  /** One of the controllers of roll-outs stands still, in the middle of whatever it does; `leader`: whoever leads then. */
  | { readonly type: 'controller-pause'; readonly controller: number | 'leader' };

export type FaultSchedule =
  | { readonly type: 'once'; readonly atMs: Ms; readonly forMs: Ms }
  /** Down and up in turn from `atMs` on: crash-loops, flapping links. Starts with a failure. */
  | {
      readonly type: 'flapping';
      readonly atMs: Ms;
      readonly forMs: Ms;
      readonly down: DistributionSpec;
      readonly up: DistributionSpec;
    }
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

/** The policies of a variant, for every edge and service that does not say otherwise. */
export interface PolicyChoice {
  readonly balancer: PolicyUse;
  /** Absent: balancers believe every instance alive for ever. */
  readonly detector?: PolicyUse;
  /** Instances and clients watch each other and spread the news. Absent: none. */
  readonly membership?: PolicyUse;
  /** Active health checks. Absent: none. */
  readonly healthCheck?: PolicyUse;
  /** Ejection of endpoints whose answers are bad. Absent: none. */
  readonly outlier?: PolicyUse;
  /** How clients learn who there is. Absent: they know everybody, at once. */
  readonly discovery?: PolicyUse;
  /** Whom they learn it from: where instances register. Absent: `consul` where somebody asks. */
  readonly registry?: PolicyUse;
  /** When a crashed instance is started again. Absent: as soon as the cause is gone. */
  readonly restart?: PolicyUse;
  /** Absent: nothing is tried again. */
  readonly retry?: PolicyUse;
  /** Absent: every retry may be sent. */
  readonly budget?: PolicyUse;
  readonly hedge?: PolicyUse;
  readonly breaker?: PolicyUse;
  /** Whether a client sends a request at all. */
  readonly admission?: PolicyUse;
  /** Whether an instance takes a request in. */
  readonly shedding?: PolicyUse;
  /** Who of those waiting at an instance is served next. Absent: by the service's discipline. */
  readonly queueing?: PolicyUse;
  /** When something is wrong, by one measured series. Absent: nobody says so. */
  readonly alarm?: PolicyUse;
  /** How many instances there should be. Absent: as many as at first. */
  readonly autoscaler?: PolicyUse;
  /** How much instances should reserve; nothing is changed by it. Absent: nobody asks. */
  readonly vertical?: PolicyUse;
  /** Absent: `replica-set` where there is an autoscaler or there are nodes; else instances are there for ever. */
  readonly replicas?: PolicyUse;
  /** Absent: `kube-scheduler` where there are nodes. */
  readonly scheduler?: PolicyUse;
  readonly nodeAutoscaler?: PolicyUse;
  /** Absent: `node-lease` where there are nodes. */
  readonly nodeDetector?: PolicyUse;
  /** Absent: `node-lifecycle` where there are nodes. */
  readonly eviction?: PolicyUse;
  /** Absent: traffic goes to all zones. */
  readonly failover?: PolicyUse;
  /** How another version takes the place of the one that serves. Absent: `rolling-update` where there are `changes`. */
  readonly rollout?: PolicyUse;
  /** Where versions, locks and leases are kept. Absent: `etcd` where there are `changes`. */
  readonly store?: PolicyUse;
  /** Which of several controllers acts. Absent: `lease-election` where there are several. */
  readonly election?: PolicyUse;
  /** How configuration gets onto hosts. Absent: `push` where some is rolled out. */
  readonly propagation?: PolicyUse;
}
export type PolicyRole = keyof PolicyChoice;
/** null: none here, although the variant has one. */
export type PolicyOverrides = { readonly [Role in PolicyRole]?: PolicyUse | null };

export interface VariantSpec {
  readonly label: string;
  /** What differs from the scenario, as written: `balancer=p2c`. */
  readonly differs: string;
  readonly policies: PolicyChoice;
  /** In a sweep over loads (`compare: { load: [...] }`): the factor on every stream's rate, 1 as written. Absent elsewhere. */
  readonly load?: number;
  /** In a sweep over loads: the label of everything else that differs, the same at every load; empty when only the load differs. */
  readonly group?: string;
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
  /** Index into `views`; absent: all measured requests of the traffic. */
  readonly view?: number;
  /** Labels of the variants it holds for; empty = all. */
  readonly variants: readonly string[];
  /** A failure only warns. */
  readonly level?: 'warn';
  readonly place: Place;
}

/** One line of `gate`: what a stored baseline is compared in. */
export interface GateSpec {
  /** As in results: `latency.p99{class=read}`. */
  readonly text: string;
  readonly metric: string;
  /** Index into `views`; absent: all measured requests of the traffic. */
  readonly view?: number;
  /** How much worse does not matter; absent: the metric's zone of indifference. */
  readonly margin?: GateMargin;
  /** Labels of the variants it is for; empty = all. */
  readonly variants: readonly string[];
  readonly level?: 'warn';
  readonly place: Place;
}

/** Relative to the baseline's mean, or in the metric's unit. */
export type GateMargin = { readonly relative: number } | { readonly absolute: number };
