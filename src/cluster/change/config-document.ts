/** The document that is distributed: which host shall have which version of one service's configuration. Hosts that it does not name have the
 *  first one. Hosts share what they have parsed: a document is read once, however many receive it. */
import type { ConfigUpdate } from '../../policies/rollout/propagation/config-agent.ts';
import type { Content } from '../../policies/rollout/versions/canonical.ts';

/** Names of versions by host. */
export type VersionsByHost = ReadonlyMap<string, string>;

export const documentOf = (hosts: VersionsByHost): Content => ({ hosts: Object.fromEntries(hosts) });

export const hostsIn = (document: Content): VersionsByHost =>
  new Map(Object.entries((document as { readonly hosts: Readonly<Record<string, string>> }).hosts));

/** Documents kept parsed: as many as are under way at once, with room to spare. */
const KEPT = 16;

export class DocumentReader {
  /** By digest, oldest first. */
  private readonly parsed = new Map<string, VersionsByHost>();

  read({ digest, content }: ConfigUpdate): VersionsByHost {
    let hosts = this.parsed.get(digest);
    if (hosts === undefined) {
      hosts = hostsIn(JSON.parse(content) as Content);
      this.parsed.set(digest, hosts);
      if (this.parsed.size > KEPT) this.parsed.delete(this.parsed.keys().next().value!);
    }
    return hosts;
  }
}
