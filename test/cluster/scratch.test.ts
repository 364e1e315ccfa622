import { test } from 'vitest';
import { RateCurve } from '../../src/cluster/rate-curve.ts';
test('x', () => {
  let bad = 0, n = 0;
  for (let i = 0; i < 1000; i++) {
    const c = new RateCurve({ timesMs: Float64Array.of(0, 1000), factors: Float64Array.of(1, 0), periodMs: Infinity }, 0.1);
    const t = i + 0.137;
    const r = c.advance(t, 1e-6);
    n++;
    if (!(r >= t && r < 1000)) { bad++; if (bad < 5) console.log(t, r); }
  }
  console.log('bad', bad, n);
  const c = new RateCurve({ timesMs: Float64Array.of(0, 1000), factors: Float64Array.of(1, 0), periodMs: Infinity }, 0.1);
  console.log(c.advance(0, 100));
  const t0 = performance.now();
  try { console.log(c.advance(Infinity, 1)); } catch (e) { console.log(String(e)); }
  console.log(performance.now() - t0);
});
