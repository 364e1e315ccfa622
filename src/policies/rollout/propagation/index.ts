/** Every agent by name, the distributors between them and the store, and xDS. */
import type { AgentDefinition } from './config-agent.ts';
import { pollAgent } from './poll.ts';
import { pushAgent } from './push.ts';
import { pushAndPollAgent } from './push-and-poll.ts';

export * from './config-agent.ts';
export { checkAgent } from './contract.ts';
export * from './distributor.ts';
export * from './xds/sotw-client.ts';
export * from './xds/sotw-server.ts';
export * from './xds/update-order.ts';
export { pollAgent, pushAgent, pushAndPollAgent };

export const agents: Readonly<Record<string, AgentDefinition>> = {
  poll: pollAgent,
  push: pushAgent,
  'push-and-poll': pushAndPollAgent,
};
