/** The access logs of Apache and nginx: common (`host ident user [time] "request" status bytes`), combined (with referer and user
 *  agent), with the virtual host in front or not, and with a duration behind. nginx's `$request_time` has a decimal point and is in
 *  seconds, and nginx writes the time of the request's end; Apache's `%D` has none and is in microseconds, and Apache writes the time of
 *  its beginning. `rt=0.123` and `request_time=0.123` are read, too; other fields behind the agent are passed over.
 *
 *  Where it fails: a log whose `log_format` puts other things between these fields needs `csv` or `jsonl`. */
import { outcomeOfStatus, readRequestLine, readStatus, type LineReader } from './access-record.ts';
import type { LocalZone } from './local-zone.ts';
import { commonLogTime } from './timestamps.ts';

export function combinedReader(zone: LocalZone): LineReader {
  const readTime = commonLogTime(zone);
  return (line, record) => {
    const open = line.indexOf('[');
    const close = line.indexOf(']', open);
    if (open < 1 || close === -1) return 'expected a time in brackets';
    record.timeMs = readTime(line.slice(open + 1, close));
    if (Number.isNaN(record.timeMs)) return 'the time in brackets is no date such as 17/May/2015:10:05:03 +0000';
    if (line.charCodeAt(close + 2) !== quote) return 'expected a request in quotes after the time';
    const requestEnd = endOfQuoted(line, close + 3);
    if (requestEnd === -1) return 'the quotes around the request are not closed';
    const status = readStatus(line.slice(requestEnd + 2, requestEnd + 5));
    if (status === -1) return 'expected a status of three digits after the request';
    record.client = clientOf(line, open);
    readRequestLine(line.slice(close + 3, requestEnd), record);
    record.status = status;
    record.outcome = outcomeOfStatus(status);
    record.agent = '';
    record.durationMs = NaN;
    record.isEnd = false;

    // Bytes, then perhaps referer and agent.
    let at = endOfWord(line, requestEnd + 6);
    if (at < line.length && line.charCodeAt(at + 1) === quote) {
      const refererEnd = endOfQuoted(line, at + 2);
      if (refererEnd === -1) return 'the quotes around the referer are not closed';
      at = refererEnd + 1;
      if (at < line.length && line.charCodeAt(at + 1) === quote) {
        const agentEnd = endOfQuoted(line, at + 2);
        if (agentEnd === -1) return 'the quotes around the user agent are not closed';
        record.agent = line.slice(at + 2, agentEnd);
        at = agentEnd + 1;
      }
    }
    if (at < line.length) readExtras(line, at, record);
    return true;
  };
}

const quote = 0x22;
const backslash = 0x5c;
const space = 0x20;

/** The first field; the second when a virtual host with its port stands in front of all. */
function clientOf(line: string, open: number): string {
  const first = line.indexOf(' ');
  const word = line.slice(0, first);
  if (!/^[^:]+:\d+$/.test(word)) return word;
  const fields = line.slice(0, open).trim().split(' ');
  return fields.length >= 4 ? fields[1] : word;
}

/** Behind the fields of the format: the first plain number, or the first named request time, is the duration. */
function readExtras(line: string, from: number, record: Parameters<LineReader>[1]): void {
  let at = from;
  while (at < line.length) {
    while (line.charCodeAt(at) === space) at++;
    const isQuoted = line.charCodeAt(at) === quote;
    const end = isQuoted ? endOfQuoted(line, at + 1) : endOfWord(line, at);
    if (end === -1) return;
    // Numbers in quotes are something else, such as nginx's gzip ratio.
    const [, number] = isQuoted ? [] : (/^(?:rt=|request_time=)?(\d{1,12}(?:\.\d{1,9})?)$/.exec(line.slice(at, end)) ?? []);
    if (number !== undefined) {
      record.isEnd = number.includes('.');
      record.durationMs = record.isEnd ? Number(`${number}e3`) : Number(`${number}e-3`);
      return;
    }
    at = end + 1;
  }
}

/** Where the quotes that opened before `from` close; −1 if nowhere. A quote within is written with a backslash. */
export function endOfQuoted(line: string, from: number): number {
  let at = line.indexOf('"', from);
  while (at !== -1) {
    let slashes = 0;
    while (at - 1 - slashes >= from && line.charCodeAt(at - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return at;
    at = line.indexOf('"', at + 1);
  }
  return -1;
}

/** The next blank, or the end of the line. */
function endOfWord(line: string, from: number): number {
  const at = line.indexOf(' ', from);
  return at === -1 ? line.length : at;
}
