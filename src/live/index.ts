/** The policies on real sockets, for programs of your own. */
export type { Decision, Dropped, Ended, Finished, InvalidPick, Sent } from './decision.ts';
export type { Agents, Message } from './exchange.ts';
export { type Call, type HttpDriverParts, HttpPipelineDriver } from './http-driver.ts';
export { outcomeOfAnswer, outcomeOfError } from './outcome.ts';
export type { OwnAnswer } from './own-answers.ts';
export { createProxy, Proxy } from './proxy.ts';
export type { ProxyEndpoint, ProxyOptions } from './proxy-options.ts';
export { systemClock, systemRng, systemTimers, type Timer, type Timers } from './system.ts';
export { makePolicy, type NamedUse, type Use } from './use.ts';
