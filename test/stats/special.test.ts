import { describe, expect, it } from 'vitest';
import {
  incompleteBeta,
  logGamma,
  normalCdf,
  normalQuantile,
  studentCdf,
  studentQuantile,
  studentTwoSided,
} from '../../src/stats/special.ts';

const relative = (got: number, expected: number): number => Math.abs(got / expected - 1);
