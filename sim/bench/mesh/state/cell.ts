/**
 * The records of a cell as its services would have written them, in transactions: hosts, users and projects, networks with a
 * router for each few, ports, servers. One host is the one that is looked at: so many guests in so many networks, whose other
 * ports are on hosts all over the cell.
 */
import { createHash } from 'node:crypto';
import type { HostId } from '../../../../node/base/ids.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { deviceOwners } from '../../../../node/services/kit/device-owners.ts';
import { TransactionBuilder } from '../../../../node/state/table.ts';
import {
  domainTable,
  flavorTable,
  hostTable,
  imageTable,
  meshTable,
  networkTable,
  portTable,
  projectTable,
  roleAssignmentTable,
  roleTable,
  routerTable,
  securityGroupTable,
  serverTable,
  subnetTable,
  userTable,
} from '../../../../node/state/tables/index.ts';
import type { Transaction } from '../../../../node/state/types.ts';
import { shoal } from '../../../../proto/messages.ts';

const v1 = shoal.v1;

const imageCount = 10;
const createdMs = Date.UTC(2026, 10, 30);

/** How large a cell is. */
export interface CellShape {
  readonly hosts: number;
  readonly portsANetwork: number;
  /** Of the host that is looked at. */
  readonly guests: number;
  readonly networks: number;
  /** Of networks in which that host has nothing. */
  readonly otherNetworks: number;
  /** Networks that one project has, and its one router joins: a host that carries one carries all of them. */
  readonly networksARouter: number;
}

/** A cell whose records are made as they are asked for. The same shape gives the same records. */
export class Cell {
  readonly shape: CellShape;
  readonly hostIds: readonly HostId[];
  /** The host that is looked at, and its guests. */
  readonly target: HostId;
  readonly targetServerIds: string[] = [];
  /** Those of other hosts. */
  readonly otherServerIds: string[] = [];
  readonly #random = new Prng(13);
  #addresses = 0;

  constructor(shape: CellShape) {
    this.shape = shape;
    this.hostIds = Array.from({ length: shape.hosts }, () => this.#hex(32) as HostId);
    this.target = this.hostIds[0] as HostId;
  }

  /** How many servers there are, once all records have been made. */
  get serverCount(): number {
    return this.targetServerIds.length + this.otherServerIds.length;
  }

  /** All records, each transaction no larger than a service's largest. */
  *transactions(): Generator<Transaction, void, undefined> {
    let change = new TransactionBuilder();
    for (const insert of this.#inserts()) {
      if (!change.hasRoom) {
        yield change.build();
        change = new TransactionBuilder();
      }
      insert(change);
    }
    if (!change.isEmpty) yield change.build();
  }

  *#inserts(): Generator<Insert, void, undefined> {
    yield* this.#common();
    const { networks, otherNetworks, networksARouter } = this.shape;
    for (let first = 0; first < networks; first += networksARouter) {
      yield* this.#project(Math.min(networksARouter, networks - first), true);
    }
    for (let first = 0; first < otherNetworks; first += networksARouter) {
      yield* this.#project(Math.min(networksARouter, otherNetworks - first), false);
    }
  }

