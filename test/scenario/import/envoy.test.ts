/** Envoy's access logs: the example of its documentation, Istio's longer format, and JSON with the keys of Envoy's operators. */
import { describe, expect, test } from 'vitest';
import { envoyReader } from '../../../src/scenario/import/envoy.ts';
import { envoyJsonReader } from '../../../src/scenario/import/json-lines.ts';
import { utc } from '../../../src/scenario/import/local-zone.ts';
import { readLine } from './reading.ts';

const read = envoyReader(utc);
const documented =
  '[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80"';
const istio =
  '[2020-11-25T21:26:18.409Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 4 3 "-" "curl/7.73.0-DEV" "84961386-6d84-929d-98bd-c5aee93b5c88" "httpbin:8000" "127.0.0.1:80" inbound|8000|| - 10.44.1.27:80 10.44.1.23:37652 - default';

test('the default format gives the time of the start and what the upstream took', () => {
  expect(readLine(read, documented)).toMatchObject({
    timeMs: Date.parse('2016-04-15T20:17:00.310Z'),
    method: 'POST',
    target: '/api/v1/locations',
    status: 204,
    durationMs: 100,
    client: '10.0.35.28',
    agent: 'nsq2http',
    isEnd: false,
    outcome: 0,
  });
});

test("Istio's format is told by where the numbers are", () => {
  expect(readLine(read, istio)).toMatchObject({ status: 418, durationMs: 3, client: '', agent: 'curl/7.73.0-DEV', outcome: 1 });
});

test.each([
  ['204 - 154 0 226 100', '200 - 154 0 226 -', 226, 0],
  ['204 - 154 0 226 100', '503 UF,URX 154 0 226 -', NaN, 2],
  ['204 - 154 0 226 100', '503 UH 0 19 0 -', NaN, 2],
  ['204 - 154 0 226 100', '0 DC 154 0 226 -', NaN, 3],
  ['204 - 154 0 226 100', '504 UT 154 0 1000 -', NaN, 2],
  ['204 - 154 0 226 100', '429 RL 0 18 1 -', NaN, 1],
])('%s replaced by %s: %s ms, outcome %s', (from, to, durationMs, outcome) => {
  expect(readLine(read, documented.replace(from, to))).toMatchObject({ durationMs, outcome });
});

test('the first of several forwarded addresses is the client', () => {
  expect(readLine(read, documented.replace('10.0.35.28', '198.51.100.7,10.0.35.28'))).toMatchObject({ client: '198.51.100.7' });
});

test.each([
  ['nonsense', 'expected a time in brackets and a request in quotes'],
  [documented.replace('2016-04-15', '16-04-15'), 'the time in brackets is no instant such as 2016-04-15T20:17:00.310Z'],
  [documented.replace(' 204 ', ' OK '), 'expected a response code after the request'],
  [documented.replace('154 0 226 100', '154'), 'expected bytes received, bytes sent, duration and upstream service time'],
])('%j is refused: %s', (line, reason) => {
  expect(readLine(read, line)).toBe(reason);
});

describe('JSON', () => {
  const json = envoyJsonReader(utc, {});
  const object = {
    start_time: '2016-04-15T20:17:00.310Z',
    method: 'POST',
    path: '/api/v1/locations',
    protocol: 'HTTP/2',
    response_code: 204,
    response_flags: '-',
    bytes_sent: 0,
    duration: 226,
    upstream_service_time: '100',
    x_forwarded_for: '10.0.35.28',
    user_agent: 'nsq2http',
  };
  const line = (changes: object): string => JSON.stringify({ ...object, ...changes });

  test('says the same as text', () => {
    expect(readLine(json, line({}))).toEqual(readLine(read, documented));
  });

  test('numbers may be texts, and what is not known a dash or null', () => {
    expect(readLine(json, line({ response_code: '503', response_flags: 'UH', upstream_service_time: '-' }))).toMatchObject({
      status: 503,
      durationMs: NaN,
      outcome: 2,
    });
    expect(readLine(json, line({ upstream_service_time: null }))).toMatchObject({ durationMs: 226 });
    expect(readLine(json, line({ response_code: 0, response_flags: 'DC' }))).toMatchObject({ outcome: 3 });
  });

  test.each([
    ['[1]', 'expected a JSON object'],
    ['{"start_time":', 'it is not valid JSON'],
    [JSON.stringify({ start_time: '2016-04-15T20:17:00Z' }), 'it has neither response_code nor response_flags'],
    [JSON.stringify({ response_code: 200 }), 'it has no time'],
  ])('%s is refused: %s', (text, reason) => {
    expect(readLine(json, text)).toBe(reason);
  });
});
