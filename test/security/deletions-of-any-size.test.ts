/** A deletion of more rows than a transaction may have ends, and nothing is left; one that breaks off is taken up again (F8). */
import t from 'tap';
import ts from 'typescript';
import { ShoalError } from '../../node/base/errors.ts';
import { sources } from '../../node/dev/house/source.ts';
import { removeHost } from '../../node/services/compute/host-removal.ts';
import { HostReportService } from '../../node/services/compute/host-reports.ts';
import { IdentityDirectory } from '../../node/services/identity/directory.ts';
import { IdentityService } from '../../node/services/identity/identity.ts';
import { newAssignment } from '../../node/services/identity/roles.ts';
import { fixedTokenKeys } from '../../node/services/identity/token-keys.ts';
import { quotaUsage } from '../../node/services/kit/quota.ts';
import { editWhileRoom, transactInPieces, unfinished } from '../../node/services/kit/transact-in-pieces.ts';
import type { MemoryStateClient } from '../../node/state/client/memory-state-client.ts';
import type { Table } from '../../node/state/table.ts';
import * as tables from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import { shoal } from '../../proto/messages.ts';
import { makeComputeWorld } from '../node/services/compute-world.ts';
import { addHost, addNetwork, makeWorld, type World } from '../node/services/world.ts';

const {
  aggregateTable,
  domainTable,
  hostTable,
  imageTable,
  networkTable,
  portTable,
  projectTable,
  roleAssignmentTable,
  roleTable,
  securityGroupTable,
  serverTable,
  subnetTable,
  userTable,
} = tables;

/** More rows than the 4096 compares and ops of one transaction. */
const many = 4200;
/** As long as a text of 255 characters may be, in bytes. */
const long = '\u20ac'.repeat(255);

/** Inserts records, in as many transactions as it takes. */
async function fill<T extends object>(world: World, table: Table<T>, records: readonly T[]): Promise<void> {
  let next = 0;
  await transactInPieces(world.deps, world.admin, (attempt) => {
    const inserted: T[] = [];
    const isDone = editWhileRoom(attempt, records.slice(next), (record) => {
      table.insert(attempt.change, record);
      inserted.push(record);
    });
    next += inserted.length;
    return isDone ? undefined : unfinished;
  });
}

function directoryOf(world: World): IdentityDirectory {
  const identity = new IdentityService(world.deps, { tokenKeys: fixedTokenKeys(new Uint8Array(32).fill(1)) });
  return new IdentityDirectory(world.deps, identity.logIn);
}

const ids = (prefix: string): string[] => Array.from({ length: many }, (_, number) => `${prefix}-${number}`);
const onProject = (projectId: string) => ({ projectId, domainId: '' });

/** One kind of thing with very many others hanging on it. */
interface Case {
  readonly what: string;
  /** Makes it, and returns what deletes it. */
  readonly make: (world: World) => Promise<() => Promise<void>>;
  /** What must be nowhere afterwards. */
  readonly left: (reader: StateReader) => number;
  /** Whether it can be used while it is deleted in part. Absent: it is gone last and of no use before. */
  readonly isUsable?: (reader: StateReader) => boolean;
}

