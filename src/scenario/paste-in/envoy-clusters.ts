/** Finds the clusters in a file of Envoy's: one by itself, a list, a bootstrap file, a discovery response, or what `/config_dump` prints;
 *  YAML or JSON. */
import { childOf, type MapNode, type Node } from '../node.ts';
import type { PastedFile } from './pasted-file.ts';
import { Section } from './section.ts';

/** Every cluster of the file, by name. */
export function envoyClusters(file: PastedFile): readonly { readonly name: string; readonly node: MapNode }[] {
  return file.roots
    .flatMap((root) => clustersIn(root, file))
    .map((node) => ({ node, name: new Section(node, file, node.span).text('name') ?? '' }));
}

/** Where files hold clusters, and whether all that stands there is one. */
const holders: Readonly<Record<string, boolean>> = {
  static_resources: false,
  configs: false,
  resources: false,
  clusters: true,
  cluster: true,
  static_clusters: true,
  dynamic_active_clusters: true,
  dynamic_warming_clusters: true,
};

/** By these one tells a cluster that stands alone. */
const signs = ['lb_policy', 'load_balancing_policy', 'load_assignment', 'connect_timeout'];

function clustersIn(node: Node, file: PastedFile, isListed = false): readonly MapNode[] {
  if (node.kind === 'list') return node.items.flatMap((item) => clustersIn(item, file, isListed));
  if (node.kind !== 'map') return [];
  const section = new Section(node, file, node.span);
  const held = Object.entries(holders).flatMap(([key, isList]) => {
    const child = section.node(key);
    return child === undefined ? [] : [{ child, isList }];
  });
  if (held.length > 0) return held.flatMap(({ child, isList }) => clustersIn(child, file, isList));
  const type = childOf(node, '@type');
  if (type?.kind === 'scalar') return String(type.value).endsWith('.Cluster') ? [node] : [];
  return isListed || signs.some((key) => section.has(key)) ? [node] : [];
}
