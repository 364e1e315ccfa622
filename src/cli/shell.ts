/** Command lines as text that can be pasted into a shell. */

export const quote = (argument: string): string =>
  /^[\w@%+:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;

export const commandLine = (...args: readonly string[]): string => args.map(quote).join(' ');

/** A folder, recognizable as one by its last character. */
export const folderText = (folder: string): string => quote(`${folder.replace(/[\\/]+$/, '')}/`);
