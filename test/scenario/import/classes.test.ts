/** Kinds of requests: what paths have in common, and what becomes of the rare and the strange. */
import { describe, expect, test } from 'vitest';
import { ClassTable } from '../../../src/scenario/import/class-table.ts';
import { pathOf, pathTemplate } from '../../../src/scenario/import/path-template.ts';
import { className, plainName } from '../../../src/scenario/import/printable.ts';

test.each([
  ['/', '/'],
  ['', '/'],
  ['/item/42', '/item/:id'],
  ['/users/42/orders/7f3a9c21', '/users/:id/orders/:id'],
  ['/o/123e4567-e89b-12d3-a456-426614174000/x', '/o/:id/x'],
  ['/commit/9fceb02d0ae598e95dc970b74767f19372d61af8', '/commit/:id'],
  ['/t/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/t/:id'],
  ['/2024-03-01/report', '/:id/report'],
  ['/api/v1/items', '/api/v1/items'],
  ['/api/v2.1/items/7', '/api/v2.1/items/:id'],
  ['/order-10042', '/order-:id'],
  ['/user42', '/user:id'],
  ['/http2/push', '/http2/push'],
  ['/who/someone@example.org', '/who/:id'],
  ['/host/10.0.0.1', '/host/:id'],
  ['/blog/why-we-test', '/blog/why-we-test'],
  ['/feedback', '/feedback'],
  ['/deadbeef', '/deadbeef'],
  ['/page-12.html', '/page-:id.html'],
  ['/index.php', '/index.php'],
  ['//double//slash/', '/double/slash'],
  ['/images/logo-2x.png', '*.png'],
  ['/app.3f9a.min.JS', '*.js'],
  ['/a/b/c/d/e/f/g/h', '/a/b/c/d/e/f/*'],
  [`/${'x'.repeat(60)}`, '/:id'],
])('%s is of the kind %s', (path, template) => {
  expect(pathTemplate(path)).toBe(template);
});

test.each([
  ['/a?b=/c', '/a'],
  ['/a#b', '/a'],
  ['/a;jsessionid=1', '/a'],
  ['http://example.org/a?b', '/a'],
  ['https://example.org', '/'],
  ['*', '*'],
])('the path of %s is %s', (target, path) => {
  expect(pathOf(target)).toBe(path);
});

describe('the table of classes', () => {
  const tableOf = (...requests: readonly (readonly [method: string, target: string, count: number])[]): ClassTable => {
    const table = new ClassTable();
    for (const [method, target, count] of requests) for (let i = 0; i < count; i++) table.add('', method, target);
    return table;
  };

  test('keeps the most frequent and calls the rest other', () => {
    const table = tableOf(['GET', '/a', 5], ['GET', '/b', 9], ['POST', '/a', 7], ['GET', '/c', 1]);
    expect(table.summary(3).names).toEqual(['GET /b', 'POST /a', 'other']);
    expect(table.summary(4).names).toEqual(['GET /b', 'POST /a', 'GET /a', 'GET /c']);
    expect(table.summary(1).names).toEqual(['other']);
  });

  test('gives every request a place, the rare ones that of other', () => {
    const table = tableOf(['GET', '/a', 5], ['GET', '/b', 9], ['GET', '/c', 1]);
    const { names, placeOf } = table.summary(2);
    expect(['/a', '/b', '/c', '/never'].map((path) => names[placeOf[table.add('', 'GET', path)] ?? -1])).toEqual([
      'other',
      'GET /b',
      'other',
      undefined,
    ]);
  });

  test('counts what is below one in a thousand as other, whatever the limit', () => {
    expect(tableOf(['GET', '/a', 2000], ['GET', '/b', 1]).summary(12).names).toEqual(['GET /a', 'other']);
  });

  test('the same path is the same key, and no path is none', () => {
    const table = new ClassTable();
    const keyOf = (target: string): number => {
      table.add('', 'GET', target);
      return table.key;
    };
    expect(keyOf('/item/1?x=1')).toBe(keyOf('/item/1?x=2'));
    expect(keyOf('/item/1')).not.toBe(keyOf('/item/2'));
    expect(keyOf('')).toBeNaN();
  });

  test('a request line that was none is malformed, a strange method is OTHER', () => {
    expect(tableOf(['', '', 1]).summary(9).names).toEqual(['malformed']);
    expect(tableOf(['GET-ME', '/x', 1]).summary(9).names).toEqual(['OTHER /x']);
    expect(tableOf(['CONNECT', 'example.org:443', 1]).summary(9).names).toEqual(['CONNECT']);
  });

  test('stays bounded when every path is a kind of its own', () => {
    const table = new ClassTable();
    const letters = (i: number): string =>
      [...i.toString(26)].map((digit) => String.fromCharCode(97 + parseInt(digit, 26))).join('');
    for (let i = 0; i < 60_000; i++) table.add('', 'GET', `/${letters(i)}`);
    const { names, placeOf } = table.summary(12);
    expect(names).toEqual(['other']);
    expect(placeOf.length).toBeLessThanOrEqual(50_000);
  });
});

test.each([
  ['=1+cmd|x', 'class _1_cmd_x'],
  ['@SUM', '_SUM'],
  ['-x', 'class -x'],
  ['\u001b[31mred\u0007', '_31mred_'],
  ['<script>', '_script_'],
  ['a"b\'c\\d: e', 'a_b_c_d: e'],
  ['\u202egnp.exe', '_gnp.exe'],
])('the class name of %j is %s', (text, name) => {
  expect(className(text).replace(/^class _/, '_')).toBe(name.replace(/^class _/, '_'));
  expect(className(text)).toMatch(/^[A-Za-z0-9*/][A-Za-z0-9 ./:_*~-]*$/);
});

test.each([
  ['../../etc/passwd', 'etc-passwd'],
  ['access', 'access'],
  ['', 'log'],
  ['\u001b[2J', '2J'],
  ['con', 'log-con'],
])('the name for %j is %s', (text, name) => {
  expect(plainName(text)).toBe(name);
});
