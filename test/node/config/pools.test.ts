/** Storage pools by configuration: what an operator writes, and what is refused, each mistake with its place. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import { loadConfig } from '../../../node/config/load.ts';
import type { Config } from '../../../node/config/options.ts';
import { poolSettings } from '../../../node/config/pools.ts';

const folder = mkdtempSync(join(tmpdir(), 'shoal-config-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function load(text: string): Config {
  const filePath = join(folder, 'config.yaml');
  writeFileSync(filePath, `advertiseAddress: 192.0.2.1\ndataDir: /var/lib/shoal\n${text}`);
  return loadConfig({ filePath });
}

function mistakesOf(text: string): string {
  try {
    load(text);
  } catch (caught) {
    if (ShoalError.is(caught, 'CONFIG_INVALID')) return (caught.facts['mistakes'] as string[]).join('\n');
    throw caught;
  }
  return '';
}

t.test('pools stand beside the implicit ones, with what they do not say taken from `ceph`', (t) => {
  const config = load(`
storage: fast
ceph: { confPath: /etc/ceph/ceph.conf, user: cloud }
pools:
  - { name: fast, driver: local, path: /srv/nvme/./shoal/ }
  - { name: ssd, driver: rbd, cephPool: volumes-ssd }
  - { name: far, driver: rbd, cephPool: volumes, cephImagePool: pictures, cephUser: other, cephConfPath: /etc/ceph/far.conf }
`);
  t.equal(config.storage, 'fast');
  t.same(poolSettings(config), [
    { name: 'local', driver: 'local', path: '/var/lib/shoal/disks' },
    {
      name: 'rbd',
      driver: 'rbd',
      cephPool: 'volumes',
      imagePool: 'images',
      user: 'cloud',
      confPath: '/etc/ceph/ceph.conf',
    },
    { name: 'fast', driver: 'local', path: '/srv/nvme/shoal' },
    {
      name: 'ssd',
      driver: 'rbd',
      cephPool: 'volumes-ssd',
      imagePool: 'images',
      user: 'cloud',
      confPath: '/etc/ceph/ceph.conf',
    },
    {
      name: 'far',
      driver: 'rbd',
      cephPool: 'volumes',
      imagePool: 'pictures',
      user: 'other',
      confPath: '/etc/ceph/far.conf',
    },
  ]);
  t.equal(Object.isFrozen(config.pools), true);
  t.same(
    poolSettings(load('')).map(({ name }) => name),
    ['local'],
    'without Ceph',
  );
  t.end();
});

t.test('each mistake is told with its place', (t) => {
  const one = (pool: string): string => mistakesOf(`ceph: { confPath: /etc/ceph/ceph.conf }\npools:\n  - ${pool}\n`);
  const cases: readonly (readonly [string, RegExp])[] = [
    ['{ name: Fast, driver: local, path: /srv/a }', /^pools\.0\.name: /],
    ['{ name: local, driver: local, path: /srv/a }', /^pools\.0\.name: "local" is a pool that needs no setting/],
    ['{ name: rbd, driver: rbd, cephPool: a }', /^pools\.0\.name: "rbd" is a pool/],
    ['{ name: a, driver: lvm, path: /srv/a }', /^pools\.0\.driver: must be "local" or "rbd"$/],
    ['{ name: a, driver: local }', /^pools\.0\.path: needed when driver is "local"$/],
    ['{ name: a, driver: local, path: srv/a }', /^pools\.0\.path: /],
    ['{ name: a, driver: local, path: /srv/.. }', /^pools\.0\.path: name a folder of its own, not "\/"$/],
    ['{ name: a, driver: local, path: /srv/a, cephPool: b }', /^pools\.0\.cephPool: only when driver is "rbd"$/],
    ['{ name: a, driver: rbd }', /^pools\.0\.cephPool: needed when driver is "rbd"$/],
    ['{ name: a, driver: rbd, cephPool: b, path: /srv/a }', /^pools\.0\.path: only when driver is "local"$/],
    ['{ name: a, driver: rbd, cephPool: -o }', /^pools\.0\.cephPool: /],
    ['{ name: a, driver: rbd, cephPool: volumes }', /^pools\.0: Ceph pool volumes is that of pool "rbd"$/],
    ['{ name: a, driver: rbd, cephPool: images }', /pools\.0: cephPool and cephImagePool must be two pools$/],
    [
      '{ name: a, driver: rbd, cephPool: b, cephImagePool: volumes }',
      /^pools\.0: a Ceph pool of disks cannot hold images too/,
    ],
    ['{ name: a, driver: local, path: /var/lib/shoal/disks/x }', /^pools\.0: path .* lies in that of pool "local"/],
    ['{ name: a, driver: local, path: /var/lib }', /holds the data folder of the agent/],
    ['{ name: a, driver: local, path: /srv/a, size: 5 }', /^pools\.0\.size: no such setting$/],
    ['{ driver: local, path: /srv/a }', /^pools\.0: .*name/],
  ];
  for (const [pool, expected] of cases) t.match(one(pool), expected, pool);
  t.match(
    mistakesOf('pools:\n  - { name: a, driver: rbd, cephPool: b }\n'),
    /^pools\.0\.cephConfPath: needed when driver is "rbd" and ceph.confPath is empty$/,
  );
  const two = (path: string, name = 'b'): string =>
    mistakesOf(
      `pools:\n  - { name: a, driver: local, path: /srv/a }\n  - { name: ${name}, driver: local, path: ${path} }\n`,
    );
  t.match(two('/srv/b', 'a'), /^pools\.1: the name "a" is used twice$/);
  for (const path of ['/srv/a', '/srv/a/', '/srv/a/b', '/srv'])
    t.match(two(path), /^pools\.1: path .* of pool "a"/, path);
  t.equal(two('/srv/ab'), '', 'beside it');
  const many = Array.from({ length: 33 }, (_, at) => `  - { name: p${at}, driver: local, path: /srv/p${at} }`).join(
    '\n',
  );
  t.match(mistakesOf(`pools:\n${many}\n`), /^pools: must not have more than 32 items/);
  t.match(mistakesOf('storage: b\npools:\n  - { name: a, driver: local, path: /srv/a }\n'), /"local" or "rbd" or "a"/);
  t.match(mistakesOf('pools: fast\n'), /^pools: must be array$/);
  t.end();
});
