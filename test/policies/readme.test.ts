/** The table of policies in `src/policies/README.md` says what the definitions say. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { families } from '../../src/policies/index.ts';
import { policyTable } from './readme-table.ts';

const readme = readFileSync(resolve(import.meta.dirname, '../../src/policies/README.md'), 'utf8');

describe('the README of the policies', () => {
  it.each(Object.keys(families) as (keyof typeof families)[])(
    'lists the family of %s as its definitions describe it',
    (family) => {
      // If this fails, replace the table by the expected text.
      expect(unpadded(readme)).toContain(policyTable(families[family]));
    },
  );
});

/** Without the spaces and dashes that line columns up. */
const unpadded = (markdown: string): string => markdown.replaceAll(/ +\|/g, ' |').replaceAll(/\| -+(?= \|)/g, '| ---');
