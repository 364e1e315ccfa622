/** Latency: the nearer a node is to those who call, the better.
 *
 *  100 for no distance at all, half of that for a distance of `halfLatency`, a third for twice that, and so on. The score of a node does
 *  not depend on what other nodes there are, so that one far away does not make all others look alike.
 *
 *  It fails when the callers are elsewhere than the node's owner believes, and when everybody is told to go to the same near node. */
import type { Ms } from '../../../core/time.ts';
import { MAX_SCORE, type ScorePlugin } from './score.ts';

export const nearness = (halfLatency: Ms): ScorePlugin => ({
  name: 'Latency',
  score: (_, nodes) => nodes.map(({ view }) => nearnessScore(view.latencyMs, halfLatency)),
});

export const nearnessScore = (latencyMs: Ms, halfLatency: Ms): number =>
  Math.trunc((MAX_SCORE * halfLatency) / (halfLatency + Math.max(0, latencyMs)));
