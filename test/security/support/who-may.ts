/**
 * Which callers each kind of grant lets in, written by hand beside the rules' own language: the enumeration would prove
 * nothing if it asked the rules what they should say.
 */
import type { PolicyRule } from '../../../api-gateway/policies/rule.ts';
import { type LivingCaller, livingCallers } from './policy-callers.ts';

const cloudAdmins: readonly LivingCaller[] = ['admin of a project'];
const managers: readonly LivingCaller[] = [...cloudAdmins, 'manager'];
const members: readonly LivingCaller[] = [...managers, 'member', 'member of a foreign project'];
const readers: readonly LivingCaller[] = [...members, 'reader'];
/** Nobody's own user, project or domain is asked about in the enumeration: what is left are administrators. */
const identityAdmins: readonly LivingCaller[] = ['admin of a project', 'admin of a domain'];
const systemReaders = 'the role admin, or reader in a token for the system';

/** By the grant's own words. */
const whoMay: Readonly<Record<string, readonly LivingCaller[]>> = {
  'a token': livingCallers,
  'the role admin': identityAdmins,
  'the role admin, in a token for a project or for the system': cloudAdmins,
  'the role manager, in a token for a project': managers,
  'the role member, in a token for a project': members,
  'the role reader or member, in a token for a project': readers,
  [systemReaders]: identityAdmins,
  [`${systemReaders}, or to be asked by the user it is about`]: identityAdmins,
  [`${systemReaders}, or a token for that project`]: identityAdmins,
  [`${systemReaders}, or a token for that domain or a project in it`]: identityAdmins,
  // By its own socket only, whatever the token says.
  "the agent's own socket, as root at a host (shoal admin)": [],
};

/** Throws for a grant that the table has no line for: the author of a grant says here whom it lets in. */
export function callersAllowed(rule: PolicyRule): readonly LivingCaller[] {
  const { needs } = rule.grant;
  const allowed = Object.hasOwn(whoMay, needs) ? whoMay[needs] : undefined;
  if (allowed === undefined) throw new Error(`who-may.ts has no line for the grant of ${rule.name}: ${needs}`);
  return allowed;
}
