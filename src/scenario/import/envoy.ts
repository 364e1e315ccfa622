/** Envoy's access log in its default text format, and Istio's, which has three more fields after the response flags. The time is when
 *  the request began, in milliseconds. The duration is the upstream's service time where there is one: what an instance took, without
 *  the proxy's own retries and queues; the whole duration of an answered request where that header is not sent on.
 *
 *  Where it fails: a `text_format` of one's own. `envoy-json` reads the JSON format by its key names. */
import { outcomeOfStatus, outcomes, readRequestLine, type LineReader, type Outcome } from './access-record.ts';
import { endOfQuoted } from './combined.ts';
import type { LocalZone } from './local-zone.ts';
import { anyTime } from './timestamps.ts';

export function envoyReader(zone: LocalZone): LineReader {
  const readTime = anyTime(zone, undefined);
  return (line, record) => {
    const close = line.indexOf('] "');
    if (line[0] !== '[' || close === -1) return 'expected a time in brackets and a request in quotes';
    record.timeMs = readTime(line.slice(1, close));
    if (Number.isNaN(record.timeMs)) return 'the time in brackets is no instant such as 2016-04-15T20:17:00.310Z';
    const requestEnd = endOfQuoted(line, close + 3);
    if (requestEnd === -1) return 'the quotes around the request are not closed';
    const words = fieldsOf(line, requestEnd + 2);
    const [status = '', flags = ''] = words;
    if (!/^\d{1,3}$/.test(status)) return 'expected a response code after the request';
    const numbers = findNumbers(words);
    if (numbers === -1) return 'expected bytes received, bytes sent, duration and upstream service time';
    readRequestLine(line.slice(close + 3, requestEnd), record);
    record.isEnd = false;
    record.status = Number(status);
    record.outcome = envoyOutcome(record.status, flags);
    record.durationMs = envoyDuration(words[numbers + 2], words[numbers + 3], flags);
    const [client = '', agent = ''] = words.slice(numbers + 4);
    // Proxies before this one add themselves to the list.
    record.client = client === '-' ? '' : client.split(',', 1)[0];
    record.agent = agent === '-' ? '' : agent;
    return true;
  };
}

/** What the flags say about the end: see RESPONSE_FLAGS. DC: the client has gone. */
export function envoyOutcome(status: number, flags: string): Outcome {
  if (/(^|,)(DC|DR)(,|$)/.test(flags)) return outcomes.abandoned;
  return status === 0 ? outcomes.serverError : outcomeOfStatus(status);
}

/** NaN where no upstream answered. */
export function envoyDuration(whole: string, upstream: string, flags: string): number {
  if (/^\d+$/.test(upstream)) return Number(upstream);
  return (flags === '-' || flags === '') && /^\d+$/.test(whole) ? Number(whole) : NaN;
}

/** Two fields, or in Istio's format five, stand before the four numbers. */
const findNumbers = (words: readonly string[]): number =>
  [2, 5].find((at) => words.slice(at, at + 3).every((word) => /^\d+$/.test(word)) && /^(\d+|-)$/.test(words[at + 3] ?? '')) ?? -1;

/** Words and quoted texts, up to the agent. */
function fieldsOf(line: string, from: number): string[] {
  const fields: string[] = [];
  let at = from;
  while (at < line.length && fields.length < 12) {
    if (line[at] === ' ') {
      at++;
    } else if (line[at] === '"') {
      const end = endOfQuoted(line, at + 1);
      fields.push(line.slice(at + 1, end === -1 ? undefined : end));
      at = end === -1 ? line.length : end + 1;
    } else {
      const end = line.indexOf(' ', at);
      fields.push(line.slice(at, end === -1 ? undefined : end));
      at = end === -1 ? line.length : end;
    }
  }
  return fields;
}
