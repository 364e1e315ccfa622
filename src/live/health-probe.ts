/** How an endpoint is asked whether it is fit: by HTTP, by whether it takes connections, or in a way of the program's own.
 *
 *  Ask over HTTP where the service has something to say of itself; a check that meets what requests would meet is worth more than one that
 *  always says yes. A connection alone proves that something listens, which a process that hangs does as well.
 *
 *  An HTTP answer is judged by its status, as Envoy does (source/extensions/health_checkers/http/health_checker_impl.cc): an expected one is
 *  good, one with `x-envoy-degraded` good but to be spared; a retriable one is a failure that may pass; any other is an answer that says
 *  unfit, which some checkers take at its word the first time. Consul’s rule that 429 is a warning is `degraded: [429]`. */
import http, { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { connect } from 'node:net';
import { type ProbeKind, probeKinds, type ProbeResult, probeResults } from '../policies/detection/checks/health-checker.ts';

export type ProbeKindName = keyof typeof probeKinds;
/** A status, or the first and the last of several. */
export type Statuses = readonly (number | readonly [from: number, to: number])[];

export interface HttpProbe {
  readonly type: 'http';
  /** `/` by default. Checkers with several kinds of probes (the kubelet's) may ask each at its own path. */
  readonly path?: string | Readonly<Partial<Record<ProbeKindName, string>>>;
  readonly headers?: OutgoingHttpHeaders;
  /** 200 to 399 by default, as for the kubelet and HAProxy; Envoy's default is 200 alone. */
  readonly expected?: Statuses;
  readonly retriable?: Statuses;
  /** Good, but to be spared. */
  readonly degraded?: Statuses;
}
export interface TcpProbe {
  readonly type: 'tcp';
}
/** A question of the program's own. `signal` is aborted when the probe's time is up; one that throws has met no answer. */
export type OwnProbe = (endpoint: string, kind: ProbeKindName, signal: AbortSignal) => Promise<ProbeResult>;
export type HealthProbe = HttpProbe | TcpProbe | OwnProbe;

export interface ProbeAgents {
  readonly https: https.Agent;
}

/** Asks once. Never rejects; after `signal` was aborted nobody listens any more. */
export function askHealth(
  endpoint: string,
  kind: ProbeKind,
  probe: HealthProbe,
  { https }: ProbeAgents,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const kindName = kindNames[kind];
  const answer =
    typeof probe === 'function'
      ? probe(endpoint, kindName, signal)
      : probe.type === 'tcp'
        ? askByConnecting(endpoint, signal)
        : askOverHttp(endpoint, kindName, probe, https, signal);
  return answer.catch(() => probeResults.network);
}

function askByConnecting(endpoint: string, signal: AbortSignal): Promise<ProbeResult> {
  const { hostname, port, protocol } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || (protocol === 'https:' ? 443 : 80)),
      signal,
    });
    socket.on('error', reject);
    socket.on('connect', () => {
      socket.end();
      socket.destroy();
      resolve(probeResults.ok);
    });
  });
}

/** Over a connection of its own, which a fresh caller would need as well; with TLS, over those of the agent that knows the certificates. */
function askOverHttp(
  endpoint: string,
  kind: ProbeKindName,
  { path = '/', headers = {}, ...rules }: HttpProbe,
  agent: https.Agent,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const url = new URL(typeof path === 'string' ? path : (path[kind] ?? '/'), endpoint);
  const isSecure = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const request = (isSecure ? https : http).get(url, { headers, agent: isSecure ? agent : false, signal });
    request.on('error', reject);
    request.on('response', (answer) => {
      answer.on('error', reject);
      answer.once('end', () => resolve(resultOfAnswer(answer, rules)));
      answer.once('close', () => reject(new Error('broken off')));
      answer.resume();
    });
  });
}

const usualStatuses: Statuses = [[200, 399]];

function resultOfAnswer(
  { statusCode = 0, headers }: Pick<IncomingMessage, 'statusCode' | 'headers'>,
  { expected = usualStatuses, retriable = [], degraded = [] }: Omit<HttpProbe, 'type'>,
): ProbeResult {
  if (isAmong(statusCode, degraded)) return probeResults.degraded;
  if (isAmong(statusCode, expected)) return headers['x-envoy-degraded'] === undefined ? probeResults.ok : probeResults.degraded;
  return isAmong(statusCode, retriable) ? probeResults.failure : probeResults.unhealthy;
}

const isAmong = (status: number, statuses: Statuses): boolean =>
  statuses.some((each) => (typeof each === 'number' ? status === each : status >= each[0] && status <= each[1]));

const kindNames = Object.keys(probeKinds) as readonly ProbeKindName[];