const cases: readonly Case[] = [
  {
    what: 'a user with roles in very many projects',
    make: async (world) => {
      await fill(world, userTable, [new shoal.v1.User({ id: 'u', name: 'u', domainId: 'd', enabled: true })]);
      await fill(
        world,
        roleAssignmentTable,
        ids('p').map((id) => newAssignment('u', onProject(id), 'r')),
      );
      return () => directoryOf(world).deleteUser(world.admin, 'u');
    },
    left: (reader) => userTable.list(reader).length + roleAssignmentTable.list(reader).length,
    isUsable: (reader) => userTable.get(reader, 'u')?.record.enabled === true,
  },
  {
    what: 'a project with roles of very many users',
    make: async (world) => {
      await fill(world, projectTable, [new shoal.v1.Project({ id: 'p', name: 'p', domainId: 'd', enabled: true })]);
      await fill(
        world,
        roleAssignmentTable,
        ids('u').map((id) => newAssignment(id, onProject('p'), 'r')),
      );
      return () => directoryOf(world).deleteProject(world.admin, 'p');
    },
    left: (reader) => projectTable.list(reader).length + roleAssignmentTable.list(reader).length,
    isUsable: (reader) => projectTable.get(reader, 'p')?.record.enabled === true,
  },
  {
    what: 'a role that very many users have',
    make: async (world) => {
      await fill(world, roleTable, [new shoal.v1.Role({ id: 'r', name: 'r' })]);
      await fill(
        world,
        roleAssignmentTable,
        ids('u').map((id) => newAssignment(id, onProject('p'), 'r')),
      );
      return () => directoryOf(world).deleteRole(world.admin, 'r');
    },
    left: (reader) => roleTable.list(reader).length + roleAssignmentTable.list(reader).length,
  },
  {
    what: 'a domain of very many projects, users and roles',
    make: async (world) => {
      await fill(world, domainTable, [new shoal.v1.Domain({ id: 'd', name: 'd', enabled: false })]);
      await fill(
        world,
        projectTable,
        ids('p').map((id) => new shoal.v1.Project({ id, name: id, domainId: 'd', enabled: true })),
      );
      await fill(
        world,
        userTable,
        ids('u').map((id) => new shoal.v1.User({ id, name: id, domainId: 'd', enabled: true, description: long })),
      );
      await fill(
        world,
        roleAssignmentTable,
        ids('u').map((id) => newAssignment(id, onProject('p-1'), 'r')),
      );
      await fill(
        world,
        roleAssignmentTable,
        ids('x').map((id) => newAssignment(id, { projectId: '', domainId: 'd' }, 'r')),
      );
      return () => directoryOf(world).deleteDomain(world.admin, 'd');
    },
    left: (reader) =>
      [domainTable, projectTable, userTable, roleAssignmentTable].reduce(
        (sum, table) => sum + table.list(reader).length,
        0,
      ),
    isUsable: (reader) => domainTable.get(reader, 'd')?.record.enabled === true,
  },
  {
    what: 'a network with very many subnets',
    make: async (world) => {
      const { network } = await addNetwork(world);
      await fill(
        world,
        subnetTable,
        ids('s').map(
          (id) => new shoal.v1.Subnet({ id, networkId: network.id, projectId: network.projectId, cidr: '10.9.0.0/24' }),
        ),
      );
      await raise(world, `c/quota/${network.projectId}/subnet`);
      return () => world.network.networks.delete(world.alice, network.id);
    },
    left: (reader) =>
      networkTable.list(reader).length + subnetTable.list(reader).length + portTable.list(reader).length,
  },
  {
    what: 'a security group that the rules of many large groups speak of',
    make: async (world) => {
      const gone = await world.network.securityGroups.create(world.alice, { name: 'gone' });
      const rules = (group: number, remoteGroupId: string) =>
        Array.from(
          { length: 900 },
          (_, number) =>
            new shoal.v1.SecurityGroupRule({
              id: `${group}-${number}`,
              direction: 'ingress',
              remoteGroupId,
              description: long,
            }),
        );
      const groups = Array.from(
        { length: 12 },
        (_, number) =>
          new shoal.v1.SecurityGroup({
            id: `g-${number}`,
            name: `g-${number}`,
            projectId: world.alice.projectId,
            rules: [
              ...rules(number, 'another'),
              new shoal.v1.SecurityGroupRule({ id: `about-${number}`, direction: 'ingress', remoteGroupId: gone.id }),
            ],
          }),
      );
      await fill(world, securityGroupTable, groups);
      await raise(world, `c/quota/${world.alice.projectId}/security_group_rule`);
      return () => world.network.securityGroups.delete(world.alice, gone.id);
    },
    left: (reader) =>
      securityGroupTable.list(reader).filter(({ record }) => record.name === 'gone' || record.rules.length === 901)
        .length,
  },
  {
    what: 'a subnet of which very many ports have made their addresses',
    make: async (world) => {
      const { network } = await addNetwork(world);
      const modes = { ipv6AddressMode: 'slaac', ipv6RaMode: 'slaac' };
      const draft = { networkId: network.id, cidr: 'fd00:a::/64', name: 'gone', ...modes };
      const [subnet] = await world.network.subnets.create(world.alice, [draft]);
      if (subnet === undefined) throw new Error('a subnet was made');
      const fixedIps = (number: number) => [{ subnetId: subnet.id, ip: `fd00:a::${number.toString(16)}:1` }];
      await fill(
        world,
        portTable,
        ids('auto').map(
          (id, number) => new shoal.v1.Port({ id, mac: id, networkId: network.id, fixedIps: fixedIps(number) }),
        ),
      );
      await raise(world, `c/uses/subnet/${subnet.id}`, many);
      return () => world.network.subnets.delete(world.alice, subnet.id);
    },
    left: (reader) =>
      subnetTable.list(reader).filter(({ record }) => record.name === 'gone').length +
      portTable.list(reader).filter(({ record }) => record.mac.startsWith('auto-') && record.fixedIps.length > 0)
        .length,
  },
  {
    what: 'a removed host with very many routers, aggregates and images, each as large as may be',
    make: async (world) => {
      const { id } = await addHost(world, 1);
      const staying = await addHost(world, 2);
      world.state.voters = [2];
      const tags = Array.from({ length: 50 }, () => long);
      await fill(
        world,
        tables.routerTable,
        ids('r')
          .slice(0, 150)
          .map(
            (routerId, number) => new shoal.v1.Router({ id: routerId, snatHostId: id, tags, transitVni: number + 1 }),
          ),
      );
      const metadata = Object.fromEntries(
        Array.from({ length: 128 }, (_, number) => [`${number}${long}`.slice(0, 255), long]),
      );
      await fill(
        world,
        aggregateTable,
        ids('a')
          .slice(0, 60)
          .map(
            (aggregateId, number) =>
              new shoal.v1.HostAggregate({ id: aggregateId, name: aggregateId, number, hostIds: [id], metadata }),
          ),
      );
      const properties = { text: long.repeat(500) };
      await fill(
        world,
        imageTable,
        ids('i')
          .slice(0, 60)
          .map((imageId) => new shoal.v1.Image({ id: imageId, hostIds: [id, staying.id], properties })),
      );
      const deps = {
        ...world.deps,
        hostProbe: { answers: async () => true },
        hostViews: { adverts: () => [], condition: () => 'unknown' as const },
        rekey: () => 1,
      };
      return async () => {
        await removeHost(deps, { host: id, force: true, signal: world.admin.signal });
      };
    },
    left: (reader) => {
      const gone = '1'.repeat(32);
      return (
        Number(hostTable.exists(reader, gone)) +
        tables.routerTable.by(reader, 'snat-host', gone).length +
        aggregateTable.by(reader, 'host', gone).length +
        imageTable.list(reader).filter(({ record }) => record.hostIds.includes(gone)).length
      );
    },
  },
];

