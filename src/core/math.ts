/** Elementary functions in plain arithmetic: `log`, `exp`, `pow`, `sin`, `cos`, `log1p`, `expm1`.
 *
 *  Use them instead of the ones on `Math` wherever a result depends on the value. ECMAScript leaves the built-ins approximate, and
 *  engines differ: `Math.pow` changed between Node 22 and 24, and on arm64 a compiler that fuses multiply and add changes the last
 *  bit of `log`, `exp` and `sin`. Only + − × ÷, square root and integer operations are exact everywhere, and these functions use
 *  nothing else, so their bits are the same on every machine. Errors stay below 1 unit in the last place; special values are those
 *  of ECMAScript.
 *
 *  Algorithms and minimax coefficients: fdlibm (K. C. Ng, Sun Microsystems, 1993), with the shorter final sums of its descendant
 *  in musl libc. The reduction of large angles is exact integer arithmetic. */

export function log(x: number): number {
  let exponent = 0;
  if (!(x >= smallestNormal)) {
    if (x === 0) return -Infinity;
    if (!(x > 0)) return NaN;
    x *= two54;
    exponent = -54;
  } else if (x === Infinity) {
    return x;
  }
  // x = 2^exponent · (1 + f) with 1 + f between sqrt(1/2) and sqrt(2).
  const shift = nearestExponent(x);
  return logOfReduced(x * powersOfTwo[POWER_ZERO - shift] - 1, exponent + shift, 0);
}

/** log(1 + x), accurate where x is small. */
export function log1p(x: number): number {
  if (!(x > -1)) return x === -1 ? -Infinity : NaN;
  if (x === Infinity || Math.abs(x) < two54Inverse) return x;
  if (x > -0.2928932188134524 && x < 0.41421356237309503) return logOfReduced(x, 0, 0);
  const sum = 1 + x;
  const exponent = nearestExponent(sum);
  // What the addition rounded away, as a correction to the logarithm.
  const lost = exponent < 54 ? (exponent >= 2 ? 1 - (sum - x) : x - (sum - 1)) / sum : 0;
  return logOfReduced(sum * powersOfTwo[POWER_ZERO - exponent] - 1, exponent, lost);
}

/** k for which x / 2^k lies between sqrt(1/2) and sqrt(2); x is normal and positive. */
function nearestExponent(x: number): number {
  double[0] = x;
  return (words[HIGH] - sqrtHalfHigh) >> 20;
}

/** exponent · ln 2 + log(1 + f) + correction, for f between sqrt(1/2) − 1 and sqrt(2) − 1.
 *  With s = f / (2 + f), log(1 + f) = 2s + s · R(s²). */
function logOfReduced(f: number, exponent: number, correction: number): number {
  const halfSquare = 0.5 * f * f;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const odd =
    z * (6.66666666666673513e-1 + w * (2.857142874366239149e-1 + w * (1.818357216161805012e-1 + w * 1.479819860511658591e-1)));
  const even = w * (3.99999999994094190838e-1 + w * (2.222219843214978396e-1 + w * 1.531383769920937332e-1));
  return s * (halfSquare + (odd + even)) + (exponent * ln2Low + correction) - halfSquare + f + exponent * ln2High;
}

export function exp(x: number): number {
  if (!(x > -745.1332191019412)) return x !== x ? x : 0;
  if (x > 709.782712893384) return Infinity;
  const size = Math.abs(x);
  if (size < 3.725290298461914e-9) return 1 + x;
  // x = k · ln 2 + (high − low), the remainder at most ln 2 / 2 in size.
  let k = 0;
  let high = x;
  let low = 0;
  if (size > 0.34657359027997264) {
    k = Math.floor(inverseLn2 * x + 0.5);
    high = x - k * ln2High;
    low = k * ln2Low;
  }
  const r = high - low;
  const c = expRational(r);
  const y = 1 + ((r * c) / (2 - c) - low + high);
  return k === 0 ? y : timesPowerOfTwo(y, k);
}

/** The rational part of exp on a reduced argument: exp(r) ≈ 1 + r + r·c / (2 − c). */
function expRational(r: number): number {
  const t = r * r;
  return (
    r -
    t *
      (1.66666666666666019037e-1 +
        t *
          (-2.77777777770155933842e-3 +
            t * (6.61375632143793436117e-5 + t * (-1.6533902205465251539e-6 + t * 4.13813679705723846039e-8))))
  );
}

