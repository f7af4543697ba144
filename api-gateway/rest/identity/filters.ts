/** What the query of a list may ask for, by Keystone's names, and what it demands of an item. */
import { ShoalError } from '../../../node/base/errors.ts';
import type { shoal } from '../../../proto/messages.ts';
import { shown } from '../../kit/input.ts';
import { type Filter, type Filters, once } from '../kit/lists/filter.ts';
import { readInstant } from '../kit/lists/instant.ts';

export type { Filters };

/** Keystone's comparisons of text, `name__contains` and so on; each also with an `i` in front: case does not matter. */
const comparisons: Readonly<Record<string, (text: string, part: string) => boolean>> = {
  contains: (text, part) => text.includes(part),
  startswith: (text, part) => text.startsWith(part),
  endswith: (text, part) => text.endsWith(part),
  equals: (text, part) => text === part,
  exact: (text, part) => text === part,
};

/** Text that is equal. */
export function exact<T>(of: (item: T) => string): Filter<T> {
  return once((text) => (item) => of(item) === text);
}

/** Text that is equal, and the comparisons of Keystone. */
export function compared<T>(key: string, of: (item: T) => string): Filters<T> {
  const filters = new Map<string, Filter<T>>([[key, exact(of)]]);
  for (const [name, holds] of Object.entries(comparisons)) {
    filters.set(
      `${key}__${name}`,
      once((text) => (item) => holds(of(item), text)),
    );
    filters.set(
      `${key}__i${name}`,
      once((text) => (item) => holds(of(item).toLowerCase(), text.toLowerCase())),
    );
  }
  return Object.fromEntries(filters);
}

/** A flag that is as asked. */
function flagged<T>(of: (item: T) => boolean): Filter<T> {
  return once((text, key) => {
    const wanted = flag(text, key);
    return (item) => of(item) === wanted;
  });
}

/** An option of the answer, which the handler reads: it chooses no items. */
const option: Filter<unknown> = once((text, key) => {
  flag(text, key);
  return undefined;
});

/** What nothing here has, so that nothing is found. */
export const nobody: Filter<unknown> = once(() => () => false);

/** Keystone's reading of a flag in a query: present without a value is true. Throws `INVALID_ARGUMENT` for another text. */
export function flag(text: string, key: string): boolean {
  const word = text.toLowerCase();
  if (['', '1', 'true', 'yes', 'on', 't', 'y'].includes(word)) return true;
  if (['0', 'false', 'no', 'off', 'f', 'n'].includes(word)) return false;
  throw new ShoalError('INVALID_ARGUMENT', `Invalid query: ${shown(key)} is true or false, not '${shown(text)}'.`);
}

/** Tags in a comma-separated list, and how many of them a project must have. */
function tagged(holds: (wanted: readonly string[], tags: readonly string[]) => boolean): Filter<shoal.v1.Project> {
  return once((text, key) => {
    const wanted = text.split(',');
    if (wanted.includes('')) {
      throw new ShoalError('INVALID_ARGUMENT', `Invalid query: ${shown(key)} is tags with commas between them.`);
    }
    return (project) => holds(wanted, project.tags);
  });
}

const hasAll = (wanted: readonly string[], tags: readonly string[]) => wanted.every((tag) => tags.includes(tag));
const hasAny = (wanted: readonly string[], tags: readonly string[]) => wanted.some((tag) => tags.includes(tag));

/** The filters of `GET /v3/domains`. */
export const domainFilters: Filters<shoal.v1.Domain> = {
  ...compared('name', (domain) => domain.name),
  enabled: flagged((domain) => domain.enabled),
};

/** The filters of `GET /v3/projects`, and of a user's own projects. Tags are parted by commas. */
export const projectFilters: Filters<shoal.v1.Project> = {
  ...compared('name', (project) => project.name),
  domain_id: exact((project) => project.domainId),
  // Projects lie below their domain and nothing else.
  parent_id: exact((project) => project.domainId),
  enabled: flagged((project) => project.enabled),
  // Projects that act as domains are not there.
  is_domain: flagged(() => false),
  tags: tagged(hasAll),
  'tags-any': tagged(hasAny),
  'not-tags': tagged((wanted, tags) => !hasAll(wanted, tags)),
  'not-tags-any': tagged((wanted, tags) => !hasAny(wanted, tags)),
};

/** The filters of `GET /v3/users`. `password_expires_at` finds nobody: passwords do not expire. */
export const userFilters: Filters<shoal.v1.User> = {
  ...compared('name', (user) => user.name),
  domain_id: exact((user) => user.domainId),
  enabled: flagged((user) => user.enabled),
  // Passwords do not expire, and a time that is not there is neither before nor after another.
  password_expires_at: once((text) => {
    const [, time] = /^(?:(?:lt|lte|gt|gte|eq|neq):)?(.*)$/.exec(text) ?? [];
    if (time === undefined || readInstant(time) === undefined) {
      throw new ShoalError(
        'INVALID_ARGUMENT',
        'Invalid query: password_expires_at is a time, with lt:, lte:, gt:, gte:, eq: or neq: before it.',
      );
    }
    return () => false;
  }),
};

/** The filters of `GET /v3/roles`. Every role has an empty `domainId`: roles of one domain cannot be made. */
export const roleFilters: Filters<shoal.v1.Role> = {
  // Keystone's data bases compare names of roles without regard to case.
  ...compared('name', (role) => role.name),
  name: once((text) => (role) => role.name.toLowerCase() === text.toLowerCase()),
  domain_id: exact((role) => role.domainId),
};

/**
 * The filters of `GET /v3/role_assignments`, by Keystone's dotted keys. The last three are options that the handler
 * reads.
 */
export const assignmentFilters: Filters<shoal.v1.RoleAssignment> = {
  'user.id': exact((assignment) => assignment.userId),
  'role.id': exact((assignment) => assignment.roleId),
  'scope.project.id': exact((assignment) => assignment.projectId),
  'scope.domain.id': exact((assignment) => assignment.domainId),
  // Keystone takes `all` and, from its own command line, any flag for it; there is one system.
  'scope.system': once((text, key) => {
    const wanted = text === 'all' || flag(text, key);
    return (assignment) => assignment.system === wanted;
  }),
  // Nobody is in a group, and no role is inherited.
  'group.id': nobody,
  'scope.OS-INHERIT:inherited_to': nobody,
  effective: option,
  include_names: option,
  // Nothing lies below a project.
  include_subtree: option,
};
