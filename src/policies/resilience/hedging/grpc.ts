/** gRPC's hedging: attempts at 0, d, 2d and so on until `maxAttempts` are out; a failure that is not fatal sends the next at
 *  once, and the delay starts again from there.
 *
 *  For calls whose latency matters more than the servers' work. It fails as every fixed delay does when all servers get slow:
 *  the load becomes `maxAttempts` times what it was. gRPC holds that down with its throttle (`grpc-throttle`), which counts
 *  hedges like retries. */
import { duration, int } from '../../../core/params.ts';
import { FixedHedge } from './delay.ts';
import { defineHedge } from './hedge.ts';

export const grpcHedge = defineHedge({
  name: 'grpc',
  summary: 'Sends an attempt per delay until one answers, and the next at once after a failure.',
  useWhen: 'Calls are idempotent and cheap, and their latency matters most.',
  failsWhen: 'All servers get slow: the load is multiplied, unless throttled.',
  cost: 'O(1)',
  sources: ['grpc/proposal: A6-client-retries.md, hedging policy'],
  aliases: [{ system: 'gRPC', name: 'hedgingPolicy' }],
  params: {
    maxAttempts: int({
      default: 4,
      min: 2,
      max: 5,
      about: 'Attempts in all, the first included.',
      official: 'gRPC maxAttempts, cut to 5; 4 in the proposal',
    }),
    hedgingDelay: duration({
      default: 500,
      min: 0,
      about: 'Time between attempts; 0 sends all at once.',
      official: 'gRPC hedgingDelay, there 0; 500 ms in the proposal',
    }),
  },
  create: ({ maxAttempts, hedgingDelay }) => new FixedHedge(hedgingDelay, maxAttempts, true),
});
