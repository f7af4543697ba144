import t from 'tap';
import { type DebianPackage, ensurePackages, PackagesMissing } from '../../../node/dev/packages.ts';

const absent: DebianPackage = { name: 'no-such-package', purpose: 'tests a refusal', isInstalled: () => false };
const present: DebianPackage = { name: 'here', purpose: 'is here', isInstalled: () => true };

t.test('installed packages are not mentioned', (t) => {
  const said: string[] = [];
  ensurePackages([present], { install: true, say: (line) => said.push(line) });
  t.same(said, []);
  t.end();
});

t.test('--no-install refuses with the list and the command to type', (t) => {
  const said: string[] = [];
  t.throws(() => ensurePackages([present, absent], { install: false, say: (line) => said.push(line) }), {
    name: 'PackagesMissing',
    message: /--no-install[\s\S]*apt-get install no-such-package/,
  });
  t.ok(
    said.some((line) => line.includes('no-such-package') && line.includes('tests a refusal')),
    'each is named with its purpose before anything is installed',
  );
  t.notOk(said.some((line) => line.includes(' here ')));
  t.end();
});

t.test('the refusal carries the packages', (t) => {
  try {
    ensurePackages([absent], { install: false, say: () => {} });
    t.fail('it was not refused');
  } catch (caught) {
    t.ok(caught instanceof PackagesMissing && caught.packages[0] === absent);
  }
  t.end();
});
