/** What Ceph 16 really answered, read; and what its exit statuses are taken for. */
import t from 'tap';
import { CephClient } from '../../../drivers/ceph/client.ts';
import { RbdStorageDriver } from '../../../drivers/ceph/driver.ts';
import { cephFailure } from '../../../drivers/ceph/exit-status.ts';
import { conditionOfPool, refusalOfMap } from '../../../drivers/ceph/osd-map.ts';
import {
  ipOf,
  readBlocklist,
  readCapacity,
  readInfo,
  readList,
  readLock,
  readWatchers,
} from '../../../drivers/ceph/rbd.ts';
import type { CommandRunner } from '../../../drivers/command.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, VolumeId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';

const { signal } = new AbortController();
const image = '6f1c5f0e-0000-4000-8000-00000000000a';
const identity = { confPath: '/c', user: 'h' };

await t.test('answers are read', async (t) => {
  const info =
    '{"name":"t0","id":"1127b2842d9","size":1073741824,"objects":256,"features":["layering"],"parent":{"pool":"images","pool_namespace":"","image":"6f1c5f0e-0000-4000-8000-00000000000a","snapshot":"base","trash":false,"overlap":1024}}';
  t.strictSame(readInfo(JSON.parse(info)), {
    id: '1127b2842d9',
    sizeBytes: 1073741824,
    below: { legacyImageId: image },
  });
  t.strictSame(readInfo({ id: 'a', size: 5 }), { id: 'a', sizeBytes: 5, below: {} });
  const list = `[{"image":"${image}","id":"37","size":10485760,"format":2},{"image":"${image}","snapshot":"s","id":"37","size":1,"format":2},{"image":"somebody's","id":"38","size":1,"format":2}]`;
  t.strictSame(readList(JSON.parse(list)), [{ volumeId: image, sizeBytes: 10485760 }]);
  const status = '{"watchers":[{"address":"10.98.0.1:0/2454759348","client":4179,"cookie":140098746281072}]}';
  t.strictSame(readWatchers(JSON.parse(status)), [{ address: '10.98.0.1:0/2454759348' }]);
  const lock =
    '{"name":"shoal","type":"exclusive","tag":"","lockers":[{"name":"client.14133","cookie":"3","description":"hostaaa","expiration":"0.000000","addr":"127.0.0.1:0/3437200685"}]}';
  t.strictSame(readLock(JSON.parse(lock)), {
    owner: 'hostaaa',
    generation: 3,
    locker: 'client.14133',
    cookie: '3',
    address: '127.0.0.1:0/3437200685',
  });
  t.equal(readLock({ name: 'nope', type: 'none', tag: '', lockers: [] }), undefined);
  const df = '{"pools":[{"name":"volumes","id":2,"stats":{"stored":70,"objects":5,"max_avail":3775259392}}]}';
  t.strictSame(readCapacity(JSON.parse(df), 'volumes'), { totalBytes: 3775259462, freeBytes: 3775259392 });
  const dump = '{"epoch":23,"blocklist":{"127.0.0.2:0/0":"2036-11-18T03:21:18.127104+0000"}}';
  t.strictSame(readBlocklist(JSON.parse(dump)), { epoch: 23, blocked: ['127.0.0.2:0/0'] });
});

await t.test('an answer that is not understood is never taken for "none"', async (t) => {
  const readers: [string, (value: unknown) => unknown][] = [
    ['info', readInfo],
    ['list', readList],
    ['watchers', readWatchers],
    ['lock', readLock],
    ['blocklist', readBlocklist],
    ['capacity', (value) => readCapacity(value, 'volumes')],
  ];
  const strange: unknown[] = [
    undefined,
    null,
    5,
    'text',
    {},
    { lockers: 1, watchers: {}, pools: 0 },
    [5],
    { lockers: [{}, {}] },
  ];
  for (const [what, read] of readers) {
    for (const value of strange)
      t.throws(() => read(value), { code: 'CANNOT_TELL' }, `${what} of ${JSON.stringify(value)}`);
  }
});

