/** Exponential and normal variates by the ziggurat method: 256 layers of equal area cover the density, and a point of a random layer
 *  is accepted at once in about 98.9 % of draws, so that a logarithm is hardly ever needed.
 *
 *  Each try draws two words: 53 bits for the place, 8 other bits for the layer, 1 for the sign (Marsaglia and Tsang's original shares
 *  bits between place and layer, which Doornik showed to be visible). Wedges and tails draw more, so the number of words varies.
 *
 *  After G. Marsaglia and W. W. Tsang (J. Stat. Softw. 5(8), 2000) and J. A. Doornik, "An improved ziggurat method" (2005). */
import { exp, log } from '../core/math.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';

/** Mean 1. */
export function exponential(rng: Xoshiro128): number {
  let shift = 0;
  for (;;) {
    const word = rng.uint32();
    const layer = word & 255;
    const place = rng.uint32() * 2097152 + (word >>> 11);
    const x = place * expScale[layer];
    if (place < expInside[layer]) return x + shift;
    // The law has no memory: beyond the edge of the base layer it starts again.
    if (layer === 0) shift += expEdge;
    else if (expHeight[layer] + rng.next() * (expHeight[layer + 1] - expHeight[layer]) < exp(-x)) return x + shift;
  }
}

/** Mean 0, standard deviation 1. */
export function normal(rng: Xoshiro128): number {
  for (;;) {
    const word = rng.uint32();
    const layer = word & 255;
    const place = rng.uint32() * 2097152 + (word >>> 11);
    const x = place * normalScale[layer];
    const negative = (word & 256) !== 0;
    if (place < normalInside[layer]) return negative ? -x : x;
    if (layer === 0) return negative ? -normalTail(rng) : normalTail(rng);
    if (normalHeight[layer] + rng.next() * (normalHeight[layer + 1] - normalHeight[layer]) < exp(-0.5 * x * x))
      return negative ? -x : x;
  }
}

/** A normal variate given that it exceeds the edge: an exponential proposal, accepted by the quadratic term (Marsaglia 1964). */
function normalTail(rng: Xoshiro128): number {
  for (;;) {
    const beyond = exponential(rng) / normalEdge;
    if (2 * exponential(rng) > beyond * beyond) return normalEdge + beyond;
  }
}

const layers = 256;
/** Where the base layer ends and the area of each layer, for which 256 layers close exactly at the top. */
const expEdge = 7.697117470131049714;
const expArea = 3.94965982258155722e-3;
const normalEdge = 3.654152885361008772;
const normalArea = 4.928673233974655347e-3;

/** Per layer: units of place to x; places that need no further test; the density at the layer's lower edge. */
const expScale = new Float64Array(layers);
const expInside = new Float64Array(layers);
const expHeight = new Float64Array(layers + 1);
const normalScale = new Float64Array(layers);
const normalInside = new Float64Array(layers);
const normalHeight = new Float64Array(layers + 1);

fill(
  expEdge,
  expArea,
  (x) => exp(-x),
  (y) => -log(y),
  expScale,
  expInside,
  expHeight,
);
fill(
  normalEdge,
  normalArea,
  (x) => exp(-0.5 * x * x),
  (y) => Math.sqrt(-2 * log(y)),
  normalScale,
  normalInside,
  normalHeight,
);

function fill(
  edge: number,
  area: number,
  density: (x: number) => number,
  inverse: (y: number) => number,
  scale: Float64Array,
  inside: Float64Array,
  height: Float64Array,
): void {
  const two53 = 9007199254740992;
  // The base layer is as wide as a rectangle of its height would have to be to hold the tail too.
  let width = area / density(edge);
  let inner = edge;
  for (let layer = 0; layer < layers; layer++) {
    scale[layer] = width / two53;
    inside[layer] = (inner / width) * two53;
    height[layer] = layer === 0 ? 0 : density(width);
    width = inner;
    inner = layer < layers - 2 ? inverse(density(width) + area / width) : 0;
  }
  height[layers] = 1;
}