/** exp(x) − 1, accurate where x is small. */
export function expm1(x: number): number {
  const size = Math.abs(x);
  if (x !== x || size < two54Inverse) return x;
  if (x < -38.816242) return -1;
  if (x > 709.782712893384) return Infinity;
  let k = 0;
  let r = x;
  let lost = 0;
  if (size > 0.34657359027997264) {
    k = size < 1.0397207708399179 ? (x < 0 ? -1 : 1) : Math.floor(inverseLn2 * x + 0.5);
    const high = x - k * ln2High;
    const low = k * ln2Low;
    r = high - low;
    lost = high - r - low;
  }
  const halfR = 0.5 * r;
  const halfSquare = r * halfR;
  const q =
    1 +
    halfSquare *
      (-3.33333333333331316428e-2 +
        halfSquare *
          (1.58730158725481460165e-3 +
            halfSquare *
              (-7.93650757867487942473e-5 + halfSquare * (4.00821782732936239552e-6 + halfSquare * -2.01099218183624371326e-7))));
  const t = 3 - q * halfR;
  let e = halfSquare * ((q - t) / (6 - r * t));
  if (k === 0) return r - (r * e - halfSquare);
  e = r * (e - lost) - lost - halfSquare;
  if (k === -1) return 0.5 * (r - e) - 0.5;
  if (k === 1) return r < -0.25 ? -2 * (e - (r + 0.5)) : 1 + 2 * (r - e);
  if (k < 0 || k > 56) return timesPowerOfTwo(r - e + 1, k) - 1;
  const inverse = timesPowerOfTwo(1, -k);
  return k < 20 ? timesPowerOfTwo(r - e + (1 - inverse), k) : timesPowerOfTwo(r - (e + inverse) + 1, k);
}

/** x to the power y, with the special values of ECMAScript: pow(x, 0) is 1 for every x, pow(±1, ±Infinity) is NaN. */
export function pow(x: number, y: number): number {
  if (y === 0) return 1;
  if (x !== x || y !== y) return NaN;
  if (y === 1) return x;
  const size = Math.abs(x);
  if (y === Infinity || y === -Infinity) return size === 1 ? NaN : size > 1 === y > 0 ? Infinity : 0;
  const negative = (x < 0 || (x === 0 && 1 / x < 0)) && Math.abs(y % 2) === 1;
  if (size === 0 || size === Infinity) {
    const magnitude = (size === 0) === y > 0 ? 0 : Infinity;
    return negative ? -magnitude : magnitude;
  }
  if (x < 0 && Math.floor(y) !== y) return NaN;
  if (y === 2) return x * x;
  if (y === 0.5) return Math.sqrt(x);
  if (y === -1) return 1 / x;
  if (size === 1) return negative ? -1 : 1;
  const magnitude = powOfPositive(size, y);
  return negative ? -magnitude : magnitude;
}

