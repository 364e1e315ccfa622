import { describe, expect, test } from 'vitest';
import { forHtml, forMarkdown, forScript, forTerminal } from '../../src/report/plain-text.ts';

describe('on a terminal', () => {
  test('escape sequences, control characters and direction marks are gone', () => {
    expect(forTerminal('\u001b[31mred\u001b[0m \u001b]0;title\u0007x\u0000\u0008\u009b2J\u202eabc')).toBe('red xabc');
  });
  test('line breaks become spaces', () => {
    expect(forTerminal('a\r\nb\tc\u2028d')).toBe('a b c d');
  });
  test('letters of all scripts stay', () => {
    expect(forTerminal('größer 負荷 ✓')).toBe('größer 負荷 ✓');
  });
});

describe('in HTML', () => {
  test('nothing can open a tag, an entity or leave an attribute', () => {
    expect(forHtml(`<script>alert("1")</script> & 'x' \`y\``)).not.toMatch(/[<>"'`]|&(?!#\d+;)/);
  });
  test('inline JSON cannot close its script and says the same', () => {
    const value = { name: '</script><!-- & \u2028\u2029' };
    const text = forScript(value);
    expect(text).not.toMatch(/[<>&\u2028\u2029]/);
    expect(JSON.parse(text)).toEqual(value);
  });
});

describe('in Markdown', () => {
  test.each([
    ['a|b', 'a\\|b'],
    ['*bold* _it_ `code`', '\\*bold\\* \\_it\\_ \\`code\\`'],
    ['[x](http://y)', '\\[x\\](http://y)'],
    ['<img src=x>', '&#60;img src=x&#62;'],
    ['@someone $1$', '&#64;someone \\$1\\$'],
    ['# title', '\\# title'],
    ['- item', '\\- item'],
    ['1. item', '1\\. item'],
    ['two\nlines', 'two lines'],
    ['round-robin', 'round-robin'],
  ])('%j is written %j', (text, escaped) => {
    expect(forMarkdown(text)).toBe(escaped);
  });
});
