/** The policies on real sockets, for programs of your own: a proxy and what watches its endpoints, where endpoints come from, groups, sites,
 *  alarms, processes. Each policy is driven as in the simulator: told what happened and when, woken when it wants to be. */
export type { Decision, Dropped, Ended, Finished, InvalidPick, Sent } from './decision.ts';
export { type DiscoverySource, type SourceAnswer, type SourceQuestion } from './discovery-source.ts';
export { type AddressRecord, type AddressResolver, dnsSource, type DnsSourceOptions } from './dns-source.ts';
export type { HealthChange, WatchOptions } from './endpoint-watch.ts';
export type { Agents, Message } from './exchange.ts';
export { type Call, type HttpDriverParts, HttpPipelineDriver } from './http-driver.ts';
export { FailoverRouter, type FailoverRouterOptions, type Site } from './failover-router.ts';
export { fileSource } from './file-source.ts';
export type { HealthProbe, HttpProbe, OwnProbe, ProbeKindName, Statuses, TcpProbe } from './health-probe.ts';
export { type HeartbeatOptions, type ReportedStatus, startHeartbeats } from './heartbeats.ts';
export { MetricWatch, type MetricWatchOptions, watchMetric } from './metric-watch.ts';
export { outcomeOfAnswer, outcomeOfError } from './outcome.ts';
export type { OwnAnswer } from './own-answers.ts';
export { createProxy, Proxy } from './proxy.ts';
export { type ProxyCounts, ProxyMetrics } from './proxy-metrics.ts';
export type { ProxyEndpoint, ProxyOptions, ProxySettings } from './proxy-options.ts';
export { register, type Registration, type RegistrationOptions } from './registration.ts';
export { RegistryServer, type RegistryServerOptions } from './registry-server.ts';
export { registrySource } from './registry-source.ts';
export { superviseProcess, Supervisor, type SupervisorEvent, type SupervisorOptions } from './supervisor.ts';
export { type BeliefListener, SwimNode, type SwimNodeOptions } from './swim-node.ts';
export { backgroundTimers, systemClock, systemRng, systemTimers, type Timer, type Timers } from './system.ts';
export { makePolicy, type NamedUse, type Use } from './use.ts';
