/** Every table of the state. Ids, names and indexes are part of the stored format: forever, like record.proto. */
import { shoal } from '../../../proto/messages.ts';
import { indexKey, Table } from '../table.ts';

const v1 = shoal.v1;

/** The mesh: one row, id "mesh". */
export const meshTable = new Table<shoal.v1.Mesh>({ name: 'mesh', codec: v1.Mesh, id: (r) => r.id, indexes: [] });

/** Members of the mesh, by host id. Found by name, by Raft member number, and by number on transit networks. */
export const hostTable = new Table<shoal.v1.Host>({
  name: 'host',
  codec: v1.Host,
  id: (r) => r.id,
  indexes: [
    { name: 'name', unique: true, keys: (r) => [indexKey(r.name)] },
    { name: 'raft-id', unique: true, keys: (r) => [String(r.raftId)] },
    { name: 'transit-index', unique: true, keys: (r) => [String(r.transitIndex)] },
  ],
});

/** Hosts that are no members any more: why they are refused, since their certificates never run out. */
export const removedHostTable = new Table<shoal.v1.RemovedHost>({
  name: 'removed-host',
  codec: v1.RemovedHost,
  id: (r) => r.id,
  indexes: [],
});

/** Mesh keys drawn after the first, by number; the one before the present is kept, and those that still seal something. */
export const meshKeyEpochTable = new Table<shoal.v1.MeshKeyEpoch>({
  name: 'mesh-key-epoch',
  codec: v1.MeshKeyEpoch,
  id: (r) => r.id,
  indexes: [],
});

/** Where the cloud itself is backed up, and how that goes: one row, id "cloud-backups". */
export const cloudBackupsTable = new Table<shoal.v1.CloudBackups>({
  name: 'cloud-backups',
  codec: v1.CloudBackups,
  id: (r) => r.id,
  indexes: [],
});

/** Addresses of the API that move, by the address: which host has each. */
export const apiAddressTable = new Table<shoal.v1.ApiAddress>({
  name: 'api-address',
  codec: v1.ApiAddress,
  id: (r) => r.id,
  indexes: [],
});

/** Tickets to join that were issued; the secret of each is kept as its SHA-256 only. */
export const ticketTable = new Table<shoal.v1.Ticket>({
  name: 'ticket',
  codec: v1.Ticket,
  id: (r) => r.id,
  indexes: [],
});

/** Keystone domains; a name is unique in the mesh, and case counts. */
export const domainTable = new Table<shoal.v1.Domain>({
  name: 'domain',
  codec: v1.Domain,
  id: (r) => r.id,
  indexes: [{ name: 'name', unique: true, keys: (r) => [indexKey(r.name)] }],
});

/** Keystone projects; a name is unique within its domain, and case counts. */
export const projectTable = new Table<shoal.v1.Project>({
  name: 'project',
  codec: v1.Project,
  id: (r) => r.id,
  indexes: [{ name: 'name', unique: true, keys: (r) => [indexKey(r.domainId, r.name)] }],
});

/** Keystone users; a name is unique within its domain, and case counts. */
export const userTable = new Table<shoal.v1.User>({
  name: 'user',
  codec: v1.User,
  id: (r) => r.id,
  indexes: [{ name: 'name', unique: true, keys: (r) => [indexKey(r.domainId, r.name)] }],
});

/** Keystone roles; `domainId` is empty for a role that belongs to no domain. */
export const roleTable = new Table<shoal.v1.Role>({
  name: 'role',
  codec: v1.Role,
  id: (r) => r.id,
  // Role names are looked up without regard to case, as Keystone does.
  indexes: [{ name: 'name', unique: true, keys: (r) => [indexKey(r.domainId, r.name.toLowerCase())] }],
});

/** Who has which role on a project, a domain or the system; ids as record.proto spells them. */
export const roleAssignmentTable = new Table<shoal.v1.RoleAssignment>({
  name: 'role-assignment',
  codec: v1.RoleAssignment,
  id: (r) => r.id,
  indexes: [
    { name: 'user', keys: (r) => [indexKey(r.userId)] },
    { name: 'project', keys: (r) => (r.projectId === '' ? [] : [indexKey(r.projectId)]) },
    { name: 'role', keys: (r) => [indexKey(r.roleId)] },
  ],
});

