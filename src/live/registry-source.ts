/** Endpoints of a service, as a `RegistryServer` knows them. */
import { requestJson } from './json-request.ts';
import type { DiscoverySource, SourceAnswer } from './discovery-source.ts';

/** `registry` is the server's URL, as in `http://10.0.0.9:8500`. */
export const registrySource = (registry: string, service: string): DiscoverySource => ({
  async ask({ index, waitMs }, signal) {
    const url = new URL(`/services/${encodeURIComponent(service)}`, registry);
    url.searchParams.set('index', String(index));
    url.searchParams.set('wait', String(waitMs));
    const { status, body } = await requestJson(url, 'GET', signal);
    return status === 200 && isView(body) ? answerOf(body) : 'unreachable';
  },
});

interface View {
  readonly index: number;
  readonly members: readonly string[];
  readonly ageMs: number;
  readonly ttlMs: number | null;
}

const answerOf = ({ index, members, ageMs, ttlMs }: View): SourceAnswer => ({
  index,
  members,
  ageMs,
  ttlMs: ttlMs ?? Infinity,
});

function isView(body: unknown): body is View {
  if (typeof body !== 'object' || body === null) return false;
  const { index, members, ageMs, ttlMs } = body as Record<string, unknown>;
  const isList = Array.isArray(members) && members.every((member) => typeof member === 'string');
  return isList && typeof index === 'number' && typeof ageMs === 'number' && (ttlMs === null || typeof ttlMs === 'number');
}
