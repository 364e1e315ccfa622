/** `theory.json`: cases with known answers, and what became of them. */
import { readFileSync } from 'node:fs';

export const tiers = ['core', 'full', 'reference'] as const;
export type Tier = (typeof tiers)[number];

export interface Expected {
  /** Null: infinite, unstable, or at the timeout. */
  readonly value: number | null;
  /** Of a value that was itself simulated. */
  readonly se?: number;
}

export interface Case {
  readonly id: string;
  readonly family: string;
  readonly params: Params;
  readonly expect: Readonly<Record<string, Expected>>;
  readonly tol: { readonly rule: string; readonly rel?: number };
  readonly tier: Tier;
  readonly plan?: { readonly requests_for_1pct_95ci?: Readonly<Record<string, number>> };
}

/** Each family has its own; adapters say what they read. */
export type Params = Readonly<Record<string, unknown>>;

export const verdicts = ['pass', 'fail', 'not-covered'] as const;

export interface Row {
  readonly id: string;
  readonly family: string;
  readonly metric: string;
  readonly expected: number | null;
  readonly observed: number | null;
  readonly se: number | null;
  /** Difference over its standard error, on the normal scale; null where there is no error to compare with. */
  readonly z: number | null;
  readonly verdict: (typeof verdicts)[number];
}

export const readCases = (file: string): readonly Case[] =>
  (JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Case[] }).cases;

/** `full` includes `core`; `reference` stands apart: values that were simulated, or printed by others. */
export const inTier = (each: Case, tier: Tier): boolean => each.tier === tier || (tier === 'full' && each.tier === 'core');

export function numberOf(params: Params, key: string): number {
  const value = params[key];
  if (typeof value !== 'number') throw new Error(`${key} should be a number, found ${JSON.stringify(value)}`);
  return value;
}

export function textOf(params: Params, key: string): string {
  const value = params[key];
  if (typeof value !== 'string') throw new Error(`${key} should be a text, found ${JSON.stringify(value)}`);
  return value;
}
