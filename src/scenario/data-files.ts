/** How a scenario reaches the files it names. Injected, so that checking needs no disk; `load.ts` brings the real one. */
export interface DataFiles {
  /** Absolute path of a file named in the scenario, relative to the scenario's folder. */
  resolve(path: string): string;
  /** Null when it can be read as a file; otherwise why not, as in `no such file`. */
  whyUnreadable(absolutePath: string): Promise<string | null>;
  /** Its bytes, in pieces. */
  open(absolutePath: string): AsyncIterable<Uint8Array>;
  /** Whether a module may be loaded from there: inside the project, links followed. */
  isInsideProject(absolutePath: string): Promise<boolean>;
  /** The file a package's module is in; null when it cannot be found. */
  resolvePackage(specifier: string): Promise<string | null>;
}
