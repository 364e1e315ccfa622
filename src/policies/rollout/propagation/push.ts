/** Keeps a stream open on which changes arrive by themselves.
 *
 *  Use it where changes must be everywhere within seconds. It fails silently: a stream that hangs without ending looks like one without
 *  news, and a message that is lost on it is never asked for. When the distributor restarts, everybody comes back at once, spread only
 *  by random waits. */
import { defineAgent } from './config-agent.ts';
import { cacheOnDisk, KeepingAgent, streamParams } from './parts/keeping-agent.ts';

export const pushAgent = defineAgent({
  name: 'push',
  summary: 'Keeps a stream open on which changes arrive, and opens it again with random, doubling waits.',
  useWhen: 'Changes must be everywhere within seconds, and streams end when they break.',
  failsWhen: 'Streams hang without ending, or messages on them are lost: nobody asks.',
  cost: 'one message per change and host',
  sources: [
    'C. Tang et al., Holistic Configuration Management at Facebook (SOSP 2015)',
    'envoyproxy/envoy: docs/root/api-docs/xds_protocol.rst',
  ],
  aliases: [
    { system: 'Facebook', name: 'Configerator proxy' },
    { system: 'Envoy', name: 'xDS' },
  ],
  params: { ...streamParams, cacheOnDisk },
  create: (params, deps) =>
    new KeepingAgent(
      {
        cacheOnDisk: params.cacheOnDisk,
        pollEveryMs: Infinity,
        jitter: 0,
        stream: { initialMs: params.retryInitialDelay, maxMs: params.retryMaxDelay },
      },
      deps,
    ),
});
