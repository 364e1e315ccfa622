/** The policies' table of the benchmark: nanoseconds per pick of every balancer at 10, 100, 1,000 and 10,000 endpoints, and whether the
 *  cost grows as the policy says it does. One process per balancer, since one that has seen several classes runs slower code; the
 *  driver's own time is measured the same way and taken off. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const sizes = [10, 100, 1000, 10_000];
const child = fileURLToPath(new URL('pick.mjs', import.meta.url));

/** Rows of `{ policy, endpoints, nsPerPick }`, in the order of the table of balancers. */
export async function measurePolicies({ isQuick = false, onProgress = () => undefined } = {}) {
  const balancers = await balancersOfBuild();
  const names = Object.keys(balancers);
  const driver = measure('none', isQuick);
  return names.flatMap((policy, i) => {
    onProgress(policy, i + 1, names.length);
    const own = (ns) => ns.map((each, at) => Math.max(0, Math.round((each - driver[at]) * 10) / 10));
    let ns = measure(policy, isQuick);
    // A neighbour on the machine can slow down one size and not another: a mark has to be earned three times.
    for (let again = 0; again < 2 && growth(own(ns), balancers[policy].cost) !== ''; again++) {
      const other = measure(policy, isQuick);
      ns = ns.map((each, at) => Math.min(each, other[at]));
    }
    return sizes.map((endpoints, at) => ({ policy, endpoints, nsPerPick: own(ns)[at] }));
  });
}

/** By size, the driver's share included. Where weights make another algorithm of a policy, the dearer one counts. */
function measure(name, isQuick) {
  const args = [child, name, sizes.join(), isQuick ? 1 : 5];
  const weightings = Object.values(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })));
  return sizes.map((_, at) => Math.max(...weightings.map((ns) => ns[at])));
}

/** The table as text, with a mark on each policy that grows faster than it says. */
export async function formatPolicies(rows) {
  const balancers = await balancersOfBuild();
  const policies = [...new Set(rows.map((row) => row.policy))];
  const lines = policies.map((policy) => {
    const ns = sizes.map((endpoints) => rows.find((row) => row.policy === policy && row.endpoints === endpoints).nsPerPick);
    return [
      policy,
      ...ns.map((each) => each.toFixed(each < 100 ? 1 : 0)),
      balancers[policy].cost,
      growth(ns, balancers[policy].cost),
    ];
  });
  const header = ['ns per pick at endpoints', ...sizes.map((size) => size.toLocaleString('en')), 'cost', ''];
  const widths = header.map((name, i) => Math.max(name.length, ...lines.map((line) => line[i].length)));
  const isNumber = (i) => i > 0 && i <= sizes.length;
  const text = [header, ...lines].map((line) =>
    line
      .map((cell, i) => (isNumber(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd(),
  );
  return `${text.join('\n')}\n\n${note}\n`;
}

const note = `All that a request costs the policy: pick, onStart, onEnd, probes, reports, timers; with unequal weights where they cost more.
Least of several batches of processor time, the driver's share taken off, one process each; Node ${process.version}`;

/** A pick that takes less at ten endpoints does so because the processor has learnt ten endpoints by heart. */
const resolutionNs = 20;

/** `GROWS 12x` when the cost from the fewest to the most endpoints grows more than what the definition says allows. */
function growth(ns, cost) {
  const allowed = allowedGrowth(cost);
  const times = ns.at(-1) / Math.max(ns[0], resolutionNs);
  return times > allowed ? `GROWS ${times.toFixed(1)}x, ${allowed}x is allowed` : '';
}

/** From 10 to 10,000 endpoints a logarithm grows 4 times; the rest is for memory, which gets slower as there is more of it. */
function allowedGrowth(cost) {
  const perPick = cost.split(';').filter((part) => !/\bper (change|update)\b|\bbuild/.test(part));
  const orders = [...perPick.join().matchAll(/O\(([^)]*)\)/g)].map(([, order]) => order);
  if (orders.some((order) => /\bn\b/.test(order) && !/^log n$/.test(order))) return Infinity;
  // Points of a ring and nodes of a tree are so many per endpoint.
  return orders.some((order) => order.startsWith('log ')) ? 8 : 4;
}

async function balancersOfBuild() {
  const { balancers } = await import('../../dist/policies/balancing/index.js');
  return balancers;
}
