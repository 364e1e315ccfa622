/** Asks for something newer, every so often.
 *
 *  Use it where connections must be short, and a change may take an interval to be everywhere. It fails at both ends: with short intervals
 *  everybody asks for nothing all the time, with long ones a correction takes as long as the mistake did. */
import { defineAgent } from './config-agent.ts';
import { cacheOnDisk, KeepingAgent, pollParams } from './parts/keeping-agent.ts';

export const pollAgent = defineAgent({
  name: 'poll',
  summary: 'Asks for something newer every interval, with jitter.',
  useWhen: 'Connections must be short, and an interval of delay is affordable.',
  failsWhen: 'A correction must be everywhere within seconds, or hosts are so many that asking is the load.',
  cost: 'one question per interval and host',
  sources: [
    'AWS: AppConfig user guide, required minimum poll interval',
    'Chef and Puppet: documentation, agent interval and splay',
  ],
  aliases: [{ system: 'Puppet', name: 'runinterval' }],
  params: { ...pollParams, cacheOnDisk },
  create: (params, deps) =>
    new KeepingAgent(
      { cacheOnDisk: params.cacheOnDisk, pollEveryMs: params.interval, jitter: params.jitter, stream: undefined },
      deps,
    ),
});
