/** Writing the cases as a user would: 1 unit of time, the mean service time, is 10 ms. */
export const UNIT_MS = 10;

/** Without an exponent, to 14 digits. */
export function digits(value: number): string {
  const text = String(Number(value.toPrecision(14)));
  return text.includes('e') ? value.toFixed(20).replace(/\.?0+$/, '') : text;
}

/** A time of the case. */
export const duration = (units: number): string => `${digits(units * UNIT_MS)}ms`;
/** A rate per unit of the case. */
export const rate = (perUnit: number): string => `${digits((perUnit * 1000) / UNIT_MS)}/s`;

/** The service time the case names, with this mean. Undefined where the file format has no such law. */
export function workLaw(law: string, mean = 1): string | undefined {
  const written = `mean: ${duration(mean)}`;
  const [name, parameter] = splitLaw(law);
  switch (name) {
    case 'exp':
      return `{ type: exponential, ${written} }`;
    case 'det':
      return duration(mean);
    case 'erlang':
      return `{ type: erlang, k: ${parameter}, ${written} }`;
    case 'h2':
      return `{ type: hyperexponential, ${written}, cv2: ${parameter} }`;
    case 'lognormal':
      return `{ type: lognormal, ${written}, cv: ${digits(Math.sqrt(Number(parameter)))} }`;
    case 'pareto':
      return `{ type: pareto, shape: ${parameter}, ${written} }`;
    case 'weibull':
      return `{ type: weibull, shape: ${parameter}, ${written} }`;
    case 'uniform': {
      const [min, max] = parameter.split(',').map(Number);
      return `{ type: uniform, min: ${duration(min * mean)}, max: ${duration(max * mean)} }`;
    }
    case 'bimodal': {
      const values = parameter.split(',').map((each) => {
        const [share, value] = each.split(':').map(Number);
        return `{ value: ${duration(value * mean)}, share: ${share} }`;
      });
      return `{ type: discrete, values: [${values.join(', ')}] }`;
    }
    default:
      return undefined;
  }
}

/** Times between arrivals with the named law. Undefined where the file format has no such arrivals. */
export function arrivalLaw(law: string, perUnit: number): string | undefined {
  const written = `rate: ${rate(perUnit)}`;
  const [name, parameter] = splitLaw(law);
  switch (name) {
    case 'exp':
      return `{ type: poisson, ${written} }`;
    case 'det':
      return `{ type: constant, ${written} }`;
    case 'erlang':
      return `{ type: gamma, ${written}, shape: ${parameter} }`;
    case 'h2':
      return `{ type: hyperexponential, ${written}, cv2: ${parameter} }`;
    case 'weibull':
      return `{ type: weibull, ${written}, shape: ${parameter} }`;
    default:
      return undefined;
  }
}

/** `h2-scv4` is h2 with 4, `erlang-2` erlang with 2, `uniform(0,2)` uniform with 0,2. */
function splitLaw(law: string): readonly [string, string] {
  const [, name = law, inParentheses, afterDash = ''] = /^([a-z]+\d?)(?:\(([^)]*)\)|-(?:scv)?(.+))?$/.exec(law) ?? [];
  return [name, inParentheses ?? afterDash];
}
