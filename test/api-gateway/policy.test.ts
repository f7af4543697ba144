import t from 'tap';
import { Policy, type PolicyCredentials } from '../../api-gateway/policies/policy.ts';
import { ShoalError } from '../../node/base/errors.ts';

const baseRules = {
  admin: 'role:admin',
  owner: 'project_id:%(project_id)s',
  reader: 'rule:admin or (rule:owner and (role:reader or role:member))',
  member: 'rule:admin or (rule:owner and role:member)',
};
const nobody: PolicyCredentials = {
  roles: [],
  scope: 'project',
  userId: 'u',
  projectId: 'p',
  domainId: '',
  projectDomainId: 'd',
};
const admin = { ...nobody, roles: ['Admin'] };
const member = { ...nobody, roles: ['member', 'reader'] };
const reader = { ...nobody, roles: ['reader'] };

void t.test('rules mean what they say', (t) => {
  const cases: [string, PolicyCredentials, Record<string, string>, boolean][] = [
    ['role:admin', admin, {}, true],
    ['role:admin', member, {}, false],
    ['', nobody, {}, true],
    ['scope:project', nobody, {}, true],
    ['scope:system', nobody, {}, false],
    ['@', nobody, {}, true],
    ['!', admin, {}, false],
    ['project_id:%(project_id)s', nobody, { project_id: 'p' }, true],
    ['project_id:%(project_id)s', nobody, { project_id: 'q' }, false],
    ['project_id:%(project_id)s', nobody, {}, false],
    ['project_id:p', nobody, {}, true],
    ['role:a or role:reader and not role:member', reader, {}, true],
    ['role:a or role:reader and not role:member', member, {}, false],
    ['(role:reader or role:admin) and not (role:member)', reader, {}, true],
    ['not not role:reader', reader, {}, true],
    ['rule:member', member, { project_id: 'p' }, true],
    ['rule:member', reader, { project_id: 'p' }, false],
    ['rule:reader', reader, { project_id: 'q' }, false],
    ['rule:reader', admin, { project_id: 'q' }, true],
  ];
  for (const [rule, credentials, target, expected] of cases) {
    const policy = new Policy({ ...baseRules, it: rule });
    t.equal(policy.allows('it', credentials, target), expected, `${rule} for ${credentials.roles.join('+')}`);
  }
  t.end();
});

void t.test('a caller without a project does not own what has no project', (t) => {
  const policy = new Policy(baseRules);
  t.equal(policy.allows('owner', { ...nobody, projectId: '' }, { project_id: '' }), false);
  t.end();
});

void t.test('mistakes in rules are found when they are compiled', (t) => {
  for (const rule of [
    'role',
    'role:a or',
    '(role:a',
    'role:a)',
    'rule:none',
    'rule:it',
    'shoe_size:12',
    'and',
    'a:b c:d',
  ]) {
    t.throws(() => new Policy({ it: rule }), ShoalError, rule);
  }
  t.end();
});

void t.test('a refusal names the rule', (t) => {
  t.throws(() => new Policy(baseRules).enforce('admin', member), { code: 'FORBIDDEN', message: /admin/ });
  t.end();
});

void t.test('rules that say the same are one check; a circle is found also where others say the same', (t) => {
  const policy = new Policy({ one: 'role:admin or rule:three', two: 'role:admin or rule:three', three: 'role:reader' });
  for (const name of ['one', 'two'] as const) {
    t.equal(policy.allows(name, reader), true, name);
    t.equal(policy.allows(name, nobody), false, name);
  }
  t.throws(() => new Policy({ one: 'rule:two', two: 'rule:three', three: 'rule:two' }), { code: 'CONFIG_INVALID' });
  t.end();
});