  *#common(): Generator<Insert, void, undefined> {
    const mesh = { id: 'mesh', meshId: this.#uuid(), name: 'bench', authorityCertificatePem: 'x'.repeat(700) };
    yield (change) =>
      meshTable.insert(change, new v1.Mesh({ ...mesh, defaultStorage: 'local', createdMs, cell: 'bench' }));
    yield (change) => domainTable.insert(change, new v1.Domain({ id: 'default', name: 'Default', enabled: true }));
    for (const name of ['admin', 'member', 'reader', 'service']) {
      yield (change) => roleTable.insert(change, new v1.Role({ id: name, name }));
    }
    yield (change) => flavorTable.insert(change, flavor);
    for (let number = 0; number < imageCount; number += 1)
      yield (change) => imageTable.insert(change, this.#image(number));
    for (const [at, id] of this.hostIds.entries()) yield (change) => hostTable.insert(change, this.#host(id, at + 1));
  }

  /** A project with its user, its networks behind a router, and guests on all their ports. */
  *#project(networks: number, isOfTarget: boolean): Generator<Insert, void, undefined> {
    const projectId = this.#hex(32);
    const userId = this.#hex(32);
    const base = { projectId, createdMs, updatedMs: createdMs };
    yield (change) => {
      const record = { id: projectId, name: `p-${projectId.slice(0, 8)}`, domainId: 'default', enabled: true };
      projectTable.insert(change, new v1.Project(record));
      userTable.insert(change, this.#user(userId, projectId));
      const id = `${userId}/${projectId}/member`;
      roleAssignmentTable.insert(change, new v1.RoleAssignment({ id, userId, projectId, roleId: 'member' }));
    };
    const groupId = this.#uuid();
    yield (change) => securityGroupTable.insert(change, this.#group(groupId, base));
    const routerId = this.#uuid();
    const router = { id: routerId, name: 'router', adminStateUp: true, snat: true, ...base };
    yield (change) => routerTable.insert(change, new v1.Router(router));
    for (let number = 0; number < networks; number += 1) {
      const networkId = this.#uuid();
      const subnetId = this.#uuid();
      yield (change) => this.#network(change, { number, networkId, subnetId, base });
      const place = { networkId, subnetId, number, base };
      yield (change) => portTable.insert(change, this.#port(place, 1, { routerId }));
      for (let nth = 1; nth < this.shape.portsANetwork; nth += 1) {
        yield (change) => this.#guest(change, place, nth, { groupId, userId, hostId: this.#hostFor(isOfTarget) });
      }
    }
  }

  /** The first guests of its own networks are the target's, as many as it has to have. */
  #hostFor(isOfTarget: boolean): HostId {
    const { guests, hosts, networks, portsANetwork } = this.shape;
    const every = Math.floor((networks * (portsANetwork - 1)) / Math.max(1, guests));
    const isOwn = isOfTarget && this.targetServerIds.length < guests && this.serverCount % Math.max(1, every) === 0;
    return isOwn ? this.target : (this.hostIds[1 + this.#random.below(hosts - 1)] as HostId);
  }

  #network(change: TransactionBuilder, { number, networkId, subnetId, base }: NetworkPlace): void {
    const vni = 4096 + this.#next();
    const common = { name: `net-${number}`, adminStateUp: true, portSecurityEnabled: true, mtu: 1450 };
    networkTable.insert(change, new v1.Network({ id: networkId, vni, ...common, ...base }));
    const cidr = `10.${number}.0.0/24`;
    const addresses = { cidr, gatewayIp: `10.${number}.0.1`, serviceIp: `10.${number}.0.2`, dhcp: true };
    const pools = [new v1.AddressRange({ start: `10.${number}.0.2`, end: `10.${number}.0.254` })];
    subnetTable.insert(change, new v1.Subnet({ id: subnetId, name: '', networkId, ...addresses, pools, ...base }));
  }

  #guest(
    change: TransactionBuilder,
    place: NetworkPlace,
    nth: number,
    { groupId, userId, hostId }: { readonly groupId: string; readonly userId: string; readonly hostId: HostId },
  ): void {
    const id = this.#uuid();
    const name = `server-${this.serverCount}`;
    const port = this.#port(place, nth + 2, { serverId: id, name, hostId, groupId });
    portTable.insert(change, port);
    (hostId === this.target ? this.targetServerIds : this.otherServerIds).push(id);
    serverTable.insert(
      change,
      new v1.Server({
        ...place.base,
        id,
        name,
        hostname: name,
        userId,
        flavor,
        imageId: imageIdOf(this.#random.below(imageCount)),
        hostId,
        generation: 1,
        powerWanted: v1.PowerWanted.POWER_WANTED_RUNNING,
        status: v1.ServerStatus.SERVER_STATUS_ACTIVE,
        keyName: 'key',
        publicKey: `ssh-ed25519 ${'A'.repeat(68)} somebody@example.org`,
        portIds: [port.id],
        zone: 'nova',
        storage: 'local',
        rootVolumeId: this.#uuid(),
        launchedMs: createdMs,
        powerState: 1,
        reservationId: `r-${this.#hex(8)}`,
        securityGroupNames: ['default'],
        askedRevision: 1,
        observedRevision: 1,
        actions: [
          new v1.ServerAction({
            action: 'create',
            requestId: `req-${this.#uuid()}`,
            userId,
            projectId: place.base.projectId,
            startMs: createdMs,
          }),
        ],
      }),
    );
  }

  #port(
    { networkId, subnetId, number, base }: NetworkPlace,
    last: number,
    of:
      | { readonly routerId: string }
      | { readonly serverId: string; readonly name: string; readonly hostId: string; readonly groupId: string },
  ): shoal.v1.Port {
    const mac = `fa:16:3e:${this.#hex(2)}:${this.#hex(2)}:${this.#hex(2)}`;
    const fixedIps = [new v1.FixedIp({ subnetId, ip: `10.${number}.0.${last}` })];
    const common = { id: this.#uuid(), networkId, mac, fixedIps, adminStateUp: true, status: 'ACTIVE', ...base };
    if ('routerId' in of) {
      return new v1.Port({ ...common, deviceId: of.routerId, deviceOwner: deviceOwners.routerInterface });
    }
    const device = {
      deviceId: of.serverId,
      deviceOwner: 'compute:nova',
      hostId: of.hostId,
      madeForServer: true,
      dnsName: of.name,
    };
    return new v1.Port({ ...common, ...device, securityGroupIds: [of.groupId], portSecurityEnabled: true });
  }

  #group(id: string, base: Base): shoal.v1.SecurityGroup {
    const rule = (fields: Partial<shoal.v1.SecurityGroupRule>): shoal.v1.SecurityGroupRule =>
      new v1.SecurityGroupRule({ id: this.#uuid(), ethertype: 'IPv4', portMin: -1, portMax: -1, ...fields });
    const rules = [rule({ direction: 'egress' }), rule({ direction: 'ingress', remoteGroupId: id })];
    return new v1.SecurityGroup({ id, name: 'default', description: 'Default', rules, stateful: true, ...base });
  }

  #host(id: HostId, number: number): shoal.v1.Host {
    const address = `10.${100 + Math.floor(number / 62_500)}.${Math.floor(number / 250) % 250}.${(number % 250) + 1}`;
    return new v1.Host({
      id,
      name: `host-${number}`,
      publicKey: createHash('sha256').update(id).digest(),
      raftId: number,
      peerAddress: `${address}:7401`,
      grpcAddress: `${address}:7400`,
      apiUrl: `https://${address}:5000`,
      gossipAddress: `/ip4/${address}/tcp/7402`,
      vtepIp: address,
      transitIndex: number,
      zone: 'nova',
      failureDomain: `rack-${Math.floor(number / 40)}`,
      joinedMs: createdMs,
      version: '0.1.0',
      tlsKeySha256: createHash('sha256').update(`tls ${id}`).digest(),
      holdsSlices: true,
    });
  }

  #user(id: string, defaultProjectId: string): shoal.v1.User {
    const passwordHash = `$argon2id$v=19$m=19456,t=2,p=1$${'c'.repeat(22)}$${'d'.repeat(43)}`;
    const name = `user-${id.slice(0, 8)}`;
    return new v1.User({ id, name, domainId: 'default', passwordHash, defaultProjectId, enabled: true });
  }

  #image(number: number): shoal.v1.Image {
    const common = { visibility: 'public', status: v1.ImageStatus.IMAGE_STATUS_ACTIVE, diskFormat: 'qcow2' };
    const id = imageIdOf(number);
    return new v1.Image({ id, name: `image-${number}`, containerFormat: 'bare', sha256: this.#hex(64), ...common });
  }

  #next(): number {
    this.#addresses += 1;
    return this.#addresses;
  }

  #hex(length: number): string {
    let text = '';
    while (text.length < length) text += this.#random.uint32().toString(16).padStart(8, '0');
    return text.slice(0, length);
  }

  #uuid(): string {
    const hex = this.#hex(32);
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }
}

type Insert = (change: TransactionBuilder) => void;

interface Base {
  readonly projectId: string;
  readonly createdMs: number;
  readonly updatedMs: number;
}

interface NetworkPlace {
  /** Within its project. */
  readonly number: number;
  readonly networkId: string;
  readonly subnetId: string;
  readonly base: Base;
}

const flavor = new v1.Flavor({
  id: '42',
  name: 'm1.nano',
  vcpus: 1,
  memoryMib: 128,
  diskGib: 1,
  rxtxFactor: 1,
  isPublic: true,
});

function imageIdOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}
