/** Rebuild: the server's own disks are made of an image again. Its addresses, ports, volumes and host stay. */
import { defaultFilterNames } from '../../../placement/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { ownValue } from '../../base/own-value.ts';
import { serverTable, volumeTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import { nextRequest } from '../kit/server-request.ts';
import { type Attempt, transact } from '../kit/transact.ts';
import { renamePorts } from '../network/port-record.ts';
import { disksOf, isOwnDisk } from '../volume/kit/disks-of-server.ts';
import { bootsFromVolume } from '../volume/records/server-disks.ts';
import { checkAttributes } from './attribute-rules.ts';
import type { ComputeDependencies, ComputeOptions } from './dependencies.ts';
import { keptProperties } from './hardware/guest-hardware.ts';
import { askedAction } from './history/action-history.ts';
import { checkInjectedFiles, type InjectedFileDraft } from './kit/injected-files.ts';
import { labelOf } from './kit/nic-rules.ts';
import { badRequest, checkName } from './kit/refusals.ts';
import { mustTake, seeServer } from './kit/server-record.ts';
import { vmState } from './machine/vm-state.ts';
import {
  checkAccessAddress,
  checkHostname,
  checkImage,
  checkKey,
  checkMetadata,
  checkUserData,
} from './server-draft.ts';

const { PowerWanted } = shoal.v1;

/** What the server is from now on; what is absent stays as it is. */
interface RebuildDraft {
  readonly imageId: string;
  readonly name?: string;
  readonly description?: string;
  /** Replaces what is there. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Name of a key of the caller's; empty: none. */
  readonly keyName?: string;
  /** Base64; empty: none. */
  readonly userData?: string;
  readonly hostname?: string;
  readonly accessIpv4?: string;
  readonly accessIpv6?: string;
  readonly diskConfigAuto?: boolean;
  readonly injectedFiles?: readonly InjectedFileDraft[];
}

/** See above. */
export class ServerRebuild {
  readonly #deps: ComputeDependencies;
  readonly #options: ComputeOptions;

  constructor(deps: ComputeDependencies, options: ComputeOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Asks the server's host for new disks; the old ones go once those are made. One that is off stays off, one in ERROR is
   * started. Of a server that boots from a volume the volume stays as it is: another image than its own is `INVALID_ARGUMENT`.
   * Throws `CONFLICT` in Nova's words.
   */
  begin(context: RequestContext, id: string, draft: RebuildDraft): Promise<shoal.v1.Server> {
    const name = draft.name === undefined ? undefined : checkName('name', draft.name);
    if (draft.hostname !== undefined) checkHostname(draft.hostname);
    checkAccessAddress(4, draft.accessIpv4 ?? '');
    checkAccessAddress(6, draft.accessIpv6 ?? '');
    const userData = draft.userData === undefined ? undefined : checkUserData(draft.userData);
    return transact(this.#deps, context, (attempt) => {
      const { reader } = attempt;
      const row = seeServer(context, reader, id);
      const server = row.record;
      mustTake(context, server, 'rebuild');
      const nowMs = this.#deps.clock.nowMs();
      const asked = nextRequest(server);
      const next = new shoal.v1.Server({
        ...server,
        ...this.#disks(context, reader, server, draft.imageId),
        name: name ?? server.name,
        description: draft.description ?? server.description,
        metadata: draft.metadata === undefined ? server.metadata : checkMetadata(context, reader, draft.metadata),
        ...keyFields(context, reader, draft.keyName),
        userData: userData ?? server.userData,
        hostname: draft.hostname ?? server.hostname,
        accessIpv4: draft.accessIpv4 ?? server.accessIpv4,
        accessIpv6: draft.accessIpv6 ?? server.accessIpv6,
        diskConfigAuto: draft.diskConfigAuto ?? server.diskConfigAuto,
        injectedFiles:
          draft.injectedFiles === undefined
            ? server.injectedFiles
            : [...checkInjectedFiles(reader, server.projectId, draft.injectedFiles)],
        powerWanted: vmState(server) === 'error' ? PowerWanted.POWER_WANTED_RUNNING : server.powerWanted,
        taskState: 'rebuilding',
        heldInError: false,
        ...asked,
        actions: askedAction(server, 'rebuild', context, nowMs, asked),
        updatedMs: nowMs,
      });
      this.#write(attempt, row, next);
      return next;
    });
  }

  /** The fields that give it new disks. One that boots from a volume is only started again. */
  #disks(
    context: RequestContext,
    reader: StateReader,
    server: shoal.v1.Server,
    imageId: string,
  ): shoal.v1.Server.$Properties {
    if (bootsFromVolume(server)) {
      mustBeImageOfVolume(reader, server, imageId);
      return { rebootsWanted: server.rebootsWanted + 1, rebootHard: true };
    }
    const { flavor } = server;
    if (flavor === null) throw badRequest(`Instance ${server.id} has no flavor recorded.`);
    const image = checkImage(context, reader, imageId, flavor);
    checkAttributes(flavor, image, new Set(this.#options.enabledFilters ?? defaultFilterNames));
    const own = disksOf(server).filter(isOwnDisk);
    const newIds = new Map(own.map(({ volumeId }) => [volumeId, this.#deps.newId()]));
    const renewed = (disk: shoal.v1.IServerDisk): shoal.v1.IServerDisk => {
      const volumeId = newIds.get(disk.volumeId ?? '');
      if (volumeId === undefined) return disk;
      return new shoal.v1.ServerDisk({ ...disk, volumeId, ...(disk.kind === 'root' ? { imageId } : {}) });
    };
    return {
      imageId,
      // The machine stays as it is pinned, unless the image names one by its version, or asks for one of the other family.
      imageProperties: keptProperties(image.properties),
      ...(/^pc-/.test(ownValue(image.properties, 'hw_machine_type') ?? '') ? { machine: '' } : {}),
      rootVolumeId: newIds.get(server.rootVolumeId) ?? server.rootVolumeId,
      disks: server.disks.map(renewed),
      replacedDisks: [...server.replacedDisks, ...own],
    };
  }

  #write(attempt: Attempt, row: Parameters<typeof serverTable.update>[1], next: shoal.v1.Server): void {
    serverTable.update(attempt.change, row, next);
    if (next.hostname !== row.record.hostname) renamePorts(attempt, next.portIds, labelOf(next.hostname));
  }
}

function keyFields(
  context: RequestContext,
  reader: StateReader,
  keyName: string | undefined,
): Pick<shoal.v1.Server.$Properties, 'keyName' | 'publicKey' | 'keyType'> {
  if (keyName === undefined) return {};
  const key = keyName === '' ? undefined : checkKey(context, reader, keyName);
  return { keyName: key?.name ?? '', publicKey: key?.publicKey ?? '', keyType: key?.type ?? '' };
}

/** Only an operator of block storage can give a volume another content while a server has it. */
function mustBeImageOfVolume(reader: StateReader, server: shoal.v1.Server, imageId: string): void {
  const root = volumeTable.get(reader, server.rootVolumeId)?.record;
  if (root !== undefined && root.imageId === imageId) return;
  throw new ShoalError('INVALID_ARGUMENT', 'Unable to rebuild with a different image for a volume-backed server.');
}