await t.test('the host part of an address is found for IPv4, IPv6 and with a kind before it', async (t) => {
  t.equal(ipOf('10.98.0.1:0/2454759348'), '10.98.0.1');
  t.equal(ipOf('[fd00::1]:0/2454759348'), '[fd00::1]');
  t.equal(ipOf('v1:10.98.0.1:6789/5'), '10.98.0.1');
  t.throws(() => ipOf('nonsense'), { code: 'CANNOT_TELL' });
});

const failing =
  (status: number): CommandRunner =>
  async (argv, options) => {
    if (options?.okStatus?.includes(status)) return { status, stdout: '', stderr: '' };
    throw new ShoalError('COMMAND_FAILED', `${argv[0]} ended with ${status}`, { facts: { status } });
  };

await t.test('only "no such image" means absent; everything else is a failure', async (t) => {
  const find = (status: number): Promise<unknown> =>
    new RbdStorageDriver({ log: silentLogger, run: failing(status) }, { identity }).findDisk(image as VolumeId, signal);
  t.equal(await find(2), undefined);
  for (const status of [1, 5, 13]) await t.rejects(find(status), { code: 'COMMAND_FAILED' }, `status ${status}`);
  // ETIMEDOUT, ECONNREFUSED: nobody answers, which may pass by itself (G10).
  for (const status of [110, 111]) await t.rejects(find(status), { code: 'CANNOT_TELL' }, `status ${status}`);
  await t.rejects(find(108), { code: 'FENCE_UNPROVEN' }, 'fenced');
  const facts = { status: 2, stderr: "rbd: error opening pool 'volumes': (2) No such file or directory" };
  const noPool = new ShoalError('COMMAND_FAILED', 'rbd ended with 2', { facts });
  t.match(cephFailure(noPool), { code: 'DRIVER_FAILED', facts: { reason: 'no-pool' } }, 'a pool that is gone');
  const slow = new ShoalError('DEADLINE_EXCEEDED', 'rbd took longer');
  t.match(cephFailure(slow), { code: 'CANNOT_TELL' });
});

await t.test("Ceph 16's stray brackets behind an answer are survived, other noise is not", async (t) => {
  const saying = (stdout: string): CephClient =>
    new CephClient(identity, async () => ({ status: 0, stdout, stderr: '' }));
  t.strictSame(await saying('[{"addr":"a"}][]\n').cephJson(['x'], { signal }), [{ addr: 'a' }]);
  await t.rejects(saying('[{"addr"').cephJson(['x'], { signal }), { code: 'CANNOT_TELL' });
});

/** A disk held at generation 1 by host b, on a Ceph that is scripted. */
function scripted(facts: {
  readonly lockOwner?: string;
  readonly lockAddress?: string;
  readonly watchers?: readonly string[];
  /** False: the blocklist command succeeds and has no effect. */
  readonly blocks?: boolean;
}): { readonly driver: RbdStorageDriver; readonly calls: string[] } {
  const calls: string[] = [];
  let lock =
    facts.lockOwner === undefined
      ? []
      : [{ name: 'client.1', cookie: '1', description: facts.lockOwner, addr: facts.lockAddress ?? '10.0.0.2:0/7' }];
  const blocked: Record<string, string> = {};
  let hostLock: unknown[] = [];
  const answer = (value: unknown): { status: number; stdout: string; stderr: string } => ({
    status: 0,
    stdout: JSON.stringify(value),
    stderr: '',
  });
  const run: CommandRunner = async (argv) => {
    const words = argv.filter((word) => !word.startsWith('--') && !['/c', 'h'].includes(word));
    const text = words.join(' ');
    calls.push(text);
    if (text.includes('shoal.host.h address') && text.includes('get')) {
      hostLock = [{ name: 'client.9', cookie: argv.at(-1), description: '', addr: '10.0.0.1:0/9' }];
      return answer({});
    }
    if (text.includes('shoal.host.h address')) return answer({ lockers: hostLock });
    if (text.includes('lock info')) return answer({ lockers: lock });
    if (text.includes('lock break')) lock = [];
    if (text.includes('lock get')) lock = [{ name: 'client.2', cookie: '2', description: 'a', addr: '10.0.0.1:0/8' }];
    if (text.includes('blocklist add') && facts.blocks !== false)
      blocked[words[words.indexOf('add') + 1] ?? ''] = 'ever';
    if (text.includes('osd dump')) return answer({ epoch: 5, blocklist: blocked });
    if (text.includes('status')) return answer({ watchers: (facts.watchers ?? []).map((address) => ({ address })) });
    if (text.includes('info')) return answer({ id: 'abc', size: 5 });
    return answer([]);
  };
  return { driver: new RbdStorageDriver({ log: silentLogger, run }, { identity }), calls };
}