/** Counts many more uses than there are, so that giving them back is not refused: rows were filled in, not created. */
async function raise(world: World, key: string, delta = 1_000_000): Promise<void> {
  await world.state.commit({
    compares: [],
    thenOps: [{ kind: 'add', key, delta, min: 0, max: Number.MAX_SAFE_INTEGER }],
    elseOps: [],
  });
}

/** Commits that go through before the quorum is lost. */
function loseQuorumAfter(state: MemoryStateClient, commits: number): () => void {
  const commit = state.commit.bind(state);
  let left = commits;
  state.commit = async (transaction, options) => {
    if (left-- <= 0) throw new ShoalError('NO_QUORUM', 'Too few voters are left.');
    return commit(transaction, options);
  };
  return () => {
    state.commit = commit;
  };
}

for (const { what, make, left, isUsable } of cases) {
  void t.test(`F8: ${what}: its deletion ends and leaves nothing`, async (t) => {
    const world = makeWorld();
    const remove = await make(world);
    t.ok(left(world.state.local) > 0, 'it is there');
    const back = loseQuorumAfter(world.state, 1);
    await t.rejects(remove(), { code: 'NO_QUORUM' }, 'it takes more than one transaction');
    back();
    t.ok(left(world.state.local) > 0, 'what broke off is there to be taken up again');
    t.not(isUsable?.(world.state.local), true, 'and of no use to anybody');
    await remove();
    t.equal(left(world.state.local), 0);
  });
}

