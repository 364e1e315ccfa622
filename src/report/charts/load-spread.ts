/** Is the load fair: requests served by each instance, relative to the mean; of instances that come and go, per time that they exist. */
import type { RunFile, VariantResult } from '../../lab/types.ts';
import type { InstanceData } from '../../stats/result.ts';
import { isNumber, significant } from '../format.ts';
import { ink, variantColor } from './palette.ts';
import { chart, labelsWidth, plotWidth, rounded, short, type ChartSpec, type Part, type Row } from './spec.ts';

/** More ticks than this on one line cannot be told apart. */
const maxTicks = 200;

export function loadSpread(run: RunFile): ChartSpec {
  const spreads = run.variants.map((variant) => ({ variant, shares: relativeLoads(variant.instances) }));
  const rows: Row[] = spreads.flatMap(({ variant, shares }) =>
    thin(shares).map(({ instance, share }) => ({
      variant: variant.label,
      instance: instance.id,
      zone: instance.zone,
      served: rounded(instance.served),
      relative: rounded(share),
    })),
  );
  const notes: Row[] = spreads.flatMap(({ variant, shares }) =>
    shares.length === 0 ? [] : [{ variant: variant.label, text: spreadText(shares) }],
  );
  const values = rows.map((row) => row.relative as number);
  const reach = Math.max(0.02, 1 - Math.min(...values), Math.max(...values) - 1) * 1.08;
  const width = plotWidth - labelsWidth(run) - 210;
  const y: Part = {
    field: 'variant',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { domain: false, ticks: false, labelPadding: 8 },
  };
  return chart(
    {
      title: furthest(spreads.map(({ variant, shares }) => ({ label: short(variant.label), shares }))),
      subtitle: `One mark per instance: requests served${run.variants.some(comesAndGoes) ? ' per time that it existed' : ''}, relative to the mean over the instances of its service; 1 is an even share. Right: smallest, largest (max/mean), and Jain’s index of fairness.`,
    },
    { served: rows, spread: notes },
    {
      width,
      height: { step: 28 },
      layer: [
        { data: { values: [{}] }, mark: { type: 'rule', color: ink.line }, encoding: { x: { datum: 1 } } },
        {
          data: { name: 'served' },
          mark: { type: 'tick', thickness: 2, size: 18, opacity: 0.6 },
          encoding: {
            x: {
              field: 'relative',
              type: 'quantitative',
              title: 'requests served, relative to the mean',
              scale: { domain: [rounded(Math.max(0, 1 - reach)), rounded(1 + reach)], nice: false, zero: false },
              axis: { tickCount: 7, format: '.4~g' },
            },
            y,
            color: variantColor(run, null),
            tooltip: [
              { field: 'variant', type: 'nominal' },
              { field: 'instance', type: 'nominal' },
              { field: 'zone', type: 'nominal' },
              { field: 'served', type: 'quantitative', format: ',.0f' },
              { field: 'relative', type: 'quantitative', title: 'relative to the mean', format: '.3f' },
            ],
          },
        },
        {
          data: { name: 'spread' },
          mark: { type: 'text', align: 'left', baseline: 'middle', dx: 12, fontSize: 11, color: ink.normal },
          encoding: { x: { value: width }, y, text: { field: 'text', type: 'nominal' } },
        },
      ],
    },
  );
}

export const severalInstances = (run: RunFile): boolean =>
  run.variants.some((variant) => variant.instances.length > 1 && variant.instances.some((instance) => instance.served > 0));

interface Load {
  readonly instance: InstanceData;
  readonly share: number;
}

const comesAndGoes = ({ instances }: VariantResult): boolean => instances.some(({ existedMs }) => existedMs !== undefined);

/** Ascending. */
function relativeLoads(instances: readonly InstanceData[]): Load[] {
  const totals = new Map<string, { sum: number; weight: number }>();
  for (const { service, served, existedMs = 1 } of instances) {
    const total = totals.get(service) ?? { sum: 0, weight: 0 };
    totals.set(service, { sum: total.sum + served, weight: total.weight + existedMs });
  }
  return instances
    .map((instance) => {
      const { sum, weight } = totals.get(instance.service)!;
      return { instance, share: (instance.served * weight) / (sum * (instance.existedMs ?? 1)) };
    })
    .filter(({ share }) => isNumber(share))
    .sort((a, b) => a.share - b.share);
}

/** Both ends and evenly spaced ranks between them. */
function thin(loads: readonly Load[]): readonly Load[] {
  if (loads.length <= maxTicks) return loads;
  return Array.from({ length: maxTicks }, (_, index) => loads[Math.round((index * (loads.length - 1)) / (maxTicks - 1))]!);
}

/** `0.60 .. 1.04, Jain 0.987`: the largest is max/mean; Jain's index is (Σx)² / (n·Σx²), 1 for an even load. */
function spreadText(shares: readonly Load[]): string {
  const sum = shares.reduce((total, { share }) => total + share, 0);
  const squares = shares.reduce((total, { share }) => total + share * share, 0);
  // Truncated: only an even load reads as 1.
  const jain = Math.floor(((sum * sum) / (shares.length * squares)) * 1000 + 1e-9) / 1000;
  return `${ratio(shares[0]!.share)} .. ${ratio(shares.at(-1)!.share)}, Jain ${jain.toFixed(3)}`;
}

const ratio = (value: number): string => (value < 9.995 ? value.toFixed(2) : significant(value));

/** `api/3 serves 0.85 times its share with peak-ewma; with round-robin all are within 1 %`. */
function furthest(spreads: readonly { readonly label: string; readonly shares: readonly Load[] }[]): string {
  const off = ({ share }: Load): number => Math.abs(share - 1);
  const known = spreads
    .filter(({ shares }) => shares.length > 0)
    .map(({ label, shares }) => ({ label, load: shares.reduce((top, each) => (off(each) > off(top) ? each : top)) }))
    .sort((a, b) => off(b.load) - off(a.load));
  const most = known[0];
  if (most === undefined) return 'Requests served per instance';
  const within = (load: Load): string => `${Math.max(1, Math.ceil(off(load) * 100))} %`;
  if (off(most.load) <= 0.02) return `Load is even: no instance is off by more than ${within(most.load)}`;
  const head = `${short(most.load.instance.id)} serves ${ratio(most.load.share)} times its share`;
  if (known.length === 1) return head;
  const least = known.at(-1)!;
  const calm = `all are within ${within(least.load)}`;
  return `${head} with ${most.label}; with ${least.label} ${off(least.load) < 0.1 ? calm : `the furthest serves ${ratio(least.load.share)} times`}`;
}
