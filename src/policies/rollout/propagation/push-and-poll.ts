/** A stream for speed, and a question now and then for certainty.
 *
 *  Use it by default: what the stream loses, the next question finds. It fails only where both go the same way: a distributor that serves
 *  an old state serves it to the question as well. */
import { defineAgent } from './config-agent.ts';
import { cacheOnDisk, KeepingAgent, pollParams, streamParams } from './parts/keeping-agent.ts';

export const pushAndPollAgent = defineAgent({
  name: 'push-and-poll',
  summary: 'Keeps a stream open for speed and asks now and then for certainty.',
  useWhen: 'Changes must arrive quickly, and none may be missed for long.',
  failsWhen: 'The distributor itself is behind: stream and question find the same old state.',
  cost: 'one message per change, one question per interval and host',
  sources: [
    'LaunchDarkly: documentation, streaming and polling',
    'hashicorp/consul: agent/ae/ae.go, anti-entropy beside blocking queries',
  ],
  aliases: [{ system: 'LaunchDarkly', name: 'streaming' }],
  params: { ...streamParams, ...pollParams, interval: { ...pollParams.interval, default: 300_000 }, cacheOnDisk },
  create: (params, deps) =>
    new KeepingAgent(
      {
        cacheOnDisk: params.cacheOnDisk,
        pollEveryMs: params.interval,
        jitter: params.jitter,
        stream: { initialMs: params.retryInitialDelay, maxMs: params.retryMaxDelay },
      },
      deps,
    ),
});