void t.test('F8: a server that very many ports of its project name', async (t) => {
  const world = await makeComputeWorld();
  const { network } = await addNetwork(world);
  const draft = { name: 'guest', flavorId: '1', imageId: 'image-1', networks: [{ networkId: network.id }] };
  const [server] = (await world.compute.servers.create(world.alice, draft)).servers;
  if (server === undefined) throw new Error('no server was made');
  await fill(
    world,
    portTable,
    ids('n').map(
      (id) =>
        new shoal.v1.Port({
          id,
          mac: id,
          projectId: world.alice.projectId,
          networkId: network.id,
          deviceId: server.id,
        }),
    ),
  );
  await world.compute.servers.delete(world.alice, server.id);
  const record = serverTable.must(world.state.local, server.id).record;
  const reports = new HostReportService(world.deps, record.hostId as never, world.admin.signal);
  await reports.deleted(record);
  t.notOk(serverTable.exists(world.state.local, server.id));
  t.equal(portTable.by(world.state.local, 'device', server.id).length, 0);
  t.equal(quotaUsage(world.state.local, world.alice.projectId, 'instances'), 0);
});

/**
 * Loops that write rows of one transaction and are bounded by something else than its room: `file: function`, and by what.
 * All others ask the change for room before each row, or are in a piece that says `unfinished`.
 */
const boundedLoops: Readonly<Record<string, string>> = {
  'node/host/tasks/forget-deleted-servers.ts: run': 'removedAtOnceMax',
  'node/cluster/restore-mesh.ts: renewMesh': 'the epochs before the last: each re-keying leaves one',
  'node/cluster/restore-mesh.ts: refuseFormerKeys': 'asks for room before each row, in makeRoom',
  'node/host/tasks/forget-ended-jobs.ts: run': 'removedAtOnceMax',
  'node/host/tasks/forget-expired-messages.ts: run': 'removedAtOnceMax',
  'node/host/tasks/reseal-secrets.ts: noteDone': 'the epochs before the last: each re-keying leaves one',
  'node/services/cluster/bootstrap.ts: addFirstRecords': 'a list in the code',
  'node/services/compute/drains/host-drains.ts: begin': 'hostsAtOnceMax',
  'node/services/compute/history/migrations.ts: beginMigration': 'keptMax',
  'node/services/compute/history/migrations.ts: removeMigrationsOf': 'keptMax',
  'node/services/compute/host-reports.ts: #setPortStatus': 'the NICs of a server, 16',
  'node/services/compute/saved/server-image-reports.ts: #rotate': 'at most 50 backups (rotatedAtOnceMax)',
  'node/services/compute/server-create.ts: #bind': 'servers of one transaction, by their bytes (fillMax)',
  'node/services/compute/moves/placing.ts: movePorts': 'the NICs of a server, 16',
  'node/services/compute/host-reports.ts: offloaded': 'the NICs of a server, 16',
  'node/services/compute/server-shelve.ts: #bind': 'the NICs of a server, 16',
  'node/services/network/port-record.ts: renamePorts': 'the NICs of a server, 16',
  'node/services/compute/servers.ts: setSecurityGroup': 'the NICs of a server, 16',
  'node/services/identity/identity.ts: revoke': 'expiredRowsRemovedMax',
  'node/services/network/kit/forwarding-uses.ts: endForwardings':
    'floating IPs that forward to one port: as many as its project has, by quota',
  'node/services/network/port-record.ts: releaseFloatingIps':
    'the addresses of a port, 5: each has one floating IP at most',
  'node/services/network/security-groups.ts: createRules':
    'the groups that one request names; refused whole when too large',
  'node/services/kit/quota.ts: chargeQuota': 'the kinds of quota',
  'node/services/kit/quota.ts: refundQuota': 'the kinds of quota',
  'node/services/volume/groups/groups.ts: createFrom':
    'the volumes of a group, membersMax; refused whole when too large',
  'node/services/volume/kit/charges.ts: chargeAnyway': 'the kinds of quota',
  'node/state/table.ts: #writeIndexes': 'the keys of one record, which its own bounds keep few',
  'node/state/table.ts: removeUnreadable': 'the index entries of one record',
};

