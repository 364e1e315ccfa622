/** The parts of the requests that get statistics of their own: every edge, class and service when there are several, and whatever
 *  `expect` asks for. A part is asked for by names, which mean the same in every variant; where a variant lacks such a part, its view is
 *  empty, so that the views of all variants stand side by side. */
import { formatDuration } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import type { World } from './compile.ts';
import type { Complaints } from './complaints.ts';
import { isPublishing } from './resolve-role.ts';
import { limits } from './shape-parts.ts';
import type { EdgeSpec, ViewSpec } from './spec.ts';

/** All that is absent is not restricted. */
export interface ViewQuery {
  readonly edge?: string;
  readonly service?: string;
  readonly class?: string;
  readonly window?: { readonly fromMs: Ms; readonly toMs: Ms };
}

/** `edge=web->db, class=read, window=30s..60s`: equal for equal parts. */
export function labelOf({ edge, service, class: kind, window }: ViewQuery): string {
  const span = window === undefined ? undefined : `${formatDuration(window.fromMs)}..${formatDuration(window.toMs)}`;
  const named = { edge: edge && quoted(edge), service: service && quoted(service), class: kind && quoted(kind), window: span };
  return Object.entries(named)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]))
    .join(', ');
}

/** A name that could be taken for the end of its label stands in quotes. */
const quoted = (name: string): string => (/[,=]|^\s|\s$/.test(name) ? `"${name}"` : name);

/** Those that need no asking. */
export const ownViews = ({ edges, classes, services }: World): ViewQuery[] => [
  ...several(edges).map(({ name }) => ({ edge: name })),
  ...several(classes).map(({ name }) => ({ class: name })),
  ...several(services).map(({ name }) => ({ service: name })),
];

const several = <Item>(items: readonly Item[]): readonly Item[] => (items.length > 1 ? items : []);

/** Each once, in order; at most so many as anybody looks at. */
export function distinctViews(queries: readonly ViewQuery[], complaints: Complaints): ViewQuery[] {
  const views = [...new Map(queries.map((query) => [labelOf(query), query])).values()];
  if (views.length <= limits.views) return views;
  complaints.error(
    'too-many',
    [],
    `${views.length} parts of the requests would get statistics of their own; ${limits.views} is the most`,
    'every edge, class and service is one, and every labelled check in expect',
  );
  return [];
}

/** A part that this world has not; undefined if it has all. */
export function missingPart({ edge, service, class: kind }: ViewQuery, world: World): 'edge' | 'service' | 'class' | undefined {
  const lacks = (name: string | undefined, items: readonly { readonly name: string }[]): boolean =>
    name !== undefined && !items.some((item) => item.name === name);
  if (lacks(edge, world.edges)) return 'edge';
  if (lacks(service, world.services)) return 'service';
  return lacks(kind, world.classes) ? 'class' : undefined;
}

export function viewOf(query: ViewQuery, world: World): ViewSpec {
  const label = labelOf(query);
  // Nothing arrives in no time.
  const never = { fromMs: 0, toMs: 0 };
  if (missingPart(query, world) !== undefined) return { label, edges: [], service: -1, class: -1, ...never };
  const { edges, services, classes, run } = world;
  const indexIn = (items: readonly { readonly name: string }[], name: string | undefined): number =>
    name === undefined ? -1 : items.findIndex((item) => item.name === name);
  const edge = indexIn(edges, query.edge);
  const service = indexIn(services, query.service);
  const covered = edge !== -1 ? [edge] : service !== -1 ? edgesInto(edges, service) : [];
  // No edges would mean those of the traffic; a service nobody calls has none at all.
  const isNever = service !== -1 && covered.length === 0;
  return {
    ...{ label, edges: covered, service, class: indexIn(classes, query.class) },
    ...(isNever ? never : (query.window ?? { fromMs: run.warmupMs, toMs: run.durationMs })),
  };
}

const edgesInto = (edges: readonly EdgeSpec[], service: number): number[] =>
  edges.flatMap((edge, index) => (edge.service === service && !isPublishing(edge) ? [index] : []));