/** 2^(y · log2 x) with log2 x held in two doubles, so that its error stays small after the multiplication by y. */
function powOfPositive(x: number, y: number): number {
  let logHead: number;
  let logTail: number;
  if (Math.abs(y) > 2147483648) {
    // Only an x next to 1 gives a finite power other than 0 here, and its logarithm is a short series.
    if (x < 0.9999990463256836 || x > 1.0000009536743164) return x > 1 === y > 0 ? Infinity : 0;
    if (Math.abs(y) > 18446744073709551616) return x > 1 === y > 0 ? Infinity : 0;
    const t = x - 1;
    const w = t * t * (0.5 - t * (0.3333333333333333 - t * 0.25));
    const u = inverseLn2Head * t;
    const v = t * inverseLn2Tail - w * inverseLn2;
    logHead = head(u + v);
    logTail = v - (logHead - u);
  } else {
    let exponent = 0;
    if (x < smallestNormal) {
      x *= two53;
      exponent = -53;
    }
    double[0] = x;
    const shift = (words[HIGH] >> 20) - 1023;
    exponent += shift;
    let a = x * powersOfTwo[POWER_ZERO - shift];
    // Reduce to a mantissa around 1 or around 1.5, whichever is near.
    let around = 1;
    if (a > 1.7320508075688772) {
      a *= 0.5;
      exponent += 1;
    } else if (a > 1.224744871391589) around = 1.5;
    // s = (a − around) / (a + around) in two parts.
    const u = a - around;
    const v = 1 / (a + around);
    const s = u * v;
    const sHead = head(s);
    const sumHead = head(a + around);
    const sumTail = a - (sumHead - around);
    const sTail = v * (u - sHead * sumHead - sHead * sumTail);
    // log(a / around) = 2s + (2/3)s³ + …, written as (2/3) · s · (3 + s² + …).
    const s2 = s * s;
    const series =
      s2 *
        s2 *
        (5.99999999999994648725e-1 +
          s2 *
            (4.28571428578550184252e-1 +
              s2 *
                (3.33333329818377432918e-1 +
                  s2 * (2.72728123808534006489e-1 + s2 * (2.30660745775561754067e-1 + s2 * 2.06975017800338417784e-1))))) +
      sTail * (sHead + s);
    const sHeadSquare = sHead * sHead;
    const factorHead = head(3 + sHeadSquare + series);
    const factorTail = series - (factorHead - 3 - sHeadSquare);
    const productLead = sHead * factorHead;
    const productRest = sTail * factorHead + factorTail * s;
    const productHead = head(productLead + productRest);
    const productTail = productRest - (productHead - productLead);
    // Times 2 / (3 ln 2), plus log2 of 1 or 1.5, plus the exponent.
    const scaledHead = 9.61796700954437255859e-1 * productHead;
    const baseTail = around === 1.5 ? 1.35003920212974897128e-8 : 0;
    const scaledTail = -7.02846165095275826516e-9 * productHead + productTail * 9.61796693925975554329e-1 + baseTail;
    const base = around === 1.5 ? 5.84962487220764160156e-1 : 0;
    logHead = head(scaledHead + scaledTail + base + exponent);
    logTail = scaledTail - (logHead - exponent - base - scaledHead);
  }
  const yHead = head(y);
  const tail = (y - yHead) * logHead + y * logTail;
  let lead = yHead * logHead;
  const power = tail + lead;
  if (power >= 1024 && (power > 1024 || tail + overflowMargin > power - lead)) return Infinity;
  if (power <= -1075 && (power < -1075 || tail <= power - lead)) return 0;
  let k = 0;
  if (Math.abs(power) > 0.5) {
    k = Math.floor(power + 0.5);
    lead -= k;
  }
  const t = head(tail + lead);
  const u = t * 6.93147182464599609375e-1;
  const v = (tail - (t - lead)) * ln2 + t * -1.90465429995776804525e-9;
  const z = u + v;
  const w = v - (z - u);
  const c = expRational(z);
  return timesPowerOfTwo(1 - ((z * c) / (c - 2) - (w + z * w) - z), k);
}

export function sin(x: number): number {
  if (Math.abs(x) < quarterPi) return Math.abs(x) < 1.4901161193847656e-8 ? x : sinKernel(x, 0);
  const quadrant = reduceAngle(x);
  if (quadrant < 0) return NaN;
  const value = (quadrant & 1) === 0 ? sinKernel(angle[0], angle[1]) : cosKernel(angle[0], angle[1]);
  return (quadrant & 2) === 0 ? value : -value;
}

export function cos(x: number): number {
  if (Math.abs(x) < quarterPi) return cosKernel(x, 0);
  const quadrant = reduceAngle(x);
  if (quadrant < 0) return NaN;
  const value = (quadrant & 1) === 0 ? cosKernel(angle[0], angle[1]) : sinKernel(angle[0], angle[1]);
  return quadrant === 0 || quadrant === 3 ? value : -value;
}

/** sin(x + tail) for |x| up to pi/4. */
function sinKernel(x: number, tail: number): number {
  const z = x * x;
  const r =
    8.33333333332248946124e-3 +
    z *
      (-1.98412698298579493134e-4 +
        z * (2.75573137070700676789e-6 + z * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10)));
  const cube = z * x;
  return x - (z * (0.5 * tail - cube * r) - tail + cube * 1.66666666666666324348e-1);
}

/** cos(x + tail) for |x| up to pi/4. */
function cosKernel(x: number, tail: number): number {
  const z = x * x;
  const w = z * z;
  const r =
    z * (4.16666666666666019037e-2 + z * (-1.38888888888741095749e-3 + z * 2.48015872894767294178e-5)) +
    w * w * (-2.75573143513906633035e-7 + z * (2.0875723212981748279e-9 + z * -1.13596475577881948265e-11));
  const half = 0.5 * z;
  const lead = 1 - half;
  return lead + (1 - lead - half + (z * r - x * tail));
}

