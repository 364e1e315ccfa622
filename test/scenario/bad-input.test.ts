/** The catalogue of bad input: what is wrong is found, all of it, and said in words that help. */
import { describe, expect, test } from 'vitest';
import { arrivalsText, briefly, printed, scenarioText } from './fixture.ts';

const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x]',
  ...Array.from('bcdefghi', (name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(', ')}]`),
].join('\n');
const deepByAlias = Array.from(
  { length: 8 },
  (_, index) => `k${index}: &k${index} ${'['.repeat(10)}${index === 0 ? 'x' : `*k${index - 1}`}${']'.repeat(10)}`,
).join('\n');
const everythingWrong = `scenario: 1
name: ../../x
run: { duration: 60sec }
services:
  api:
    instances: 3
    slts: 8
    work: { type: lognormal, p50: 12ms, p99: 6ms }
traffic:
  - to: apii
    arrivals: { type: poisson, rate: 4500 }
faults:
  - { type: slow, target: api/3, at: 1m, factor: 5 }
policies:
  detector: { use: heartbeat, misses: 0 }
compare:
  services.api.slotts: [1, 2]
expect:
  - latency.p99 < 250
`;

describe('bad input', () => {
  test('an empty file shows how to begin', async () => {
    expect(await printed('')).toMatchInlineSnapshot(`
      "
      test.yaml:1:1  error  the file is empty
      > 1 |
          | ^
        hint: a small scenario:
          scenario: 1
          name: first
          run: { duration: 1m }
          services:
            api: { instances: 3, work: 10ms }
          traffic:
            - { to: api, arrivals: { type: poisson, rate: 100/s } }
      1 error. Nothing was run.
      "
    `);
  });

  test('so does one of comments only', async () => {
    expect(await briefly('# nothing here\n')).toMatchInlineSnapshot(`
      [
        "1:1 error: the file is empty; a small scenario:
      scenario: 1
      name: first
      run: { duration: 1m }
      services:
        api: { instances: 3, work: 10ms }
      traffic:
        - { to: api, arrivals: { type: poisson, rate: 100/s } }",
      ]
    `);
  });

  test('a text at the top is no scenario', async () => {
    expect(await briefly('hello')).toMatchInlineSnapshot(`
      [
        "1:1 error: a scenario is a map, found "hello"; a small scenario:
      scenario: 1
      name: first
      run: { duration: 1m }
      services:
        api: { instances: 3, work: 10ms }
      traffic:
        - { to: api, arrivals: { type: poisson, rate: 100/s } }",
      ]
    `);
  });

  test('nor is a list', async () => {
    expect(await briefly('- a\n- b\n')).toMatchInlineSnapshot(`
      [
        "1:1 error: a scenario is a map, found a list; a small scenario:
      scenario: 1
      name: first
      run: { duration: 1m }
      services:
        api: { instances: 3, work: 10ms }
      traffic:
        - { to: api, arrivals: { type: poisson, rate: 100/s } }",
      ]
    `);
  });

  test('an alias bomb is refused before it goes off', async () => {
    expect(await printed(bomb)).toMatchInlineSnapshot(`
      "
      test.yaml:6:7  error  f: more than 200000 values, once aliases are expanded
        5 | e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]
      > 6 | f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]
          |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      1 error. Nothing was run.
      "
    `);
  });

  test('an alias inside what it names goes in circles', async () => {
    expect(await printed('a: &a { b: *a }')).toMatchInlineSnapshot(`
      "
      test.yaml:1:12  error  a.b: cyclic reference: *a stands inside &a
      > 1 | a: &a { b: *a }
          |            ^^
      1 error. Nothing was run.
      "
    `);
  });

  test('an alias of nothing', async () => {
    expect(await briefly('name: &first x\nabout: *frist\n')).toMatchInlineSnapshot(`
      [
        "2:8 error: nothing is called &frist before this; did you mean *first?",
      ]
    `);
  });

  test('20 000 brackets', async () => {
    expect(await briefly('['.repeat(20_000))).toMatchInlineSnapshot(`
      [
        "1:65 error: nesting deeper than 64 levels",
      ]
    `);
  });

  test('20 000 maps in maps', async () => {
    expect(await briefly('{a: '.repeat(20_000))).toMatchInlineSnapshot(`
      [
        "1:257 error: nesting deeper than 64 levels",
      ]
    `);
  });

  test('20 000 lists in lists', async () => {
    expect(await briefly('- '.repeat(20_000))).toMatchInlineSnapshot(`
      [
        "1:129 error: nesting deeper than 64 levels",
      ]
    `);
  });

  test('depth that only aliases reach', async () => {
    expect(await briefly(deepByAlias)).toMatchInlineSnapshot(`
      [
        "7:14 error: nesting deeper than 64 levels, once aliases are expanded",
      ]
    `);
  });

  test('a duplicate key is named with both lines', async () => {
    expect(await printed(scenarioText({ rest: 'name: again' }))).toMatchInlineSnapshot(`
      "
      test.yaml:8:1  error  duplicate key "name", lines 2 and 8
        7 |   - { to: api, arrivals: { type: poisson, rate: 100/s } }
      > 8 | name: again
          | ^^^^
      1 error. Nothing was run.
      "
    `);
  });

  test('in JSON as well', async () => {
    expect(await briefly('{ "scenario": 1,\n  "scenario": 1 }')).toMatchInlineSnapshot(`
      [
        "2:3 error: duplicate key "scenario", lines 1 and 2",
      ]
    `);
  });

  test('a second document', async () => {
    expect(await printed(`${scenarioText()}\n---\nname: second\n`)).toMatchInlineSnapshot(`
      "
      test.yaml:9:1  error  one scenario per file: a second document starts here; move it to a file of its own
        8 |
      > 9 | ---
          | ^^^
      1 error. Nothing was run.
      "
    `);
  });

  test('a control character is named with its byte', async () => {
    expect(await printed('scenario: 1\nname: "é\x07"\n')).toMatchInlineSnapshot(`
      "
      test.yaml:2:9  error  control character U+0007 at byte 21
        1 | scenario: 1
      > 2 | name: "é\\u{7}"
          |         ^^^^^
      1 error. Nothing was run.
      "
    `);
  });

  test('so is NUL', async () => {
    expect(await briefly('name: a\0b\n')).toMatchInlineSnapshot(`
      [
        "1:8 error: control character U+0000 at byte 7",
      ]
    `);
  });

  test('and a carriage return on its own, which hides what is before it', async () => {
    expect(await briefly('name: a\rname: b\n')).toMatchInlineSnapshot(`
      [
        "1:8 error: control character U+000D at byte 7",
      ]
    `);
  });

  test('keys that would change every object', async () => {
    expect(await briefly('__proto__: { polluted: 1 }\nrun: { constructor: 1 }\nservices: { prototype: {} }\n'))
      .toMatchInlineSnapshot(`
      [
        "1:1 error: the key "__proto__" is not allowed",
        "2:8 error: the key "constructor" is not allowed",
        "3:13 error: the key "prototype" is not allowed",
      ]
    `);
  });

  test('merge keys', async () => {
    expect(await briefly(scenarioText({ run: 'run: { <<: { duration: 1m } }' }))).toMatchInlineSnapshot(`
      [
        "3:8 error: merge keys (<<) are not part of YAML 1.2; write the keys out, or put an alias in place of the whole value",
      ]
    `);
  });

  test('tags', async () => {
    expect(await briefly(scenarioText({ rest: 'about: !secret x' }))).toMatchInlineSnapshot(`
      [
        "8:8 error: tags (!) have no meaning here; remove the tag, or quote the text",
      ]
    `);
  });

  test('a tag that makes bytes of a text', async () => {
    expect(await briefly(scenarioText({ rest: 'about: !!binary aGk=' }))).toMatchInlineSnapshot(`
      [
        "8:17 error: tags (!) have no meaning here; remove the tag, or quote the text",
      ]
    `);
  });

  test('a text that needs quotes', async () => {
    expect(await printed(scenarioText({ rest: 'compare: { balancer: [@scope/pkg#Policy] }' }))).toMatchInlineSnapshot(`
      "
      test.yaml:8:23  error  a plain text cannot start with this character; put it in quotes
        7 |   - { to: api, arrivals: { type: poisson, rate: 100/s } }
      > 8 | compare: { balancer: [@scope/pkg#Policy] }
          |                       ^
      1 error. Nothing was run.
      "
    `);
  });

  test('a tab', async () => {
    expect(await printed('scenario: 1\nrun:\n\tduration: 1m\n')).toMatchInlineSnapshot(`
      "
      test.yaml:3:1  error  a tab cannot indent; use spaces
        2 | run:
      > 3 |  duration: 1m
          | ^
      1 error. Nothing was run.
      "
    `);
  });

  test('lines that do not line up', async () => {
    expect(await printed('scenario: 1\n  name: x\n')).toMatchInlineSnapshot(`
      "
      test.yaml:1:11  error  a second "key:" on this line, or lines indented differently
      > 1 | scenario: 1
          |           ^
        hint: put a text with ": " in it in quotes; indent the keys of one map alike
      1 error. Nothing was run.
      "
    `);
  });

  test('an old version of YAML', async () => {
    expect(await briefly('%YAML 1.1\n---\nscenario: 1\n')).toMatchInlineSnapshot(`
      [
        "1:1 error: YAML 1.1 is not read; remove the %YAML line",
      ]
    `);
  });

  test('another version of the format', async () => {
    expect(await briefly(scenarioText().replace('scenario: 1', 'scenario: 2'))).toMatchInlineSnapshot(`
      [
        "1:11 error: unknown version 2 of the file format; write scenario: 1",
      ]
    `);
  });

  test('what is missing', async () => {
    expect(await briefly('scenario: 1')).toMatchInlineSnapshot(`
      [
        "1:1 error: missing key "name"; expected a name",
        "1:1 error: missing key "run"; expected a map with a duration, as in run: { duration: 5m }",
        "1:1 error: missing key "services"; expected a map of services by name",
        "1:1 error: missing key "traffic"; expected a list of streams of requests",
      ]
    `);
  });

  test('a misspelt key, and not that the right one is missing', async () => {
    expect(await printed(scenarioText({ run: 'run: { duratoin: 1m }' }))).toMatchInlineSnapshot(`
      "
      test.yaml:3:8  error  run: unknown key "duratoin" (did you mean "duration"?)
        2 | name: test
      > 3 | run: { duratoin: 1m }
          |        ^^^^^^^^
      1 error. Nothing was run.
      "
    `);
  });

  test('at the top, too', async () => {
    expect(await printed(scenarioText().replace('services:', 'sevices:'))).toMatchInlineSnapshot(`
      "
      test.yaml:4:1  error  unknown key "sevices" (did you mean "services"?)
        3 | run: { duration: 1m }
      > 4 | sevices:
          | ^^^^^^^
      1 error. Nothing was run.
      "
    `);
  });

  test('a key like no other', async () => {
    expect(await briefly(scenarioText({ run: 'run: { duration: 1m, colour: red }' }))).toMatchInlineSnapshot(`
      [
        "3:22 error: unknown key "colour"; known: duration, warmup, seeds, seed, startsAt, window",
      ]
    `);
  });

  test('durations', async () => {
    expect(await printed(scenarioText({ run: 'run: { duration: 60sec, warmup: 10 }' }))).toMatchInlineSnapshot(`
      "
      test.yaml:3:18  error  run.duration: "60sec" is not a duration; write 60s
        2 | name: test
      > 3 | run: { duration: 60sec, warmup: 10 }
          |                  ^^^^^
      test.yaml:3:33  error  run.warmup: 10 has no unit; write 10ms or 10s
        2 | name: test
      > 3 | run: { duration: 60sec, warmup: 10 }
          |                                 ^^
      2 errors. Nothing was run.
      "
    `);
  });

  test('an empty value', async () => {
    expect(await printed(scenarioText({ run: 'run:\n  duration:\n  seeds: 3' }))).toMatchInlineSnapshot(`
      "
      test.yaml:4:3  error  run.duration: expected a duration, found nothing; durations look like 250us, 12ms, 1.5s, 2m, 3h or 7d
        3 | run:
      > 4 |   duration:
          |   ^^^^^^^^
      1 error. Nothing was run.
      "
    `);
  });

  test('NaN, infinity and what overflows', async () => {
    expect(
      await briefly(
        scenarioText({
          services:
            'services: { a: { instances: .nan, work: 1ms }, b: { instances: 1e400, work: 1ms }, c: { instances: -.inf, work: 1ms } }',
        }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "4:29 error: expected a whole number, found NaN, which is not finite",
        "4:64 error: expected a whole number, found Infinity, which is not finite",
        "4:100 error: expected a whole number, found -Infinity, which is not finite",
        "6:11 error: there is no service "api"; known: a, b, c",
      ]
    `);
  });

  test('negative and zero quantities', async () => {
    expect(
      await briefly(
        scenarioText({
          run: 'run: { duration: 0s, window: -1s }',
          services: 'services: { api: { instances: 0, slots: -1, work: 0ms } }',
          traffic: 'traffic: [{ to: api, arrivals: { type: poisson, rate: 0/s }, timeout: 0s }]',
        }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "3:18 error: "0s" is too small; it must be above 0s",
        "3:30 error: "-1s" is not a duration; durations are not negative",
        "4:31 error: 0 is too small; it must be at least 1",
        "4:41 error: -1 is too small; it must be at least 1",
        "4:51 error: must be above 0",
        "5:55 error: "0/s" is too small; it must be above 0/s",
        "5:71 error: "0s" is too small; it must be above 0s",
      ]
    `);
  });

  test('weights that send requests nowhere', async () => {
    expect(
      await briefly(scenarioText({ services: 'services: { api: { instances: [{ weight: 0 }, { weight: 0 }], work: 1ms } }' })),
    ).toMatchInlineSnapshot(`
      [
        "4:31 error: the weights of all instances are 0: none would get requests",
      ]
    `);
  });

  test('half an instance, a billion instances, more than a double counts', async () => {
    expect(
      await briefly(
        scenarioText({
          services:
            'services: { api: { instances: 2.5, work: 1ms }, b: { instances: 1000000000, work: 1ms }, c: { instances: 12345678901234567890, work: 1ms } }',
        }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "4:31 error: expected a whole number, found 2.5",
        "4:65 error: 1000000000 is too large; it must be at most 100000",
        "4:106 error: 12345678901234567890 is too large to be exact",
      ]
    `);
  });

  test('many groups of many instances', async () => {
    expect(
      await briefly(
        scenarioText({ services: 'services: { api: { instances: [{ count: 90000 }, { count: 90000 }], work: 1ms } }' }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "4:31 error: 180000 instances; 100000 is the most",
      ]
    `);
  });

  test('a million repetitions', async () => {
    expect(await briefly(scenarioText({ run: 'run: { duration: 1m, seeds: 1000000 }' }))).toMatchInlineSnapshot(`
      [
        "3:29 error: 1000000 is too large; it must be at most 1000",
      ]
    `);
  });

  test('shares in percent without the sign', async () => {
    expect(
      await briefly(
        scenarioText({
          rest: 'faults: [{ type: errors, target: api/0, at: 1s, share: 50 }, { type: errors, target: api/0, at: 1s, share: 150% }]',
        }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "8:56 error: 50 is above 1; write 50% or 0.5",
        "8:108 error: "150%" is too large; it must be at most 100%",
      ]
    `);
  });

  test('names that are paths, devices, too long or not plain', async () => {
    expect(
      await Promise.all(
        ['../../x', 'CON', 'a/b', `${'x'.repeat(65)}`, '💥', '-rf', '.hidden', '""', '[x]'].map(async (name) =>
          (await briefly(scenarioText().replace('name: test', `name: ${name}`))).join(' '),
        ),
      ),
    ).toMatchInlineSnapshot(`
      [
        "2:7 error: "../../x" is not a name: letters, digits, ".", "_" and "-" only, a letter or digit first; write x",
        "2:7 error: "CON" cannot be the name of a file on Windows; write CON-1",
        "2:7 error: "a/b" is not a name: letters, digits, ".", "_" and "-" only, a letter or digit first; write a-b",
        "2:7 error: the name "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..." is longer than 64 characters",
        "2:7 error: "💥" is not a name: letters, digits, ".", "_" and "-" only, a letter or digit first",
        "2:7 error: "-rf" is not a name: letters, digits, ".", "_" and "-" only, a letter or digit first; write rf",
        "2:7 error: ".hidden" is not a name: letters, digits, ".", "_" and "-" only, a letter or digit first; write hidden",
        "2:7 error: expected a name, found an empty text",
        "2:7 error: expected a name, found a list",
      ]
    `);
  });

  test('yes is not true', async () => {
    expect(await briefly(scenarioText({ services: 'services: { api: { instances: 3, work: 10ms, cancelAbandoned: yes } }' })))
      .toMatchInlineSnapshot(`
      [
        "4:63 error: expected true or false, found "yes"; write true",
      ]
    `);
  });

  test('a list where a map belongs, and the other way round', async () => {
    expect(await briefly(scenarioText({ run: 'run: []', services: 'services: []', traffic: 'traffic: { to: api }' })))
      .toMatchInlineSnapshot(`
      [
        "3:6 error: expected a map, found a list",
        "4:11 error: expected a map of services by name, found a list; write services: { api: { ... } }",
        "5:10 error: expected a list of streams of requests, found a map; start each with "- to:"",
      ]
    `);
  });

  test('a misspelt choice', async () => {
    expect(await briefly(scenarioText({ services: 'services: { api: { instances: 3, work: 10ms, discipline: lifoo } }' })))
      .toMatchInlineSnapshot(`
      [
        "4:58 error: "lifoo" is not one of fifo, lifo, processor-sharing; did you mean "lifo"?",
      ]
    `);
  });

  test('an unknown law, and none', async () => {
    expect((await printed(arrivalsText('{ type: posson, rate: 1/s }'))) + (await printed(arrivalsText('{ rate: 1/s }'))))
      .toMatchInlineSnapshot(`
      "
      test.yaml:7:34  error  traffic[0].arrivals.type: unknown type "posson"
        6 | traffic:
      > 7 |   - { to: api, arrivals: { type: posson, rate: 1/s } }
          |                                  ^^^^^^
        hint: did you mean "poisson"? Known: poisson, constant, gamma, weibull, hyperexponential, mmpp, batch, trace, bursts, users, replay
      1 error. Nothing was run.

      test.yaml:7:26  error  traffic[0].arrivals: missing key "type"
        6 | traffic:
      > 7 |   - { to: api, arrivals: { rate: 1/s } }
          |                          ^^^^^^^^^^^^^
        hint: one of constant, poisson, gamma, weibull, hyperexponential, mmpp, batch, trace, bursts, users, replay
      1 error. Nothing was run.
      "
    `);
  });

  test('a parameter of another law', async () => {
    expect(await briefly(arrivalsText('{ type: poisson, rate: 1/s, cv: 2 }'))).toMatchInlineSnapshot(`
      [
        "7:54 error: unknown key "cv"; known: type, rate",
      ]
    `);
  });

  test('an unknown service', async () => {
    expect(await printed(arrivalsText('{ type: poisson, rate: 1/s }').replace('to: api', 'to: apo'))).toMatchInlineSnapshot(`
      "
      test.yaml:7:11  error  traffic[0].to: there is no service "apo"; did you mean "api"? Known: api
        6 | traffic:
      > 7 |   - { to: apo, arrivals: { type: poisson, rate: 1/s } }
          |           ^^^
      1 error. Nothing was run.
      "
    `);
  });

  test('two streams of one name', async () => {
    expect(
      await briefly(
        scenarioText({
          traffic:
            'traffic: [{ to: api, name: x, arrivals: { type: poisson, rate: 1/s } }, { to: api, name: x, arrivals: { type: poisson, rate: 1/s } }]',
        }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "6:90 error: another stream is called "x"",
      ]
    `);
  });

  test('a zone twice, a zone nobody is in', async () => {
    expect(
      await briefly(
        scenarioText({
          services: 'services: { api: { instances: 3, work: 1ms, zones: [a, a] } }',
          rest: 'faults: [{ type: zone-outage, zone: q, at: 1s }]',
        }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "4:56 error: zone "a" stands twice",
        "7:37 error: no instance is in zone "q"; known: a",
      ]
    `);
  });

  test('seeds that repeat a run', async () => {
    expect(await briefly(scenarioText({ run: 'run: { duration: 1m, seeds: [a, b, a] }' }))).toMatchInlineSnapshot(`
      [
        "3:36 error: seed "a" stands twice; equal seeds repeat the same run",
      ]
    `);
  });

  test('a warm-up as long as the run', async () => {
    expect(await briefly(scenarioText({ run: 'run: { duration: 1m, warmup: 1m }' }))).toMatchInlineSnapshot(`
      [
        "3:30 error: a warm-up of 1m leaves nothing of a run of 1m",
      ]
    `);
  });

  test('a window longer than the run, and one for every microsecond', async () => {
    expect(
      await Promise.all(
        ['2m', '1us'].map((window) => briefly(scenarioText({ run: `run: { duration: 1m, window: ${window} }` }))),
      ),
    ).toMatchInlineSnapshot(`
      [
        [
          "3:30 error: a window of 2m is longer than the run, 1m",
        ],
        [
          "3:30 error: more than 100000 windows; at least 1ms",
        ],
      ]
    `);
  });

  test('a timeout longer than the run is only strange', async () => {
    expect(await briefly(arrivalsText('{ type: poisson, rate: 1/s }', ', timeout: 2m'))).toMatchInlineSnapshot(`
      [
        "7:65 warning: a timeout of 2m is longer than the run, 1m: no request will time out",
      ]
    `);
  });

  test('targets', async () => {
    expect(
      await printed(
        scenarioText({
          rest: `faults:\n${['api/3', 'apu/0', 'api', 'api/2..1', 'api@z', 'api/1..9', 'api/-1', 'nginx/api/3'].map((target) => `  - { type: crash, target: ${target}, at: 1s, for: 1s }`).join('\n')}`,
        }),
      ),
    ).toMatchInlineSnapshot(`
      "
      test.yaml:9:28  error  faults[0].target: there is no instance api/3; numbers start at 0: api/0 to api/2
        8 | faults:
      > 9 |   - { type: crash, target: api/3, at: 1s, for: 1s }
          |                            ^^^^^
      test.yaml:10:28  error  faults[1].target: there is no service "apu"; did you mean "api"? Known: api
         9 |   - { type: crash, target: api/3, at: 1s, for: 1s }
      > 10 |   - { type: crash, target: apu/0, at: 1s, for: 1s }
           |                            ^^^^^
      test.yaml:11:28  error  faults[2].target: "api" is a service, not an instance
        10 |   - { type: crash, target: apu/0, at: 1s, for: 1s }
      > 11 |   - { type: crash, target: api, at: 1s, for: 1s }
           |                            ^^^
        hint: write api/* for all of its instances, or api/0 for the first
      test.yaml:12:28  error  faults[3].target: "api/2..1" goes backwards; write api/1..2
        11 |   - { type: crash, target: api, at: 1s, for: 1s }
      > 12 |   - { type: crash, target: api/2..1, at: 1s, for: 1s }
           |                            ^^^^^^^^
      test.yaml:13:28  error  faults[4].target: no instance of api is in zone "z"; known: a
        12 |   - { type: crash, target: api/2..1, at: 1s, for: 1s }
      > 13 |   - { type: crash, target: api@z, at: 1s, for: 1s }
           |                            ^^^^^
      test.yaml:14:28  error  faults[5].target: there is no instance api/9; numbers start at 0: api/0 to api/2
        13 |   - { type: crash, target: api@z, at: 1s, for: 1s }
      > 14 |   - { type: crash, target: api/1..9, at: 1s, for: 1s }
           |                            ^^^^^^^^
      test.yaml:15:28  error  faults[6].target: "api/-1" does not name instances; write api/3, api/0..4, api/* or api@zone
        14 |   - { type: crash, target: api/1..9, at: 1s, for: 1s }
      > 15 |   - { type: crash, target: api/-1, at: 1s, for: 1s }
           |                            ^^^^^^
      test.yaml:16:28  error  faults[7].target: "nginx/api/3" does not name instances; write api/3, api/0..4, api/* or api@zone
        15 |   - { type: crash, target: api/-1, at: 1s, for: 1s }
      > 16 |   - { type: crash, target: nginx/api/3, at: 1s, for: 1s }
           |                            ^^^^^^^^^^^
      8 errors. Nothing was run.
      "
    `);
  });

  test('a fault without a time, with two, and after the end', async () => {
    expect(
      await briefly(
        scenarioText({
          rest: 'faults:\n  - { type: crash, target: api/0 }\n  - { type: pause, target: api/0, at: 1s, random: { mttf: 1m, mttr: 1s } }\n  - { type: slow, target: api/0, at: 1m, factor: 2 }',
        }),
      ),
    ).toMatchInlineSnapshot(`
      [
        "9:5 error: missing key "at"; say when: at, and for if it ends; or random: { mttf: ..., mttr: ... }",
        "10:39 error: give either random, or at and for",
        "11:38 warning: never happens: the run ends at 1m",
      ]
    `);
  });

  test('an instance cannot crash while it is down', async () => {
    expect(
      await printed(
        scenarioText({
          rest: 'faults:\n  - { type: crash, target: api/*, at: 10s, for: 10s }\n  - { type: crash, target: api/1, at: 15s, for: 1s }\n  - { type: crash, target: api/1, at: 20s, for: 1s }\n  - { type: zone-outage, zone: a, at: 5s, for: 5s }',
        }),
      ),
    ).toMatchInlineSnapshot(`
      "
      test.yaml:10:5  error  faults[1]: api/1 is down already at that time: crash api/*
         9 |   - { type: crash, target: api/*, at: 10s, for: 10s }
      > 10 |   - { type: crash, target: api/1, at: 15s, for: 1s }
           |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      1 error. Nothing was run.
      "
    `);
  });

  test('a network that contradicts itself', async () => {
    const network = (text: string): Promise<string[]> => briefly(scenarioText({ rest: `network: ${text}` }));
    const pairs = '[{ between: [a, b], latency: 1ms }, { between: [b, a], latency: 1ms }]';
    expect(await network(`{ latency: 1ms, sameZone: 1ms, pairs: ${pairs} }`)).toMatchInlineSnapshot(`
      [
        "8:36 error: give either latency or sameZone; latency holds everywhere",
        "8:64 error: no instance is in zone "b"; known: a",
        "8:95 error: the pair b, a stands twice",
        "8:96 error: no instance is in zone "b"; known: a",
      ]
    `);
    expect(await network('{ pairs: [{ between: [a], latency: 1ms }] }')).toMatchInlineSnapshot(`
      [
        "8:31 error: needs at least 2 entries",
      ]
    `);
  });

  test('all mistakes at once, in the order of the file, errors of every section', async () => {
    expect(await printed(everythingWrong)).toMatchInlineSnapshot(`
      "
      test.yaml:2:7  error  name: "../../x" is not a name: letters, digits, ".", "_" and "-" only, a letter or digit first; write x
        1 | scenario: 1
      > 2 | name: ../../x
          |       ^^^^^^^
      test.yaml:3:18  error  run.duration: "60sec" is not a duration; write 60s
        2 | name: ../../x
      > 3 | run: { duration: 60sec }
          |                  ^^^^^
      test.yaml:7:5  error  services.api: unknown key "slts" (did you mean "slots"?)
        6 |     instances: 3
      > 7 |     slts: 8
          |     ^^^^
      test.yaml:8:46  error  services.api.work.p99: p99 must be above p50, 12ms; found 6ms
        7 |     slts: 8
      > 8 |     work: { type: lognormal, p50: 12ms, p99: 6ms }
          |                                              ^^^
      test.yaml:10:9  error  traffic[0].to: there is no service "apii"; did you mean "api"? Known: api
         9 | traffic:
      > 10 |   - to: apii
           |         ^^^^
      test.yaml:11:38  error  traffic[0].arrivals.rate: 4500 has no unit; write 4500/s or 4500/m
        10 |   - to: apii
      > 11 |     arrivals: { type: poisson, rate: 4500 }
           |                                      ^^^^
      test.yaml:13:27  error  faults[0].target: there is no instance api/3; numbers start at 0: api/0 to api/2
        12 | faults:
      > 13 |   - { type: slow, target: api/3, at: 1m, factor: 5 }
           |                           ^^^^^
      test.yaml:15:39  error  policies.detector.misses: 0 is too small; it must be at least 1
        14 | policies:
      > 15 |   detector: { use: heartbeat, misses: 0 }
           |                                       ^
      test.yaml:17:3  error  services.api: unknown key "slotts" (in variant "slotts=1") (did you mean "slots"?)
        16 | compare:
      > 17 |   services.api.slotts: [1, 2]
           |   ^^^^^^^^^^^^^^^^^^^
      test.yaml:19:5  error  expect[0]: latency.p99: 250 has no unit; write 250ms or 250s
        18 | expect:
      > 19 |   - latency.p99 < 250
           |     ^^^^^^^^^^^^^^^^^
      10 errors. Nothing was run.
      "
    `);
  });
});
