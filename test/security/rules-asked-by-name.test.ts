/**
 * F4: rights are decided by the policies alone. Services look at no role; what they ask by name is a rule that exists; and no
 * rule stands in the tables that nothing asks, which an operator would set in vain.
 */
import t from 'tap';
import { commonPolicies } from '../../api-gateway/policies/common.ts';
import { nativePolicies } from '../../api-gateway/policies/native.ts';
import { sources } from '../../node/dev/house/source.ts';

const product = sources().filter(({ path }) => path.startsWith('node/services/') || path.startsWith('api-gateway/'));
const askers = product.filter(({ path }) => !path.startsWith('api-gateway/policies/'));
const names = new Set(nativePolicies.map(({ name }) => name));

/** Rules that are asked with their names in full: the second argument of the askers, and the first of the handlers'. */
const literal =
  /(?:isAllowed(?:On)?\(\s*[\w#.]+,\s*|mayRead\(\s*context,\s*|(?:gateway\.)?(?:allows|enforce)\(\s*(?:request,\s*)?)'([^']+)'/gu;

void t.test('F4: services look at no role', (t) => {
  // The identity service keeps roles, and the founding of a mesh makes the first: they are records.
  const keepers = /^node\/services\/(?:identity\/|cluster\/bootstrap\.ts)/u;
  const services = product.filter(({ path }) => path.startsWith('node/services/') && !keepers.test(path));
  t.ok(services.length > 40);
  for (const { path, text } of services) {
    t.notMatch(text, /\bisAdmin\b/u, `${path}: isAdmin`);
    t.notMatch(text, /\broles\b(?!:)|\.roles\b/u, `${path}: roles`);
  }
  for (const { path, text } of askers) t.notMatch(text, /\bisAdmin\b/u, `${path}: isAdmin`);
  t.end();
});

void t.test('F4: a rule that is asked by name exists', (t) => {
  let count = 0;
  for (const { path, text } of askers) {
    for (const [, name] of text.matchAll(literal)) {
      count += 1;
      t.ok(name !== undefined && names.has(name), `${path}: ${name}`);
    }
  }
  t.ok(count > 20, `${count} questions`);
  t.end();
});

void t.test('F4: each rule guards an operation or is asked by name', (t) => {
  const templates = askers
    .flatMap(({ text }) => [...text.matchAll(/[`]([a-z_:$][^`\s]*\$\{[^`\s]*)[`]/gu)].map(([, body]) => body ?? ''))
    .map((body) => body.split(/\$\{[^}]*\}/u).map((part) => part.replace(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`)))
    // Something of the name has to stand there.
    .filter((parts) => parts.join('').length >= 6 && parts.some((part) => part.includes('_')))
    .map((parts) => new RegExp(`^${parts.join('[a-z_:]+')}$`, 'u'));
  const fromTables = /^get_(?:network|port|router):/u;
  const texts = askers.map(({ text }) => text).join('\n');
  for (const { name, operations } of nativePolicies) {
    if (operations.length > 0) continue;
    // Attributes that answers show are asked by the names that the answers give them: `shown(may, 'get_port', { ... })`.
    const [rule, ...attribute] = name.split(':');
    const isShown = fromTables.test(name) && texts.includes(`'${rule}', {`) && texts.includes(attribute.join(':'));
    const isAsked = texts.includes(`'${name}'`) || templates.some((pattern) => pattern.test(name));
    const isInPermissions = commonPolicies.some((common) => common.name === name);
    t.ok(isAsked || isShown || isInPermissions, name);
  }
  t.end();
});