void t.test('F8: every loop that writes rows asks for room, or says what bounds it', async (t) => {
  const found = new Set<string>();
  for (const { path, text } of sources()) {
    if (!path.startsWith('node/') || !path.endsWith('.ts')) continue;
    for (const name of unboundedLoops(path, text)) found.add(`${path}: ${name}`);
  }
  t.strictSame([...found].sort(), Object.keys(boundedLoops).sort());
});

void t.test('F8: the rule sees a loop that forgets it', async (t) => {
  const loop = (body: string) => unboundedLoops('x.ts', `function f() { for (const row of rows) { ${body} } }`);
  t.strictSame(loop('serverTable.remove(change, row);'), ['f']);
  t.strictSame(loop('removePortRow(change, row);'), ['f']);
  t.strictSame(loop('if (!change.hasRoom) return; serverTable.remove(change, row);'), []);
  t.strictSame(unboundedLoops('x.ts', 'function g() { rows.map((row) => portTable.update(change, row, row)); }'), [
    'g',
  ]);
});

const writes = /^(remove|update|insert|removeUnreadable|op|add|bounded)$/;
const loopMethods = new Set(['forEach', 'map', 'flatMap', 'filter', 'reduce']);

/** Names of the functions with a loop that writes rows without asking for room. */
function unboundedLoops(path: string, text: string): readonly string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isLoop(node) && writesRows(node, file) && !/\b(hasRoom|unfinished)\b/.test(node.getText(file))) {
      names.push(nameOfFunction(node, file));
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names;
}

function isLoop(node: ts.Node): boolean {
  if (ts.isIterationStatement(node, false)) return true;
  return (
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression) &&
    loopMethods.has(node.expression.name.text) &&
    node.arguments.some((argument) => ts.isArrowFunction(argument))
  );
}

/** Whether rows are written within: by a table, by a change or builder, or by a function that is handed the change. */
function writesRows(node: ts.Node, file: ts.SourceFile): boolean {
  let found = false;
  const visit = (inner: ts.Node): void => {
    if (ts.isCallExpression(inner)) {
      const { expression } = inner;
      const takesChange = inner.arguments.some((argument) => /(^|\.|#)(change|builder)$/.test(argument.getText(file)));
      if (ts.isPropertyAccessExpression(expression)) {
        const on = expression.expression.getText(file);
        found ||= writes.test(expression.name.text) && (takesChange || /(^|\.|#)(change|builder)$/.test(on));
      } else if (ts.isIdentifier(expression)) {
        found ||= takesChange && /Row$|Rows$|^release/.test(expression.text);
      }
    }
    // A transaction begun within is bounded by itself.
    const begins = ts.isCallExpression(inner) && /^transact/.test(inner.expression.getText(file));
    if (!begins) ts.forEachChild(inner, visit);
  };
  ts.forEachChild(node, visit);
  return found;
}

function nameOfFunction(node: ts.Node, file: ts.SourceFile): string {
  for (let at: ts.Node | undefined = node.parent; at !== undefined; at = at.parent) {
    if ((ts.isFunctionDeclaration(at) || ts.isMethodDeclaration(at)) && at.name !== undefined)
      return at.name.getText(file);
  }
  return '(file)';
}
