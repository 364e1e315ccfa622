/** `init`: a lab to start from. Nothing is overwritten: either all files are new, or none is written. */
import { access } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { exitCodes, InputError, type ExitCode } from '../../core/errors.ts';
import { scenarioSchemaText } from '../../scenario/schema.ts';
import { quote } from '../shell.ts';
import { workflowFile, workflowTemplate } from '../ci-template.ts';
import { policyTemplate, scenarioTemplate } from '../templates.ts';
import type { Terminal } from '../terminal.ts';
import { writeWhole } from '../write.ts';

export async function init(folder: string, { ci = false }: { readonly ci?: boolean }, terminal: Terminal): Promise<ExitCode> {
  const files: Readonly<Record<string, string>> = {
    'scenario.yaml': scenarioTemplate,
    'policies/my-balancer.ts': policyTemplate,
    'scenario.schema.json': scenarioSchemaText(),
    ...(ci ? { [workflowFile]: workflowTemplate } : {}),
  };
  const names = Object.keys(files);
  const existing = (await Promise.all(names.map((name) => exists(join(folder, name))))).flatMap((isThere, index) =>
    isThere ? [join(folder, names[index]!)] : [],
  );
  if (existing.length > 0) {
    throw InputError.of(
      'would-overwrite',
      `${existing.join(' and ')} ${existing.length === 1 ? 'exists' : 'exist'} already; nothing was written`,
      'name a new folder: clusterlab init my-lab',
    );
  }
  for (const [name, content] of Object.entries(files)) await writeWhole(join(folder, name), content);

  const isHere = relative('.', folder) === '';
  const width = Math.max(...names.map((name) => name.length));
  terminal.print(`Written${isHere ? '' : ` to ${folder}`}:\n`);
  for (const name of names) terminal.print(`  ${name.padEnd(width)}  ${abouts[name]}\n`);
  const step = isHere ? '' : `cd ${quote(folder)} && `;
  terminal.print(`\nNext: ${step}clusterlab compare scenario.yaml\n`);
  if (ci) terminal.print(`Then:  ${step}clusterlab baseline save main scenario.yaml, and commit baselines/\n`);
  return exitCodes.ok;
}

const abouts: Readonly<Record<string, string>> = {
  'scenario.yaml': 'a cluster, its traffic, a fault, three policies to compare',
  'policies/my-balancer.ts': 'one of them: yours to change',
  'scenario.schema.json': 'completion and checks while you type, in editors with a YAML language server',
  [workflowFile]: 'GitHub Actions: the gate on every pull request',
};

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
