import type { Handlers } from '../../node/rpc/server.ts';
import type { CloudBackupService } from '../../node/services/cluster/cloud-backups.ts';
import type { ClusterService } from '../../node/services/cluster/cluster.ts';
import type { UpgradeService } from '../../node/services/cluster/upgrade.ts';
import type { shoal } from '../../proto/messages.ts';
import type { Caller, Callers } from './kit/caller.ts';

/** What it is served by. */
interface ClusterServices {
  readonly cluster: ClusterService;
  readonly cloudBackups: CloudBackupService;
  readonly upgrade: UpgradeService;
}

/** Servers named of a host; the rest are counted. */
const namedMax = 10;

/** `shoal.v1.ClusterService`: the mesh for its operators. Who may call what: api-gateway/policies/mesh.ts. */
export function clusterHandlers(
  callers: Callers,
  { cluster, cloudBackups, upgrade }: ClusterServices,
): Handlers<shoal.v1.ClusterService, Caller> {
  return {
    ...cloudBackupHandlers(callers, cloudBackups),
    getUpgrade: (_request, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        return { ...upgrade.status(reader), stale };
      }),
    finalizeUpgrade: (_request, call) =>
      callers.serve(call, async ({ context }) => ({ featureLevel: await upgrade.finalize(context) })),
    getStatus: (_request, call) => callers.serve(call, async () => cluster.status()),
    listHosts: (_request, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        return {
          hosts: cluster.hosts(reader).map(({ advert, accusedBy, clockOffsetMs, keyUsedTwiceAt, ...rest }) => ({
            host: rest.host,
            condition: rest.condition,
            serversWithoutSpareRoom: rest.withoutSpareRoom.slice(0, namedMax),
            withoutSpareRoom: rest.withoutSpareRoom.length,
            advert: advert ?? null,
            accusedBy: [...accusedBy],
            keyUsedTwiceAt: keyUsedTwiceAt ?? '',
            ...(clockOffsetMs === undefined ? {} : { clockOffsetMs: Math.round(clockOffsetMs) }),
          })),
          stale,
        };
      }),
    listStoragePools: (_request, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        return { pools: [...cluster.pools(reader)], stale };
      }),
    createTicket: ({ ttlSeconds }, call) =>
      callers.serve(call, async ({ context }) => {
        const { ticket, expiresMs } = await cluster.createTicket(ttlSeconds, context.signal);
        return { ticket, expiresMs };
      }),
    setHostEnabled: ({ hostId, enabled, reason }, call) =>
      callers.serve(call, async ({ context }) => {
        await cluster.setHostEnabled(hostId, enabled, reason.slice(0, hostReasonCharactersMax), context.signal);
        return {};
      }),
    listUnreadableRecords: (_request, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        return { records: cluster.unreadableRecords(reader).map(({ key: _key, ...record }) => record), stale };
      }),
    removeUnreadableRecord: ({ table, id }, call) =>
      callers.serve(call, async ({ context }) => {
        await cluster.removeUnreadableRecord(table, id, context.signal);
        return {};
      }),
    removeHost: ({ hostId, force, trusted }, call) =>
      callers.serve(call, async ({ context }) => {
        const removal = await cluster.removeHost(hostId, { force, trusted }, context.signal);
        return {
          forgottenServerIds: [...removal.forgottenServerIds],
          releasedServerIds: [...removal.releasedServerIds],
          lostImageIds: [...removal.lostImageIds],
          lostVolumeIds: [...removal.lostVolumeIds],
        };
      }),
    resetPassword: (request, call) =>
      callers.serve(call, async ({ context }) => {
        const { id, name, enabled } = await cluster.resetPassword(request, context);
        return { userId: id, userName: name, enabled };
      }),
    rekey: (_request, call) =>
      callers.serve(call, async ({ context }) => ({ keyEpoch: await cluster.rekey(context.signal) })),
  };
}

/** Longest reason kept with a disabled host, characters: Nova's own. */
const hostReasonCharactersMax = 255;

type CloudBackupMethod = 'setCloudBackups' | 'createCloudBackup' | 'listCloudBackups' | 'verifyCloudBackup';

function cloudBackupHandlers(
  callers: Callers,
  cloudBackups: CloudBackupService,
): Pick<Handlers<shoal.v1.ClusterService, Caller>, CloudBackupMethod> {
  return {
    setCloudBackups: (request, call) =>
      callers.serve(call, async ({ context }) => {
        await cloudBackups.set(request, context);
        return {};
      }),
    createCloudBackup: (_request, call) =>
      callers.serve(call, async ({ context }) => ({ asked: await cloudBackups.ask(context) })),
    listCloudBackups: ({ onlyStatus }, call) =>
      callers.serve(call, async ({ read, context }) => {
        const { reader, stale } = await read();
        const backups = onlyStatus ? [] : await cloudBackups.list(reader, context.signal);
        return { settings: cloudBackups.settings(reader) ?? null, backups: [...backups], stale };
      }),
    verifyCloudBackup: ({ backupId }, call) =>
      callers.serve(call, async ({ read, context }) => {
        const { reader } = await read();
        return cloudBackups.verify(reader, backupId, context.signal);
      }),
  };
}
