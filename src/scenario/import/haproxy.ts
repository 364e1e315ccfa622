/** HAProxy's HTTP log (`option httplog`), bare or behind a syslog header of any kind: `client:port [time] frontend backend/server
 *  TR/Tw/Tc/Tr/Ta status bytes - - ---- 1/1/1/1/0 0/0 {headers} "request"`. Logs before 1.7 have Tq and Tt in the first and last place,
 *  which mean the same for one request per connection. The time is that of the request's first byte, in milliseconds and without a zone.
 *
 *  The duration is what a server spent: all of Ta but receiving the request (TR), waiting in queues (Tw) and connecting (Tc). A −1 among
 *  them means that it did not come so far; then it is not known. The first letter of the termination state tells who ended it.
 *
 *  Where it fails: TCP logs and logs of a changed `log-format` have other fields. */
import { outcomeOfStatus, outcomes, readRequestLine, type LineReader, type Outcome } from './access-record.ts';
import type { LocalZone } from './local-zone.ts';
import { commonLogTime } from './timestamps.ts';

export function haproxyReader(zone: LocalZone): LineReader {
  const readTime = commonLogTime(zone);
  return (line, record) => {
    // A syslog header may have brackets of its own, as in haproxy[14389]: only a date will do.
    const open = line.search(/\[\d\d\/[A-Za-z]{3}\/\d{4}:/);
    const close = line.indexOf('] ', open);
    if (open < 2 || close === -1) return 'expected a time such as [06/Feb/2009:12:14:14.655]';
    record.timeMs = readTime(line.slice(open + 1, close));
    if (Number.isNaN(record.timeMs)) return 'the time in brackets is no date such as 06/Feb/2009:12:14:14.655';
    const address = line.slice(line.lastIndexOf(' ', open - 2) + 1, open - 1);
    if (!/:\d+$/.test(address)) return 'expected the address and port of the client before the time';
    const fields = line.slice(close + 2, close + 2 + maxFields).split(' ', 10);
    const [, server = '', timers = '', statusText = '', , , , ending = ''] = fields;
    if (!/^[^/]+\/[^/]+$/.test(server)) return 'expected backend/server';
    if (!/^-?\d+\/-?\d+\/-?\d+\/-?\d+\/\+?-?\d+$/.test(timers)) return 'expected five timers TR/Tw/Tc/Tr/Ta';
    if (!/^(-1|\d{3})$/.test(statusText)) return 'expected a status of three digits after the timers';
    if (ending.length !== 4) return 'expected a termination state of four characters';
    const quoteAt = line.indexOf('"', close);
    if (quoteAt === -1) return 'expected the request in quotes at the end';
    // Syslog cuts long lines off, and the closing quote with them.
    const quoteEnd = line.lastIndexOf('"');
    readRequestLine(line.slice(quoteAt + 1, quoteEnd > quoteAt ? quoteEnd : undefined), record);
    record.isEnd = false;
    record.client = address.slice(0, address.lastIndexOf(':'));
    record.agent = '';
    record.status = Math.max(0, Number(statusText));
    record.durationMs = serverTime(timers);
    record.outcome = outcomeOf(ending, record.status);
    return true;
  };
}

/** Names of frontends, backends, servers and captured cookies are short; nobody sends them. */
const maxFields = 4096;

function serverTime(timers: string): number {
  const [request, queue, connect, response, active] = timers.split('/').map(Number);
  // A Ta with a plus was logged before the end (option logasap): the response's first byte is the last thing known.
  if (timers.includes('+')) return response >= 0 ? response : NaN;
  if (queue < 0 || connect < 0 || response < 0) return NaN;
  return Math.max(0, active - Math.max(0, request) - queue - connect);
}

function outcomeOf(ending: string, status: number): Outcome {
  switch (ending[0]) {
    case 'C':
    case 'c':
      return outcomes.abandoned;
    case 'S':
    case 's':
    case 'R':
    case 'I':
    case 'D':
    case 'K':
      return outcomes.serverError;
    default:
      return status === 0 ? outcomes.serverError : outcomeOfStatus(status);
  }
}
