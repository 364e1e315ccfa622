/** How far a ratio may be from 1 without anything being done about it. Both ends belong to it. */
export interface Tolerance {
  readonly up: number;
  readonly down: number;
}

export const isWithin = ({ up, down }: Tolerance, ratio: number): boolean => 1 - down <= ratio && ratio <= 1 + up;
