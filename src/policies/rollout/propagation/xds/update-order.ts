/** The order in which a change of several types of resources is sent, so that nothing ever points at what is not there: first what is
 *  pointed at, then what points, and only then is removed what nothing points at any more. In any other order traffic is dropped until
 *  the rest arrives, for types travel apart and a client applies each as it comes.
 *
 *  After envoyproxy/envoy: docs/root/api-docs/xds_protocol.rst, on eventual consistency. */

/** Routes by name, each with the cluster that it leads to; listeners with the route that they use. Every cluster has its endpoints. */
export interface MeshConfig {
  readonly clusters: readonly string[];
  readonly routes: Readonly<Record<string, string>>;
  readonly listeners?: Readonly<Record<string, string>>;
}

export type UpdateStep =
  | { readonly type: 'CDS' | 'EDS'; readonly names: readonly string[] }
  | { readonly type: 'LDS' | 'RDS'; readonly changes: readonly PointerChange[] };

export interface PointerChange {
  readonly name: string;
  /** Undefined for a new one. */
  readonly from: string | undefined;
  /** Undefined for one that goes. */
  readonly to: string | undefined;
}

/** Make before break: clusters of both states, endpoints of the new ones, listeners, routes, and at last clusters without the old ones. */
export function makeBeforeBreak(before: MeshConfig, after: MeshConfig): readonly UpdateStep[] {
  const added = after.clusters.filter((cluster) => !before.clusters.includes(cluster));
  const removed = before.clusters.filter((cluster) => !after.clusters.includes(cluster));
  const listeners = changesOf(before.listeners ?? {}, after.listeners ?? {});
  const routes = changesOf(before.routes, after.routes);
  const steps: UpdateStep[] = [];
  if (added.length > 0) steps.push({ type: 'CDS', names: [...before.clusters, ...added] }, { type: 'EDS', names: added });
  if (listeners.length > 0) steps.push({ type: 'LDS', changes: listeners });
  if (routes.length > 0) steps.push({ type: 'RDS', changes: routes });
  if (removed.length > 0) steps.push({ type: 'CDS', names: after.clusters });
  return steps;
}

function changesOf(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): readonly PointerChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const changes = names.map((name) => ({
    name,
    from: Object.hasOwn(before, name) ? before[name] : undefined,
    to: Object.hasOwn(after, name) ? after[name] : undefined,
  }));
  return changes.filter(({ from, to }) => from !== to);
}
