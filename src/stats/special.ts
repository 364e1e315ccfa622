/** Special functions behind intervals and p-values: the normal and Student's t law, log-gamma, the incomplete beta function.
 *  On `core/math.ts`, so that a verdict does not depend on the machine. */
import { exp, log, log1p, sin } from '../core/math.ts';

/** z with P(N ≤ z) = p: relative error about 1e-15. Wichura's algorithm AS 241 (PPND16, Appl. Statist. 37, 1988). */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return NaN;
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(0.180625 - q * q, centreNumerator, centreDenominator);
  const tail = Math.min(p, 1 - p);
  if (tail === 0) return q < 0 ? -Infinity : Infinity;
  const r = Math.sqrt(-log(tail));
  const z = r <= 5 ? ratio(r - 1.6, middleNumerator, middleDenominator) : ratio(r - 5, farNumerator, farDenominator);
  return q < 0 ? -z : z;
}

/** P(N ≤ z). Below a size of 3 the series in z, beyond it Laplace's continued fraction; relative error below 1e-13 in both tails. */
export function normalCdf(z: number): number {
  if (z !== z) return NaN;
  const size = Math.abs(z);
  const density = exp(-0.5 * size * size) * 0.3989422804014327;
  if (size < 3) {
    // Φ(z) = 1/2 + φ(z) · (z + z³/3 + z⁵/(3·5) + …): all terms have one sign.
    let term = z;
    let sum = z;
    for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
      term *= (z * z) / k;
      sum += term;
    }
    return 0.5 + density * sum;
  }
  // The upper tail is φ(z) / (z + 1/(z + 2/(z + 3/(z + …)))); sixty levels suffice from 3 on.
  let fraction = size;
  for (let k = 60; k > 0; k--) fraction = size + k / fraction;
  const tail = size === Infinity ? 0 : density / fraction;
  return z < 0 ? tail : 1 - tail;
}

/** log |Γ(x)|: error about 1e-15 · max(1, |result|). Lanczos' series with g = 607/128 (coefficients by P. Godfrey, 2001). */
export function logGamma(x: number): number {
  if (x <= 0 && Math.floor(x) === x) return Infinity;
  if (x < 0.5) return log(3.141592653589793 / Math.abs(sin(3.141592653589793 * x))) - logGamma(1 - x);
  const y = x - 1;
  let sum = lanczos[0];
  for (let k = 1; k < lanczos.length; k++) sum += lanczos[k] / (y + k);
  const base = y + 5.2421875;
  return (y + 0.5) * log(base) - base + 0.9189385332046728 + log(sum);
}

/** I_x(a, b), the distribution function of the beta law: the share of its mass up to x. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (!(x > 0)) return x === 0 ? 0 : NaN;
  if (x >= 1) return x === 1 ? 1 : NaN;
  return betaShare(x, 1 - x, a, b);
}

/** The same with 1 − x given too, which keeps its digits where x is near 1. Continued fraction by Lentz's method, on the side where it
 *  converges fast (Numerical Recipes §6.4). */
function betaShare(x: number, rest: number, a: number, b: number): number {
  const logX = x < 0.5 ? log(x) : log1p(-rest);
  const logRest = rest < 0.5 ? log(rest) : log1p(-x);
  const front = exp(a * logX + b * logRest - logBeta(a, b));
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(rest, b, a)) / b;
}

/** log of Γ(a)·Γ(b) / Γ(a + b). Where one argument is large, the difference of its two logarithms comes from Stirling's series term by
 *  term: subtracting them as a whole would leave few digits. */
function logBeta(a: number, b: number): number {
  const large = Math.max(a, b);
  const small = Math.min(a, b);
  if (large < 20) return logGamma(a) + logGamma(b) - logGamma(a + b);
  const sum = large + small;
  const growth = (sum - 0.5) * log1p(small / large) - small + small * log(large) + stirlingRest(sum) - stirlingRest(large);
  return logGamma(small) - growth;
}