/** Tokens revoked before their time, by audit id. A row goes when its token would have expired. */
export const revokedTokenTable = new Table<shoal.v1.RevokedToken>({
  name: 'revoked-token',
  codec: v1.RevokedToken,
  id: (r) => r.id,
  indexes: [],
});

/** Nova flavors; ids are chosen by callers or random, names are unique in the mesh. */
export const flavorTable = new Table<shoal.v1.Flavor>({
  name: 'flavor',
  codec: v1.Flavor,
  id: (r) => r.id,
  indexes: [{ name: 'name', unique: true, keys: (r) => [indexKey(r.name)] }],
});

/** Ids of deleted images, for ever: about 60 bytes each. */
export const deletedImageTable = new Table<shoal.v1.DeletedImage>({
  name: 'deleted-image',
  codec: v1.DeletedImage,
  id: (r) => r.id,
  indexes: [],
});

/** Glance images. Several may have one content: storage is looked up by its SHA-256. */
export const imageTable = new Table<shoal.v1.Image>({
  name: 'image',
  codec: v1.Image,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'sha256', keys: (r) => (r.sha256 === '' ? [] : [r.sha256]) },
  ],
});

function hostsOfServer(server: shoal.v1.Server): readonly string[] {
  const { hostId, previousHostId, discardHostId, move, lostHostIds } = server;
  return [hostId, previousHostId, discardHostId, move?.targetHostId ?? '', ...lostHostIds];
}

/** Nova servers. The row goes last: when the host has removed guest and disks. */
export const serverTable = new Table<shoal.v1.Server>({
  name: 'server',
  codec: v1.Server,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    // A server on the move belongs to both hosts until the old one has let go.
    // One that moves while it runs, also to the host that waits for it, and then has what is to be discarded of it.
    {
      name: 'host',
      keys: (r) => [...new Set(hostsOfServer(r))].filter((id) => id !== ''),
    },
    // Few, so that a host reads none of its own servers to see which are on their way to it.
    {
      name: 'coming',
      keys: ({ hostId, move }) => [move?.targetHostId ?? ''].filter((id) => id !== '' && id !== hostId),
    },
    { name: 'group', keys: (r) => (r.serverGroupId === '' ? [] : [indexKey(r.serverGroupId)]) },
    { name: 'image', keys: (r) => (r.imageId === '' ? [] : [indexKey(r.imageId)]) },
  ],
});

/**
 * Nova's migrations: moves of servers, under way and ended. Found by their number, their server and their status.
 */
export const migrationTable = new Table<shoal.v1.Migration>({
  name: 'migration',
  codec: v1.Migration,
  id: (r) => r.id,
  indexes: [
    { name: 'number', unique: true, keys: (r) => [String(r.number)] },
    { name: 'server', keys: (r) => [indexKey(r.serverId)] },
    { name: 'status', keys: (r) => [indexKey(r.status)] },
  ],
});

/** Servers that have gone, as far as they are still told of. */
export const deletedServerTable = new Table<shoal.v1.DeletedServer>({
  name: 'deleted-server',
  codec: v1.DeletedServer,
  id: (r) => r.id,
  indexes: [{ name: 'project', keys: (r) => [indexKey(r.projectId)] }],
});

/** Long work (node/host/jobs). Two jobs about one subject are never under way. */
export const jobTable = new Table<shoal.v1.Job>({
  name: 'job',
  codec: v1.Job,
  id: (r) => r.id,
  indexes: [
    { name: 'subject', unique: true, keys: (r) => (r.endedMs === 0 ? [indexKey(r.subject)] : []) },
    { name: 'under-way', keys: (r) => (r.endedMs === 0 ? ['yes'] : []) },
  ],
});

/** Nova server groups: affinity rules. The members are found by the servers' own index. */
export const serverGroupTable = new Table<shoal.v1.ServerGroup>({
  name: 'server-group',
  codec: v1.ServerGroup,
  id: (r) => r.id,
  indexes: [{ name: 'project', keys: (r) => [indexKey(r.projectId)] }],
});

