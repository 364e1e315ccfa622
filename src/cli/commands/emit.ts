/** `emit k8s`: an Indexed Job whose pods are the shards of one command. Kubernetes tells each pod its index (JOB_COMPLETION_INDEX), which
 *  `--shard auto` reads. A pod that dies is started again; one that ends with exit code 2, bad input, is not, because it would end so
 *  again. (kubernetes.io/docs/concepts/workloads/controllers/job: completionMode Indexed, backoffLimitPerIndex, podFailurePolicy.) */
import { exitCodes, InputError, type ExitCode } from '../../core/errors.ts';
import { commandLine } from '../shell.ts';
import type { Terminal } from '../terminal.ts';
import { writeWhole } from '../write.ts';

export interface EmitOptions {
  readonly shards: number;
  readonly parallelism?: number;
  readonly image: string;
  readonly claim: string;
  readonly name: string;
  readonly out?: string;
}

const sharded = ['sweep', 'compare', 'run'];
const results = '/results';

export async function emitK8s(command: readonly string[], options: EmitOptions, terminal: Terminal): Promise<ExitCode> {
  const manifest = k8sManifest(command, options);
  if (options.out === undefined) terminal.print(manifest);
  else await writeWhole(options.out, manifest);
  return exitCodes.ok;
}

export function k8sManifest(
  command: readonly string[],
  { shards, parallelism = shards, image, claim, name }: EmitOptions,
): string {
  const [verb = ''] = command;
  if (!sharded.includes(verb))
    throw InputError.of(
      'bad-command',
      `${JSON.stringify(verb)} cannot be sharded`,
      `write what each pod runs after --: emit k8s … -- sweep lab.yaml --set load=50%,80%`,
    );
  const taken = command.find((each) => /^(--shard|--of|--out|-o|--no-out)(=|$)/.test(each));
  if (taken !== undefined) throw InputError.of('bad-command', `${taken} is set by the manifest`, 'leave it away');
  for (const [what, value] of Object.entries({ name, claim }))
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value))
      throw InputError.of(
        'bad-name',
        `--${what} ${JSON.stringify(value)} is not a name in Kubernetes`,
        'lower-case letters, digits and dashes, at most 63',
      );
  const args = [...command, '--shard', 'auto', '--of', String(shards), '--out', results, '--force', '--quiet'];
  // JSON strings are YAML strings, whatever is in them.
  const list = args.map((each) => `            - ${JSON.stringify(each)}`).join('\n');
  return `# Shards of: ${commandLine('clusterlab', ...command).replaceAll('\n', ' ')}
# Then, where the volume is mounted: clusterlab merge ${results}
apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
spec:
  completionMode: Indexed
  completions: ${shards}
  parallelism: ${Math.min(parallelism, shards)}
  backoffLimitPerIndex: 2
  maxFailedIndexes: 0
  podFailurePolicy:
    rules:
      - action: FailIndex
        onExitCodes: { containerName: clusterlab, operator: In, values: [2] }
      - action: Ignore
        onPodConditions: [{ type: DisruptionTarget, status: "True" }]
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: clusterlab
          image: ${JSON.stringify(image)}
          command: ["npx", "clusterlab"]
          args:
${list}
          volumeMounts:
            - { name: results, mountPath: ${results} }
      volumes:
        - name: results
          persistentVolumeClaim: { claimName: ${claim} }
`;
}