/** log Γ(x) less (x − 1/2) log x − x + log(2π)/2, for x from 20. */
function stirlingRest(x: number): number {
  const s = 1 / (x * x);
  return (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s / 1188)))) / x;
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1), tiny);
  let value = d;
  for (let m = 1; m <= 1000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d, tiny);
    c = nonZero(1 + even / c, tiny);
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d, tiny);
    c = nonZero(1 + odd / c, tiny);
    const step = d * c;
    value *= step;
    if (Math.abs(step - 1) < 1e-16) break;
  }
  return value;
}

const nonZero = (value: number, tiny: number): number => (Math.abs(value) < tiny ? tiny : value);

/** P(T ≤ t) for Student's t with `df` degrees of freedom, which need not be whole. */
export function studentCdf(t: number, df: number): number {
  if (t !== t || !(df > 0)) return NaN;
  const tail = studentTail(Math.abs(t), df);
  return t < 0 ? tail : 1 - tail;
}

/** P(|T| ≥ |t|), without loss of precision far out. */
export function studentTwoSided(t: number, df: number): number {
  return 2 * studentTail(Math.abs(t), df);
}

/** P(T > t) for t ≥ 0. */
function studentTail(t: number, df: number): number {
  if (df === Infinity) return normalCdf(-t);
  if (t === 0) return 0.5;
  if (t === Infinity) return 0;
  const square = t * t;
  return 0.5 * betaShare(df / (df + square), square / (df + square), df / 2, 0.5);
}

/** t with P(T ≤ t) = p. Starts from the normal quantile and inverts the distribution function by bracketed Newton steps. */
export function studentQuantile(p: number, df: number): number {
  if (!(p >= 0 && p <= 1) || !(df > 0)) return NaN;
  if (p === 0.5) return 0;
  const tail = Math.min(p, 1 - p);
  if (tail === 0) return p < 0.5 ? -Infinity : Infinity;
  const sign = p < 0.5 ? -1 : 1;
  if (df === Infinity) return sign * -normalQuantile(tail);
  let low = 0;
  let high = Math.max(1, -normalQuantile(tail));
  while (studentTail(high, df) > tail) {
    low = high;
    high *= 2;
  }
  const logFactor = logGamma((df + 1) / 2) - logGamma(df / 2) - 0.5 * log(df * 3.141592653589793);
  let t = (low + high) / 2;
  for (let step = 0; step < 100; step++) {
    const excess = studentTail(t, df) - tail;
    if (excess > 0) low = t;
    else high = t;
    const density = exp(logFactor - ((df + 1) / 2) * log1p((t * t) / df));
    const newton = t + excess / density;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - t) <= 1e-15 * t) return sign * next;
    t = next;
  }
  return sign * t;
}

function ratio(x: number, numerator: readonly number[], denominator: readonly number[]): number {
  let top = 0;
  let bottom = 0;
  for (const coefficient of numerator) top = top * x + coefficient;
  for (const coefficient of denominator) bottom = bottom * x + coefficient;
  return top / bottom;
}

/** Coefficients of AS 241, highest power first. */
const centreNumerator = [
  2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457, 13731.693765509461125,
  1971.5909503065514427, 133.14166789178437745, 3.387132872796366608,
];
const centreDenominator = [
  5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867, 5394.1960214247511077,
  687.1870074920579083, 42.313330701600911252, 1,
];
const middleNumerator = [
  7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258, 3.64784832476320460504,
  5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734,
];
const middleDenominator = [
  1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459, 0.68976733498510000455,
  1.6763848301838038494, 2.05319162663775882187, 1,
];
const farNumerator = [
  2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093, 0.29656057182850489123,
  1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772,
];
const farDenominator = [
  2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
  0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1,
];
const lanczos = [
  0.99999999999999709182, 57.156235665862923517, -59.597960355475491248, 14.136097974741747174, -0.49191381609762019978,
  0.33994649984811888699e-4, 0.46523628927048575665e-4, -0.98374475304879564677e-4, 0.15808870322491248884e-3,
  -0.21026444172410488319e-3, 0.2174396181152126432e-3, -0.16431810653676389022e-3, 0.84418223983852743293e-4,
  -0.2619083840158140867e-4, 0.36899182659531622704e-5,
];
