/** `policies:` at the top, of a service, of an edge. */
import type { Path } from '../core/issue.ts';
import type { Ms } from '../core/time.ts';
import type { Env } from './distributions.ts';
import { compileUse, type UseShape } from './policy-use.ts';
import { roleNames, type Role } from './roles.ts';
import { policies as policiesShape } from './shape-parts.ts';
import type { PolicyChoice, PolicyOverrides, PolicyUse } from './spec.ts';

type Shape = { readonly [Name in Role]?: UseShape | undefined };

/** Those of the whole scenario; undefined after complaints. */
export async function compilePolicies(durationMs: Ms, env: Env): Promise<PolicyChoice | undefined> {
  const shape = env.complaints.has(['policies']) ? env.complaints.check(policiesShape, ['policies']) : {};
  if (shape === undefined) return undefined;
  const written = await compileOverrides({ balancer: 'round-robin', ...shape }, ['policies'], durationMs, env);
  return written && withoutNone(written);
}

/** Null where `none` is written. Undefined after complaints. */
export async function compileOverrides(
  shape: Shape | undefined,
  path: Path,
  durationMs: Ms,
  env: Env,
): Promise<PolicyOverrides | undefined> {
  const overrides: Partial<Record<Role, PolicyUse | null>> = {};
  let isGood = true;
  for (const role of roleNames) {
    const written = shape?.[role];
    if (written === undefined) continue;
    const labelled = await compileUse(role, written, [...path, role], durationMs, env);
    if (labelled === undefined) isGood = false;
    else overrides[role] = labelled.use ?? null;
  }
  return isGood ? overrides : undefined;
}

/** Another policy in one role; undefined for none. */
export const withRole = (policies: PolicyChoice, role: Role, use: PolicyUse | undefined): PolicyChoice =>
  withoutNone({ ...policies, [role]: use ?? null });

const withoutNone = (overrides: PolicyOverrides): PolicyChoice =>
  Object.fromEntries(Object.entries(overrides).filter(([, use]) => use !== null)) as unknown as PolicyChoice;
