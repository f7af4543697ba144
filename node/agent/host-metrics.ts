/** Metrics and health of the part of an agent that keeps its host. */
import type { Health } from '../base/telemetry/health.ts';
import type { Metrics } from '../base/telemetry/metrics.ts';
import type { HostObserver } from './host-observer.ts';

/** Powers of guests that are counted. */
const powers = ['running', 'paused', 'shutdown', 'crashed', 'suspended'] as const;

/** The observer that keeps them. */
export function hostMetrics(metrics: Metrics, health: Health): HostObserver {
  return {
    claim: (result) => metrics.claims.inc({ result }),
    placement: (result) => metrics.placements.inc({ result }),
    step: (_kind, step, result, seconds) => {
      metrics.steps.inc({ step, result });
      metrics.stepSeconds.observe({ step }, seconds);
    },
    health: (part, error) => {
      if (error === undefined) health.works(part);
      else health.failed(part, error);
    },
    guests: (found) => {
      for (const power of powers) {
        metrics.guests.set({ power }, found.filter((guest) => guest.power === power).length);
      }
    },
  };
}
