/** What one line of an access log says, in the same words for every format. One record is filled again and again, so that reading a
 *  line allocates little more than its texts. */
import type { Ms } from '../../core/time.ts';

export interface AccessRecord {
  /** As logged, in milliseconds since 1970; for logs with relative times since their own zero. */
  timeMs: Ms;
  /** Whether `timeMs` is when the request ended, as in nginx's logs; otherwise it is when it began. */
  isEnd: boolean;
  /** As sent; empty when the request line could not be read, as with port scans. */
  method: string;
  /** As sent: path with query, or a whole URL. */
  target: string;
  /** 0 when no status was sent or logged. */
  status: number;
  /** Time the server side worked on it; NaN where the log does not say. */
  durationMs: Ms;
  outcome: Outcome;
  /** Who asked: together they tell sessions apart where the log does not name them. */
  client: string;
  agent: string;
  /** As named by the log; empty when it does not. */
  session: string;
  key: string;
  className: string;
}

/** How a request ended. Client errors are answers like any other; only failures of the server side count as errors. */
export const outcomes = { answered: 0, clientError: 1, serverError: 2, abandoned: 3 } as const;
export type Outcome = (typeof outcomes)[keyof typeof outcomes];

/** Reads one line into the record. False: a line that holds no request, such as a header. A text: why it cannot be read. */
export type LineReader = (line: string, record: AccessRecord) => boolean | string;

export const emptyRecord = (): AccessRecord => ({
  timeMs: NaN,
  isEnd: false,
  method: '',
  target: '',
  status: 0,
  durationMs: NaN,
  outcome: outcomes.answered,
  client: '',
  agent: '',
  session: '',
  key: '',
  className: '',
});

/** nginx logs 499 when the client has gone away. */
export const outcomeOfStatus = (status: number): Outcome =>
  status === 499
    ? outcomes.abandoned
    : status >= 500
      ? outcomes.serverError
      : status >= 400
        ? outcomes.clientError
        : outcomes.answered;

/** Three digits to a number; −1 for anything else. */
export function readStatus(text: string): number {
  if (text.length !== 3) return -1;
  const hundreds = text.charCodeAt(0) - 48;
  const tens = text.charCodeAt(1) - 48;
  const ones = text.charCodeAt(2) - 48;
  const isNumber = hundreds >= 1 && hundreds <= 9 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9;
  return isNumber ? hundreds * 100 + tens * 10 + ones : -1;
}

/** Splits `GET /item/7 HTTP/1.1` into the record. What is no request line leaves both parts empty: servers log what they were sent. */
export function readRequestLine(line: string, record: AccessRecord): void {
  const first = line.indexOf(' ');
  const isMethod = first > 0 && first <= 20 && /^[A-Za-z][A-Za-z-]*$/.test(line.slice(0, first));
  if (!isMethod) {
    record.method = '';
    record.target = '';
    return;
  }
  const last = line.lastIndexOf(' ');
  record.method = line.slice(0, first);
  // HTTP/0.9 has no protocol at the end.
  record.target = line.slice(first + 1, last > first ? last : undefined);
}
