/** How a server can leave its host: while it runs, while it is off, or not at all, and why. Pure. */
import type { shoal } from '../../../../proto/messages.ts';
import { volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { HostViews } from '../../kit/dependencies.ts';
import { isElsewhere } from '../../volume/records/served-volume.ts';
import { volumeDisks } from '../../volume/records/server-disks.ts';
import { vmState } from '../machine/vm-state.ts';
import { isReachable } from './placing.ts';

type Server = shoal.v1.Server;

/** See above. */
export interface WayOut {
  /** `live`: it goes on running; `cold`: it is off while it moves; `stay`: it cannot leave. */
  readonly how: 'live' | 'cold' | 'stay';
  /** Why it stays, or why one that is on cannot go live; empty otherwise. For people. */
  readonly why: string;
}

/**
 * What is so by the records and by what hosts tell of their storage; whether a host has room is placement's to say. Storage of which
 * nobody has told anything yet is taken for shared: the service that moves the server knows better by then.
 * @param mayStop whether a server that is on and cannot go live may be stopped for it.
 */
export function wayOut(
  deps: { readonly hostViews: Pick<HostViews, 'adverts'> },
  reader: StateReader,
  server: Server,
  mayStop: boolean,
): WayOut {
  if (server.deleting) return stay('it is being deleted');
  const state = vmState(server);
  if (state !== 'active' && state !== 'stopped' && state !== 'paused') {
    return stay(`it is ${state}: only one that is on, off or paused can move`);
  }
  if (isReachable(deps, reader, server) === false) return stay("its disk is on its host's own storage");
  if (state === 'stopped') return { how: 'cold', why: '' };
  const volumeId = servedVolume(deps, reader, server);
  if (volumeId === undefined) return { how: 'live', why: '' };
  const why = `its volume ${volumeId} is on the own storage of one host, which serves it to one other at a time`;
  if (state === 'paused') return stay(`it is paused, and ${why}`);
  return mayStop ? { how: 'cold', why } : stay(`it runs and was not to be stopped, and ${why}`);
}

/** A volume of the server that two hosts cannot have open at once; undefined: there is none. */
export function servedVolume(
  { hostViews }: { readonly hostViews: Pick<HostViews, 'adverts'> },
  reader: StateReader,
  server: Server,
): string | undefined {
  const adverts = hostViews.adverts();
  for (const { volumeId } of volumeDisks(server)) {
    const volume = volumeTable.get(reader, volumeId ?? '')?.record;
    if (volume === undefined || volume.hostId === '') continue;
    if (volume.served !== null || isElsewhere(adverts, volume, '')) return volume.id;
  }
  return undefined;
}

/** Property of a server that says how early it is brought to safety: a whole number, higher first. */
const priorityKey = 'ha:priority';

/** In which order servers leave: the higher first. A property that is no whole number from -1000 to 1000 counts as 0. */
export function priorityOf({ metadata }: Pick<Server, 'metadata'>): number {
  const text = metadata[priorityKey] ?? '';
  const priority = /^-?[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  return Math.abs(priority) <= 1_000 ? priority : 0;
}

/** Sorts servers for leaving: by priority, then the largest first, for it finds room the hardest, then by id. */
export function byUrgency(
  a: { readonly priority: number; readonly memoryMib: number; readonly id: string },
  b: { readonly priority: number; readonly memoryMib: number; readonly id: string },
): number {
  return b.priority - a.priority || b.memoryMib - a.memoryMib || (a.id < b.id ? -1 : 1);
}

function stay(why: string): WayOut {
  return { how: 'stay', why };
}