/** Nova keypairs, public halves only; a user's own, as in Nova, and not a project's. */
export const keypairTable = new Table<shoal.v1.Keypair>({
  name: 'keypair',
  codec: v1.Keypair,
  id: (r) => r.id,
  indexes: [{ name: 'user', keys: (r) => [indexKey(r.userId)] }],
});

/** Neutron networks. A VNI belongs to one network; 0: an external network, which has none. */
export const networkTable = new Table<shoal.v1.Network>({
  name: 'network',
  codec: v1.Network,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'vni', unique: true, keys: (r) => (r.vni === 0 ? [] : [String(r.vni)]) },
  ],
});

/** Who may use a thing beside its own project. One policy says one thing once. */
export const rbacPolicyTable = new Table<shoal.v1.RbacPolicy>({
  name: 'rbac-policy',
  codec: v1.RbacPolicy,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'object', keys: (r) => [indexKey(r.objectType, r.objectId)] },
    { name: 'grant', unique: true, keys: (r) => [indexKey(r.objectType, r.objectId, r.action, r.targetProject)] },
  ],
});

/** Neutron subnets; addresses in use are those of the ports (`ip` index of `portTable`). */
export const subnetTable = new Table<shoal.v1.Subnet>({
  name: 'subnet',
  codec: v1.Subnet,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'network', keys: (r) => [indexKey(r.networkId)] },
    { name: 'pool', keys: (r) => (r.subnetPoolId === '' ? [] : [indexKey(r.subnetPoolId)]) },
  ],
});

/** Neutron subnet pools: prefixes that subnets are cut from. One of each family is the default. */
export const subnetPoolTable = new Table<shoal.v1.SubnetPool>({
  name: 'subnet-pool',
  codec: v1.SubnetPool,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'default', unique: true, keys: (r) => (r.isDefault ? [r.prefixes[0]?.includes(':') ? '6' : '4'] : []) },
  ],
});

/**
 * Neutron ports. Unique: a MAC within its network, a fixed address within its subnet; so no two ports can be given one
 * address, whichever agents make them.
 */
export const portTable = new Table<shoal.v1.Port>({
  name: 'port',
  codec: v1.Port,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'network', keys: (r) => [indexKey(r.networkId)] },
    { name: 'device', keys: (r) => (r.deviceId === '' ? [] : [indexKey(r.deviceId)]) },
    { name: 'host', keys: (r) => (r.hostId === '' ? [] : [r.hostId]) },
    { name: 'security-group', keys: (r) => r.securityGroupIds.map((id) => indexKey(id)) },
    { name: 'mac', unique: true, keys: (r) => (r.sharesMac ? [] : [indexKey(r.networkId, r.mac)]) },
    { name: 'ip', unique: true, keys: (r) => r.fixedIps.map((fixed) => indexKey(fixed.subnetId, fixed.ip)) },
  ],
});

/** Neutron routers. `snatHostId` is the host that does source NAT, `transitVni` the network that leads to it. */
export const routerTable = new Table<shoal.v1.Router>({
  name: 'router',
  codec: v1.Router,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'external-network', keys: (r) => (r.externalNetworkId === '' ? [] : [indexKey(r.externalNetworkId)]) },
    { name: 'snat-host', keys: (r) => (r.snatHostId === '' ? [] : [r.snatHostId]) },
    { name: 'transit-vni', unique: true, keys: (r) => (r.transitVni === 0 ? [] : [String(r.transitVni)]) },
  ],
});

/** Neutron floating IPs, attached to a port or free; an address is unique within its external network. */
export const floatingIpTable = new Table<shoal.v1.FloatingIp>({
  name: 'floating-ip',
  codec: v1.FloatingIp,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'port', keys: (r) => (r.portId === '' ? [] : [indexKey(r.portId)]) },
    { name: 'forwarded-port', keys: (r) => forwardedPortsOf(r.portForwardings) },
    { name: 'address', unique: true, keys: (r) => [indexKey(r.floatingNetworkId, r.floatingIp)] },
    // A port's fixed address leads out by one floating address at most.
    { name: 'fixed', unique: true, keys: (r) => (r.portId === '' ? [] : [indexKey(r.portId, r.fixedIp)]) },
  ],
});