const open = (driver: RbdStorageDriver, generation = 2): Promise<unknown> =>
  driver.openDisk({ volumeId: image as VolumeId, sizeBytes: 5, generation }, 'a' as HostId, signal);
const blocks = (calls: readonly string[]): readonly string[] => calls.filter((call) => call.includes('blocklist add'));

await t.test('a takeover fences, verifies it, and only then breaks and takes the lock', async (t) => {
  const { driver, calls } = scripted({ lockOwner: 'b' });
  await driver.start(signal);
  calls.length = 0;
  t.match(await open(driver), { kind: 'rbd' });
  const order = ['blocklist add 10.0.0.2:0/0', 'osd dump', ' ls ', 'status', 'lock break', 'lock get'];
  let from = 0;
  for (const part of order) {
    const at = calls.findIndex((call, index) => index >= from && call.includes(part));
    t.not(at, -1, `${part}, in its turn:\n${calls.join('\n')}`);
    from = at + 1;
  }
  for (const part of ['lock break', 'lock get']) t.equal(calls.filter((call) => call.includes(part)).length, 1);
});

await t.test('a takeover that cannot be proved changes nothing and says so', async (t) => {
  const cases: [string, Parameters<typeof scripted>[0], number][] = [
    ['a lock of a higher generation', { lockOwner: 'b' }, 0],
    ['a lock of the same generation', { lockOwner: 'b' }, 1],
    ['a blocklist that does not show the host', { lockOwner: 'b', blocks: false }, 2],
    ['an owner with our own address', { lockOwner: 'b', lockAddress: '10.0.0.1:0/3' }, 2],
    ['a free disk that another host has open', { watchers: ['10.0.0.2:0/7'] }, 2],
    ['our own disk that our own guest still has open', { lockOwner: 'a', watchers: ['10.0.0.1:0/3'] }, 2],
  ];
  for (const [what, facts, generation] of cases) {
    const { driver, calls } = scripted(facts);
    await driver.start(signal);
    calls.length = 0;
    await t.rejects(open(driver, generation), { code: 'FENCE_UNPROVEN' }, what);
    t.notOk(
      calls.some((call) => call.includes('lock break') || call.includes('lock get')),
      what,
    );
    if (facts.blocks !== false) t.strictSame(blocks(calls), [], `${what}: nobody is fenced`);
  }
});

await t.test('a clean hand-over, and our own disk of an earlier generation, fence nobody', async (t) => {
  const free: Parameters<typeof scripted>[0] = {};
  for (const facts of [free, { lockOwner: 'a', lockAddress: '10.0.0.1:0/3' }]) {
    const { driver, calls } = scripted(facts);
    await driver.start(signal);
    calls.length = 0;
    t.match(await open(driver), { kind: 'rbd' });
    t.strictSame(blocks(calls), []);
    if (facts.lockOwner !== undefined) continue;
    const asked = calls.map((call) => /status|lock get|lock info|info/.exec(call)?.[0]);
    t.strictSame(
      asked,
      ['info', 'status', 'lock info', 'lock get', 'status'],
      'each is a process that people wait for',
    );
  }
});

