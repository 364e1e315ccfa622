/** What comes next in a series of measurements at equal distances. */
export interface Forecaster {
  observe(value: number): void;
  /** A measurement is missing; time goes on. */
  skip(): void;
  /** What is expected `steps` measurements after the latest, from 1 on. undefined: not enough is known yet. It may be negative; whoever
   *  forecasts something that cannot be cuts it off. */
  forecast(steps: number): number | undefined;
}
