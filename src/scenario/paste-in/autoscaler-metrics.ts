/** Names of metrics in configurations of autoscalers, and what they are here. */
import type { PastedFile } from './pasted-file.ts';
import type { Found } from './section.ts';

const own = [
  'concurrency',
  'requests-per-second',
  'service-time',
  'utilization',
  'latency.p50',
  'latency.p99',
  'error-rate',
] as const;

const synonyms: Readonly<Record<string, (typeof own)[number]>> = {
  requests_per_second: 'requests-per-second',
  http_requests_per_second: 'requests-per-second',
  http_requests: 'requests-per-second',
  rps: 'requests-per-second',
  inflight_requests: 'concurrency',
  requests_in_flight: 'concurrency',
  http_requests_in_flight: 'concurrency',
};

/** Metrics that every replica has. */
const perReplica: readonly string[] = ['concurrency', 'requests-per-second'];

/** Undefined after a warning: there is no such metric here. */
export function metricNamed(found: Found, isPerReplica: boolean, file: PastedFile): Found | undefined {
  const written = String(found.value);
  const known: readonly string[] = isPerReplica ? perReplica : own;
  if (known.includes(written) || (!isPerReplica && /^queue\/./.test(written))) return found;
  const synonym = Object.hasOwn(synonyms, written) ? synonyms[written] : undefined;
  if (synonym !== undefined && known.includes(synonym)) {
    file.warn('approximation', found.span, `${written} is taken for ${synonym}`);
    return { ...found, value: synonym };
  }
  const hint = `known: ${known.join(', ')}${isPerReplica ? '' : ', queue/NAME'}`;
  file.warn('not-read', found.span, `there is no metric ${written} here: it is left out`, hint);
  return undefined;
}
