/** The first records of a new mesh: enough to log in and boot a guest. All of them in one transaction, or none. */
import { shoal } from '../../../proto/messages.ts';
import { indexKey, type TransactionBuilder } from '../../state/table.ts';
import {
  domainTable,
  flavorTable,
  projectTable,
  roleAssignmentTable,
  roleTable,
  userTable,
} from '../../state/tables/index.ts';
import { defaultDomainId } from '../identity/directory.ts';
import { Passwords } from '../identity/passwords.ts';
import { newAssignment, systemScope } from '../identity/roles.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { transact } from '../kit/transact.ts';

/** Roles that clients and tempest count on. */
const roleNames = ['admin', 'manager', 'member', 'reader', 'service', 'ResellerAdmin'] as const;

/** Sizes that clients and tempest count on: id, name, vCPUs, memory in MiB, root disk in GiB. */
const flavors = [
  ['42', 'm1.nano', 1, 128, 1],
  ['1', 'm1.tiny', 1, 512, 1],
  ['2', 'm1.small', 1, 2048, 20],
  ['3', 'm1.medium', 2, 4096, 40],
  ['4', 'm1.large', 4, 8192, 80],
] as const;

/** Ids of what was made, for the caller that goes on setting up. */
interface Bootstrapped {
  readonly adminUserId: string;
  readonly adminProjectId: string;
}

interface BootstrapOptions {
  /** Of the user `admin`; 1 to 1024 bytes. */
  readonly adminPassword: string;
  readonly signal: AbortSignal;
  /** Adds what else a new mesh begins with (its own row, the first host) to the same transaction. */
  readonly also?: (builder: TransactionBuilder) => void;
}

/**
 * Writes the first records. Done already: changes nothing, not even the password, and returns what is there.
 * Throws `INVALID_ARGUMENT` for an unusable password.
 */
export async function bootstrap(deps: ServiceDependencies, options: BootstrapOptions): Promise<Bootstrapped> {
  const passwordHash = await new Passwords().hash(options.adminPassword);
  return transact(deps, options, ({ reader, change }) => {
    if (domainTable.get(reader, defaultDomainId) !== undefined) {
      const user = userTable.one(reader, 'name', indexKey(defaultDomainId, 'admin'));
      const project = projectTable.one(reader, 'name', indexKey(defaultDomainId, 'admin'));
      return { adminUserId: user?.record.id ?? '', adminProjectId: project?.record.id ?? '' };
    }
    const made = addFirstRecords(change, passwordHash, () => deps.newId().replaceAll('-', ''));
    options.also?.(change);
    return made;
  });
}

function addFirstRecords(builder: TransactionBuilder, passwordHash: string, newId: () => string): Bootstrapped {
  const { Domain, Project, User, Role, Flavor } = shoal.v1;
  domainTable.insert(
    builder,
    new Domain({ id: defaultDomainId, name: 'Default', description: 'The default domain', enabled: true }),
  );
  const project = new Project({
    id: newId(),
    name: 'admin',
    domainId: defaultDomainId,
    description: 'Project of the administrators',
    enabled: true,
  });
  projectTable.insert(builder, project);
  const user = new User({
    id: newId(),
    name: 'admin',
    domainId: defaultDomainId,
    passwordHash,
    defaultProjectId: project.id,
    enabled: true,
  });
  userTable.insert(builder, user);
  for (const name of roleNames) {
    const role = new Role({ id: newId(), name });
    roleTable.insert(builder, role);
    if (name !== 'admin') continue;
    for (const scope of [
      { projectId: project.id, domainId: '' },
      { projectId: '', domainId: defaultDomainId },
      systemScope,
    ]) {
      roleAssignmentTable.insert(builder, newAssignment(user.id, scope, role.id));
    }
  }
  for (const [id, name, vcpus, memoryMib, diskGib] of flavors) {
    flavorTable.insert(builder, new Flavor({ id, name, vcpus, memoryMib, diskGib, rxtxFactor: 1, isPublic: true }));
  }
  return { adminUserId: user.id, adminProjectId: project.id };
}
