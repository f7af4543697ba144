/** One figure of a bench that is not of agents: what, of how large a cell, and what it is to be. */
export interface Figure {
  readonly what: string;
  readonly hosts: number;
  readonly value: number;
  readonly unit: string;
  /** What it is to stay at or below; absent: nothing was promised. */
  readonly target?: number;
}
