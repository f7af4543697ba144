import type { Steps } from '../../../../node/host/engine/step.ts';
import type { SteppedDefinition } from '../../../../node/host/engine/stepped-kind.ts';
import { serverTable } from '../../../../node/state/tables/index.ts';
import type { shoal } from '../../../../proto/messages.ts';

/** A scratch folder for each server of a host, removed with it. The plan gives one step at a time, or none. */
type ScratchStep = { readonly kind: 'make' } | { readonly kind: 'remove' };

/** What the steps work with: the folders of the host, and where their end is told. */
export interface ScratchTools {
  readonly folders: Set<string>;
  readonly isFull: () => boolean;
  readonly removed: (serverId: string) => void;
}

/** Pure: record and folder give one step. A committed deletion is the only reason to remove anything. */
function planScratch(server: shoal.v1.Server, isThere: boolean, hasFailed: boolean): ScratchStep | undefined {
  if (server.deleting) return isThere ? { kind: 'remove' } : undefined;
  return isThere || hasFailed ? undefined : { kind: 'make' };
}

/** Each is safe to do twice. In a kind of its own each step is a file. */
const steps: Steps<ScratchStep, shoal.v1.Server, ScratchTools> = {
  make: {
    mode: 'acts',
    words: 'making the scratch folder',
    wait: (_step, _server, tools) => (tools.isFull() ? 'the disk is full' : undefined),
    async do(_step, server, tools) {
      tools.folders.add(server.id);
    },
    async undo(_step, server, tools) {
      tools.folders.delete(server.id);
    },
  },
  remove: {
    mode: 'tears-down',
    words: 'removing the scratch folder',
    async do(_step, server, tools) {
      tools.folders.delete(server.id);
      tools.removed(server.id);
    },
  },
};

/** The kind: what is wanted, what is found, what is next. */
export function scratchKind(
  hostId: string,
  tools: ScratchTools,
  told: (serverId: string, message: string) => void,
): SteppedDefinition<shoal.v1.Server, true, ScratchStep, ScratchTools> {
  return {
    name: 'scratch',
    atOnceMax: 2,
    steps,
    id: (server) => server.id,
    facts: () => ({}),
    requestOf: (server) => `${server.generation}/${server.deleting}`,
    wanted: (reader) => serverTable.by(reader, 'host', hostId).map(({ record }) => record),
    recorded: (reader, id) => serverTable.get(reader, id)?.record,
    found: async () => new Map([...tools.folders].map((id) => [id, true as const])),
    plan: (server, found, givenUp) => planScratch(server, found === true, givenUp !== undefined),
    tools: () => tools,
    fault: async (server, { message }) => told(server.id, message),
    orphan: () => ({}),
  };
}
