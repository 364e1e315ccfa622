/** The one time unit: milliseconds as a double, on every clock of the project.
 *  A double holds a simulated year (3.2e10 ms) to within 4 nanoseconds. */
export type Ms = number;

/** All a policy may know of the present. */
export interface Clock {
  now(): Ms;
}
