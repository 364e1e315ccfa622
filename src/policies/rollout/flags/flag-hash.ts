/** Percentage flags: which users have a feature when a given percentage of all shall have it, without a list of them.
 *
 *  A hash of the flag and the user gives each user a place between 0 and 100 that never changes; the flag is on for those below the
 *  percentage. So raising it only adds users, lowering it only takes away, and the places in different flags have nothing to do with each
 *  other. It fails where users are few or of very different weight: a share of users is not a share of load. */
export interface FlagHash {
  /** Whether `unit` (a user, a host) has the flag at this percentage, from 0 to 100. `salt` sets flags of the same name apart. */
  isOn(flag: string, salt: string, unit: string, percent: number): boolean;
}