/** Neutron security groups with their rules in them; a rule's id leads to its group. */
export const securityGroupTable = new Table<shoal.v1.SecurityGroup>({
  name: 'security-group',
  codec: v1.SecurityGroup,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    // Each project has one group called "default", which cannot be made twice.
    { name: 'default', unique: true, keys: (r) => (r.name === 'default' ? [indexKey(r.projectId)] : []) },
    { name: 'rule', unique: true, keys: (r) => r.rules.map((rule) => indexKey(rule.id)) },
    { name: 'address-group', keys: (r) => addressGroupsOf(r.rules) },
  ],
});

/** What the rules of new security groups are made from: one row, once an administrator has changed any. */
export const defaultGroupRulesTable = new Table<shoal.v1.DefaultGroupRules>({
  name: 'default-group-rules',
  codec: v1.DefaultGroupRules,
  id: (r) => r.id,
  indexes: [],
});

/** Neutron address groups; the rules that speak of one are found by their groups' own index. */
export const addressGroupTable = new Table<shoal.v1.AddressGroup>({
  name: 'address-group',
  codec: v1.AddressGroup,
  id: (r) => r.id,
  indexes: [{ name: 'project', keys: (r) => [indexKey(r.projectId)] }],
});

/** Limits of projects that differ from the configured ones, by project id. -1: no limit. */
export const quotaTable = new Table<shoal.v1.Quota>({ name: 'quota', codec: v1.Quota, id: (r) => r.id, indexes: [] });

/** Nova host aggregates; `number` is the id that Nova's API shows, and is never given out twice. */
export const aggregateTable = new Table<shoal.v1.HostAggregate>({
  name: 'aggregate',
  codec: v1.HostAggregate,
  id: (r) => r.id,
  indexes: [
    { name: 'name', unique: true, keys: (r) => [indexKey(r.name)] },
    { name: 'number', unique: true, keys: (r) => [String(r.number)] },
    { name: 'host', keys: (r) => r.hostIds },
  ],
});

/** Cinder volumes. The row goes last: when its bytes are gone. */
export const volumeTable = new Table<shoal.v1.Volume>({
  name: 'volume',
  codec: v1.Volume,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'host', keys: (r) => (r.hostId === '' ? [] : [r.hostId]) },
    { name: 'server', keys: (r) => serversOf(r.attachments) },
    // An attachment's id leads to its volume.
    { name: 'attachment', unique: true, keys: (r) => r.attachments.map(({ id }) => indexKey(id ?? '')) },
    { name: 'type', keys: (r) => (r.typeId === '' ? [] : [indexKey(r.typeId)]) },
    { name: 'group', keys: (r) => (r.groupId === '' ? [] : [indexKey(r.groupId)]) },
    { name: 'source-volume', keys: (r) => (r.sourceVolumeId === '' ? [] : [indexKey(r.sourceVolumeId)]) },
    { name: 'source-snapshot', keys: (r) => (r.sourceSnapshotId === '' ? [] : [indexKey(r.sourceSnapshotId)]) },
    // Bytes that were there before belong to one volume.
    { name: 'managed', unique: true, keys: (r) => (r.managedName === '' ? [] : [indexKey(r.pool, r.managedName)]) },
  ],
});

/** Cinder snapshots, kept by the host of their volume. */
export const volumeSnapshotTable = new Table<shoal.v1.VolumeSnapshot>({
  name: 'volume-snapshot',
  codec: v1.VolumeSnapshot,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'volume', keys: (r) => [indexKey(r.volumeId)] },
    { name: 'host', keys: (r) => (r.hostId === '' ? [] : [r.hostId]) },
    { name: 'group-snapshot', keys: (r) => (r.groupSnapshotId === '' ? [] : [indexKey(r.groupSnapshotId)]) },
  ],
});