/** Leaves x minus the nearest multiple of pi/2 in `angle` (head and tail) and returns that multiple modulo 4; −1 for NaN and infinities. */
function reduceAngle(x: number): number {
  const size = Math.abs(x);
  if (!(size < Infinity)) return -1;
  // 2^20 quarter turns: up to here a multiple has at most 20 bits, and its product with a 33-bit piece of pi/2 is exact.
  if (size > 1647099) return reduceHugeAngle(x);
  const turns = Math.floor(x * 0.6366197723675814 + 0.5);
  let rest = x - turns * 1.57079632673412561417;
  let correction = turns * 6.07710050650619224932e-11;
  angle[0] = rest - correction;
  // Cancellation eats bits near a multiple of pi/2; each further piece of pi/2 brings 33 more.
  if (Math.abs(angle[0]) < size * 1.52587890625e-5) {
    let before = rest;
    let piece = turns * 6.0771005063039659766e-11;
    rest = before - piece;
    correction = turns * 2.02226624879595063154e-21 - (before - rest - piece);
    angle[0] = rest - correction;
    if (Math.abs(angle[0]) < size * 1.7763568394002505e-15) {
      before = rest;
      piece = turns * 2.0222662487111664558e-21;
      rest = before - piece;
      correction = turns * 8.47842766036889956997e-32 - (before - rest - piece);
      angle[0] = rest - correction;
    }
  }
  angle[1] = rest - angle[0] - correction;
  return turns & 3;
}

/** The same for any size, in exact integers: x · 2/pi modulo 4 from 1,280 bits of 2/pi. Slow, and never on a request's path. */
function reduceHugeAngle(x: number): number {
  double[0] = x;
  const exponent = ((words[HIGH] >> 20) & 0x7ff) - 1075;
  const mantissa = BigInt((words[HIGH] & 0x000fffff) + 0x00100000) * 4294967296n + BigInt(words[LOW] >>> 0);
  const bits = BigInt(1280 - exponent);
  const one = 1n << bits;
  const product = (x < 0 ? -mantissa : mantissa) * twoOverPi;
  const turns = (product + (one >> 1n)) >> bits;
  const rest = ((product - (turns << bits)) * halfPi) >> bits;
  const lead = Number(rest);
  angle[0] = lead * two200Inverse;
  angle[1] = Number(rest - BigInt(lead)) * two200Inverse;
  return Number(turns & 3n);
}

/** y · 2^k for y between 1/2 and 2, rounded once. */
function timesPowerOfTwo(y: number, k: number): number {
  if (k > 1023) return y * 2 * powersOfTwo[POWER_ZERO + k - 1];
  if (k < -POWER_ZERO) return y * 0.5 * powersOfTwo[POWER_ZERO + k + 1];
  return y * powersOfTwo[POWER_ZERO + k];
}

/** The leading 26 bits of x: the product of two heads is exact. Veltkamp's splitting, which needs no detour through memory. */
function head(x: number): number {
  const scaled = x * 134217729;
  return scaled - (scaled - x);
}

/** 2^k at POWER_ZERO + k, from the smallest subnormal to the largest power. Multiplying by one is exact and cheaper than writing an
 *  exponent into a double's bits, which stalls the processor: it waits for the two halves to meet in memory. */
const POWER_ZERO = 1074;
const powersOfTwo = new Float64Array(POWER_ZERO + 1024);
for (let k = 0, power = 1; k < 1024; k++, power *= 2) powersOfTwo[POWER_ZERO + k] = power;
for (let k = 1, power = 0.5; k <= POWER_ZERO; k++, power *= 0.5) powersOfTwo[POWER_ZERO - k] = power;

const double = new Float64Array(1);
const words = new Int32Array(double.buffer);
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;
const LOW = 1 - HIGH;
/** A reduced angle: head and tail. */
const angle = new Float64Array(2);

const ln2 = 6.93147180559945286227e-1;
/** ln 2 in two parts, the first with 21 trailing zero bits so that its product with an exponent is exact. */
const ln2High = 6.9314718036912381649e-1;
const ln2Low = 1.90821492927058770002e-10;
const inverseLn2 = 1.442695040888963387;
const inverseLn2Head = 1.44269502162933349609;
const inverseLn2Tail = 1.92596299112661746887e-8;
/** 1024 − log2(largest double + half a unit): what a power may fall short of 1024 and still round to infinity. */
const overflowMargin = 8.0085662595372944372e-17;
const quarterPi = 0.7853981633974483;
const sqrtHalfHigh = 0x3fe6a09e;
const smallestNormal = 2.2250738585072014e-308;
const two53 = 9007199254740992;
const two54 = 18014398509481984;
const two54Inverse = 5.551115123125783e-17;
const two200Inverse = 6.223015277861142e-61;
/** 2/pi · 2^1280 and pi/2 · 2^200. */
const twoOverPi =
  0xa2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424dd2e006492eea09d1921cfe1deb1cb129a73ee88235f52ebb4484e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980fef2f118b5a0a6d1f6d367ecf27cb09b74f463f669e5fea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6babf0cfbc209af4361dn;
const halfPi = 0x1921fb54442d18469898cc51701b839a252049c1114cf98e804n;
