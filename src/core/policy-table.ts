/** A family's policies by name. Canonical names are kebab-case; the spellings of production systems are accepted where they can mean
 *  one thing only. */
import type { PolicyAlias } from './policy.ts';
import { suggest } from './suggest.ts';

interface Named {
  readonly name: string;
  readonly aliases: readonly PolicyAlias[];
}

export type Resolution<Definition> =
  | { readonly kind: 'found'; readonly policy: Definition }
  /** Several policies go by this alias; `names` are theirs. */
  | { readonly kind: 'ambiguous'; readonly names: readonly string[] }
  | { readonly kind: 'unknown'; readonly suggestion?: string };

/** A policy by its name (`least-request`, also spelt `LEAST_REQUEST`), else by an alias that only one policy has (`leastconn`), else by
 *  an alias with its system (`gRPC/weighted_round_robin`, `Argo Rollouts canary`). */
export function resolvePolicy<Definition extends Named>(
  table: Readonly<Record<string, Definition>>,
  name: string,
): Resolution<Definition> {
  const exact = Object.hasOwn(table, name) ? table[name] : undefined;
  const policy = exact ?? Object.values(table).find((candidate) => candidate.name === kebab(name));
  if (policy !== undefined) return { kind: 'found', policy };
  const policies = Object.values(table);
  const spellings: readonly ((alias: PolicyAlias) => boolean)[] = [
    (alias) => alias.name === name,
    (alias) => kebab(alias.name) === kebab(name),
    (alias) => ['/', ' '].some((between) => kebab(alias.system + between + alias.name) === kebab(name)),
  ];
  for (const isMeant of spellings) {
    const meant = policies.filter((candidate) => candidate.aliases.some(isMeant));
    if (meant.length === 1) return { kind: 'found', policy: meant[0] };
    if (meant.length > 1) return { kind: 'ambiguous', names: meant.map((candidate) => candidate.name) };
  }
  const known = policies.flatMap((candidate) => [candidate.name, ...candidate.aliases.map((alias) => alias.name)]);
  const suggestion = suggest(name, known);
  return { kind: 'unknown', ...(suggestion === undefined ? {} : { suggestion }) };
}

const kebab = (name: string): string => name.toLowerCase().replaceAll('_', '-');
