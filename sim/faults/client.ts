import type { FaultKind } from './fault.ts';

export const clientFaults = {
  'clients-give-up': {
    text: 'clients stop waiting after a moment, and ask again with the same token',
    strike(world) {
      world.trouble.clientPatienceMs = world.random.pick([5, 50, 300]);
      return {
        detail: `${world.trouble.clientPatienceMs} ms`,
        end: () => {
          world.trouble.clientPatienceMs = undefined;
        },
      };
    },
  },
  'clients-hasty': {
    text: 'owners send each creation to two agents at once, with one token',
    strike(world) {
      world.trouble.areClientsHasty = true;
      return {
        detail: '',
        end: () => {
          world.trouble.areClientsHasty = false;
        },
      };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
