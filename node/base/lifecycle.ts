/** A part that runs. `stop` is safe to call twice and undoes `start` in reverse order. */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}
