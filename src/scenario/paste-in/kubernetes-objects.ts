/** Objects of Kubernetes in a file: YAML with several documents, or a List. */
import { childOf, type MapNode, type Node } from '../node.ts';
import type { PastedFile } from './pasted-file.ts';
import { Section } from './section.ts';

export interface KubernetesObject {
  readonly name: string;
  readonly kind: string;
  readonly node: MapNode;
}

/** Every object of these kinds, by its metadata's name. */
export function objectsOf(kinds: readonly string[], file: PastedFile): readonly KubernetesObject[] {
  return file.roots.flatMap(objectsIn).flatMap((node) => {
    const kind = kindOf(node);
    if (kind === undefined || !kinds.includes(kind)) return [];
    return [{ node, kind, name: new Section(node, file, node.span).section('metadata')?.text('name') ?? '' }];
  });
}

function objectsIn(node: Node): readonly MapNode[] {
  if (node.kind !== 'map') return [];
  const items = childOf(node, 'items');
  return items?.kind === 'list' ? items.items.flatMap(objectsIn) : [node];
}

export function kindOf(node: MapNode): string | undefined {
  const kind = childOf(node, 'kind');
  return kind?.kind === 'scalar' && typeof kind.value === 'string' ? kind.value : undefined;
}
