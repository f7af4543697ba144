/** Planted bugs of a host's side, put into an agent as it starts. */
import type { HostHandlers } from '../../node/host/peer-handlers.ts';
import { shoal } from '../../proto/messages.ts';
import type { HostAgent, HostAgentDeps } from '../agents/host-agent.ts';
import type { HostMutant, Mutant } from '../mutants/mutant.ts';
import { type PlantedFault, plantedFaults } from '../mutants/planted-faults.ts';
import type { HostMachine } from '../world/machine.ts';
import type { Process } from '../world/node.ts';

/** Planted bugs of admission, whose hosts take in whatever is recorded: else a claim that was not made stops the start. */
const adoptsAnything: readonly HostMutant[] = [
  'binds-old-claims',
  'claims-ignored',
  'releases-at-once',
  'gossip-authorises',
];

/** How often a wrong hand strikes. Unit: ms. */
const plantedFaultMs = 200;

/** What a planted bug changes of an agent. */
type PlantedParts = Pick<
  HostAgentDeps,
  | 'isCredulous'
  | 'isPresumptuous'
  | 'claimsByWallClock'
  | 'endsClaimsForAll'
  | 'bindsOldClaims'
  | 'adoptsAnything'
  | 'wrapStore'
  | 'wrapDrivers'
  | 'wrapHandlers'
>;

/**
 * The parts of an agent that has this bug.
 *
 * @param planted undefined: no bug, and the parts are as in production.
 */
export function plantedParts(planted: Mutant | undefined): PlantedParts {
  const mutant = planted?.host;
  return {
    isCredulous: mutant === 'lower-advert-wins',
    isPresumptuous: mutant === 'gossip-authorises',
    claimsByWallClock: mutant === 'claims-by-wall-clock',
    endsClaimsForAll: mutant === 'retry-meets-its-tombstone',
    bindsOldClaims: mutant === 'binds-old-claims',
    adoptsAnything: mutant !== undefined && adoptsAnything.includes(mutant),
    ...(planted?.hostStore === undefined ? {} : { wrapStore: planted.hostStore }),
    ...(planted?.drivers === undefined ? {} : { wrapDrivers: planted.drivers }),
    ...(mutant === 'claims-ignored'
      ? {
          wrapHandlers: (handlers: HostHandlers) => ({
            ...handlers,
            claim: async () => ({ admitted: true, reason: '' }),
          }),
        }
      : {}),
    ...(mutant === 'releases-at-once' ? { wrapHandlers: forgetful } : {}),
  };
}

/** The planted fault that a planted bug consists of; undefined: it is of another kind. */
export function plantedFaultOf(mutant: HostMutant | undefined): PlantedFault | undefined {
  return mutant !== undefined && mutant in plantedFaults
    ? plantedFaults[mutant as keyof typeof plantedFaults]
    : undefined;
}

/** A second, wrong hand on the host's guests, for as long as the process lives. */
export async function plantHand(
  plantedFault: PlantedFault,
  scene: {
    readonly agent: HostAgent;
    readonly process: Process;
    /** All machines of the world. */
    readonly machines: readonly HostMachine[];
    readonly onFailed: (error: unknown) => void;
  },
): Promise<void> {
  const { agent, process, machines, onFailed } = scene;
  const { machine } = agent;
  const { compute, storage } = machine.drivers(process.life);
  const signal = new AbortController().signal;
  await compute.start(signal);
  await storage.start(signal);
  process.clock.setInterval(() => {
    plantedFault({ agent, process, machine, compute, storage, signal, machines }).catch(onFailed);
  }, plantedFaultMs);
}

/** A planted bug: what is admitted is given back at once. */
function forgetful(handlers: HostHandlers): HostHandlers {
  return {
    ...handlers,
    claim: async (request, call) => {
      const response = await handlers.claim(request, call);
      await handlers.releaseClaim(new shoal.v1.ReleaseClaimRequest(request), call);
      return response;
    },
  };
}