await t.test('an empty disk is made by one command, and what is there already is looked at', async (t) => {
  const calls: string[] = [];
  let exists = false;
  let poolBytes = 100;
  const run: CommandRunner = async (argv) => {
    const [program, ...words] = argv;
    const verb = words.find((word) => ['create', 'info', 'image-meta', 'df', 'resize'].includes(word)) ?? '';
    calls.push(`${program} ${verb}`);
    const answer = (status: number, value: unknown = {}) => ({ status, stdout: JSON.stringify(value), stderr: '' });
    if (verb === 'df') return answer(0, { pools: [{ name: 'volumes', stats: { stored: 0, max_avail: poolBytes } }] });
    if (verb === 'info') return exists ? answer(0, { id: 'abc', size: 50 }) : answer(2);
    if (verb !== 'create') return answer(exists ? 0 : 2);
    if (exists) return answer(17);
    exists = true;
    return answer(0);
  };
  const driver = new RbdStorageDriver({ log: silentLogger, run }, { identity });
  const ensure = async (sizeBytes: number): Promise<readonly string[]> => {
    await driver.ensureDisk({ volumeId: image as VolumeId, sizeBytes, generation: 1 }, signal);
    return calls.splice(0);
  };
  t.strictSame(await ensure(50), ['ceph df', 'rbd create'], 'the first asks how large the pool is');
  exists = false;
  t.strictSame(await ensure(50), ['rbd create'], 'the next remembers');
  t.strictSame(await ensure(60), ['rbd create', 'rbd info', 'rbd image-meta', 'rbd resize'], 'one that is there grows');
  poolBytes = 10;
  await driver.capacity(signal);
  calls.length = 0;
  t.strictSame(
    await ensure(50),
    ['rbd info', 'rbd image-meta'],
    'a pool that shrank is no reason against a disk that is there',
  );
  exists = false;
  await t.rejects(ensure(50), { code: 'INVALID_ARGUMENT' }, 'one that is not there must fit');
  t.notOk(calls.includes('rbd create'), 'and is not made');
});

await t.test('why nothing answered is read from the map of OSDs', (t) => {
  const cause = new ShoalError('CANNOT_TELL', 'Ceph does not answer');
  const map = (flags: string, pools: readonly (readonly [string, string])[] = []): unknown => ({
    flags,
    pools: pools.map(([pool_name, flags_names]) => ({ pool_name, flags_names })),
  });
  const argv = ['rbd', 'create', 'volumes/x'];
  const quota = [['volumes', 'hashpspool,full,full_quota']] as const;
  t.match(refusalOfMap(map('sortbitwise', quota), argv, cause), { facts: { reason: 'full', pool: 'volumes' }, cause });
  t.match(refusalOfMap(map('full'), argv, cause), { facts: { reason: 'full' } });
  t.match(refusalOfMap(map('pauserd,pausewr'), argv, cause), { facts: { reason: 'read-only' } });
  t.equal(refusalOfMap(map('sortbitwise', [['other', 'full']]), argv, cause), undefined, 'another pool is full');
  t.equal(refusalOfMap(map('', [['volumes', 'nearfull']]), argv, cause), undefined, 'nearly full takes writes');
  const conditions = [
    [map('sortbitwise', [['volumes', 'hashpspool,nearfull']]), 'nearfull'],
    [map('sortbitwise', [['volumes', 'hashpspool,backfillfull']]), 'nearfull'],
    [map('nearfull'), 'nearfull'],
    [map('sortbitwise', quota), 'full'],
    [map('full', [['volumes', 'nearfull']]), 'full'],
    [map('pauserd,pausewr'), 'read-only'],
    [map('sortbitwise', [['other', 'nearfull']]), undefined],
  ] as const;
  for (const [dump, condition] of conditions) t.equal(conditionOfPool(dump, 'volumes'), condition);
  for (const unclear of [undefined, 5, {}, { pools: [null, {}], flags: 5 }]) {
    t.equal(conditionOfPool(unclear, 'volumes'), undefined);
    t.equal(refusalOfMap(unclear, argv, cause), undefined);
  }
  t.end();
});
