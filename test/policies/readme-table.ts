/** The README's table of a family, made from its definitions. */
interface Described {
  readonly name: string;
  readonly summary: string;
  readonly useWhen: string;
  readonly failsWhen: string;
  readonly cost: string;
}

export function policyTable(family: Readonly<Record<string, Described>>): string {
  const rows = Object.values(family).map(
    ({ name, summary, useWhen, failsWhen, cost }) => `| \`${name}\` | ${summary} | ${useWhen} | ${failsWhen} | ${cost} |`,
  );
  return ['| name | what it does | choose it when | it fails when | cost |', '| --- | --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}