/** Cinder volume types; a name is unique, and one at most is the default. */
export const volumeTypeTable = new Table<shoal.v1.VolumeType>({
  name: 'volume-type',
  codec: v1.VolumeType,
  id: (r) => r.id,
  indexes: [
    { name: 'name', unique: true, keys: (r) => [indexKey(r.name)] },
    { name: 'default', unique: true, keys: (r) => (r.isDefault ? ['yes'] : []) },
    { name: 'qos', keys: (r) => (r.qosSpecsId === '' ? [] : [indexKey(r.qosSpecsId)]) },
  ],
});

/** Types that single projects have instead of the default one. */
export const volumeDefaultTypeTable = new Table<shoal.v1.VolumeDefaultType>({
  name: 'volume-default-type',
  codec: v1.VolumeDefaultType,
  id: (r) => r.id,
  indexes: [{ name: 'type', keys: (r) => [indexKey(r.typeId)] }],
});

/** Cinder QoS specs, which types name. */
export const qosSpecsTable = new Table<shoal.v1.QosSpecs>({
  name: 'qos-specs',
  codec: v1.QosSpecs,
  id: (r) => r.id,
  indexes: [{ name: 'name', unique: true, keys: (r) => [indexKey(r.name)] }],
});

/** Cinder backups. `host` is the one that writes, reads or removes the objects. */
export const volumeBackupTable = new Table<shoal.v1.VolumeBackup>({
  name: 'volume-backup',
  codec: v1.VolumeBackup,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'volume', keys: (r) => [indexKey(r.volumeId)] },
    { name: 'host', keys: (r) => (r.hostId === '' ? [] : [r.hostId]) },
    { name: 'parent', keys: (r) => (r.parentId === '' ? [] : [indexKey(r.parentId)]) },
  ],
});

/** Offers of volumes to other projects; one for a volume at most. */
export const volumeTransferTable = new Table<shoal.v1.VolumeTransfer>({
  name: 'volume-transfer',
  codec: v1.VolumeTransfer,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'volume', unique: true, keys: (r) => [indexKey(r.volumeId)] },
  ],
});

/** Cinder's generic groups. The members are found by the volumes' own index. */
export const volumeGroupTable = new Table<shoal.v1.VolumeGroup>({
  name: 'volume-group',
  codec: v1.VolumeGroup,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'host', keys: (r) => (r.hostId === '' ? [] : [r.hostId]) },
  ],
});

/** What groups are made as. */
export const volumeGroupTypeTable = new Table<shoal.v1.VolumeGroupType>({
  name: 'volume-group-type',
  codec: v1.VolumeGroupType,
  id: (r) => r.id,
  indexes: [{ name: 'name', unique: true, keys: (r) => [indexKey(r.name)] }],
});

/** Snapshots of all volumes of a group at one instant. */
export const volumeGroupSnapshotTable = new Table<shoal.v1.VolumeGroupSnapshot>({
  name: 'volume-group-snapshot',
  codec: v1.VolumeGroupSnapshot,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'group', keys: (r) => [indexKey(r.groupId)] },
  ],
});

/** What Cinder tells owners of what went wrong; each is kept until it expires. */
export const volumeMessageTable = new Table<shoal.v1.VolumeMessage>({
  name: 'volume-message',
  codec: v1.VolumeMessage,
  id: (r) => r.id,
  indexes: [
    { name: 'project', keys: (r) => [indexKey(r.projectId)] },
    { name: 'resource', keys: (r) => [indexKey(r.resourceId)] },
  ],
});

function addressGroupsOf(rules: readonly shoal.v1.ISecurityGroupRule[]): string[] {
  const ids = rules.map(({ remoteAddressGroupId }) => remoteAddressGroupId ?? '').filter((id) => id !== '');
  return [...new Set(ids)].map((id) => indexKey(id));
}

function forwardedPortsOf(forwardings: readonly shoal.v1.IPortForwarding[]): string[] {
  return [...new Set(forwardings.map(({ portId }) => indexKey(portId ?? '')))];
}

function serversOf(attachments: readonly shoal.v1.IVolumeAttachment[]): string[] {
  const ids = attachments.map(({ serverId }) => serverId ?? '').filter((id) => id !== '');
  return [...new Set(ids)].map((id) => indexKey(id));
}
