import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ServerId, VolumeId } from '../../../node/base/ids.ts';
import { RevisionFence } from '../../../node/host/outage/revision-fence.ts';
import { TransactionBuilder } from '../../../node/state/table.ts';
import { imageTable, portTable, serverTable } from '../../../node/state/tables/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { portId, retryMs, self, serverId, World, world } from './host-world.ts';

const { PowerWanted, ServerStatus } = shoal.v1;

t.test('a host looks when something of its own changes, and not at what others do', async (t) => {
  const w = await world(t);
  const loop = await w.startLoop();
  await w.createServer();
  await loop.idle();
  let passes = 0;
  w.beforePlan = async () => {
    passes += 1;
  };
  const elsewhere = new TransactionBuilder();
  const foreign = { id: 's2', name: 'second', hostId: 'b'.repeat(32), generation: 1 };
  serverTable.insert(elsewhere, new shoal.v1.Server(foreign));
  await w.state.commit(elsewhere.build());
  await loop.idle();
  t.equal(passes, 0, 'a server of another host');
  await w.change((server) => {
    server.name = 'renamed';
  });
  await loop.idle();
  t.equal(passes, 1, 'its own server');
  const moved = new TransactionBuilder();
  const row = serverTable.must(w.state.local, 's2');
  serverTable.update(moved, row, new shoal.v1.Server({ ...row.record, hostId: self }));
  await w.state.commit(moved.build());
  await loop.idle();
  t.ok(passes > 1, 'a server that is put on it');
});

t.test('a recorded server is built, stopped, started and deleted, and nothing stays', async (t) => {
  const w = await world(t);
  const loop = await w.startLoop();
  await w.createServer();
  await loop.idle();
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_ACTIVE);
  t.equal(w.compute.guests.get(serverId)?.power, 'running');
  t.ok(w.network.ports.has(portId));

  await w.change((server) => {
    server.powerWanted = PowerWanted.POWER_WANTED_STOPPED;
  });
  await loop.idle();
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_SHUTOFF);
  t.equal(w.storage.disks.get('v1' as VolumeId)?.lock, undefined, 'the lock is given back');

  await w.change((server) => {
    server.powerWanted = PowerWanted.POWER_WANTED_RUNNING;
  });
  await loop.idle();
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_ACTIVE);

  await w.change((server) => {
    server.deleting = true;
  });
  await loop.idle();
  t.equal(w.server(), undefined);
  t.equal(w.compute.guests.size, 0);
  t.equal(w.storage.disks.size, 0);
  t.equal(w.network.ports.size, 0);
  t.equal(w.network.networks.size, 0);
  t.same(w.store.entries('carried/'), []);
});

t.test('a host raises its revision fence before it acts', async (t) => {
  const w = await world(t);
  const noted: { readonly revision: number; readonly starts: number }[] = [];
  w.onActing = async (revision) => void noted.push({ revision, starts: w.compute.starts.length });
  const loop = await w.startLoop();
  await w.createServer();
  const { revision } = w.state.local;
  await loop.idle();
  t.same(noted[0], { revision, starts: 0 });
  t.equal(w.compute.starts.length, 1);
  w.onActing = () => Promise.reject(new ShoalError('STORE_FAILED', 'the disk is gone'));
  await w.change((server) => {
    server.deleting = true;
  });
  await loop.idle();
  t.equal(w.compute.guests.size, 1, 'what cannot be noted is not done');
  w.onActing = async () => {};
  loop.wake();
  await loop.idle();
  t.equal(w.compute.guests.size, 0);
});

t.test('an agent that starts again adopts what runs and starts nothing', async (t) => {
  const w = await world(t);
  const first = await w.startLoop();
  await w.createServer();
  await first.idle();
  await first.stop();
  const changesBefore = w.network.changes;
  await w.startLoop();
  t.equal(w.compute.starts.length, 1);
  t.equal(w.network.changes, changesBefore, 'the network was not touched');
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_ACTIVE);
});

t.test('after a power cut of the host its servers are started again', async (t) => {
  const w = await world(t);
  const first = await w.startLoop();
  await w.createServer();
  await first.idle();
  await first.stop();
  w.compute.reboot();
  w.network.reboot();
  await w.startLoop();
  t.equal(w.compute.starts.length, 2);
  t.ok(w.network.ports.has(portId));
});

t.test(
  'a suspended server is there after a power cut, goes on from its memory, and a hard reboot forgets that',
  async (t) => {
    const w = await world(t);
    const first = await w.startLoop();
    await w.createServer();
    await first.idle();
    const suspend = (server: shoal.v1.Server): void => {
      server.powerWanted = PowerWanted.POWER_WANTED_SUSPENDED;
      server.taskState = 'suspending';
    };
    await w.change(suspend);
    await first.idle();
    t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_SUSPENDED);
    t.equal(w.compute.guests.get(serverId)?.power, 'suspended');
    t.notOk(w.storage.disks.get('v1' as VolumeId)?.lock, 'its disk is closed');
    await first.stop();
    w.compute.reboot();
    const second = await w.startLoop();
    t.equal(w.compute.guests.get(serverId)?.power, 'suspended');
    const before = w.compute.guests.get(serverId);
    await w.change((server) => {
      server.powerWanted = PowerWanted.POWER_WANTED_RUNNING;
      server.taskState = 'resuming';
    });
    await second.idle();
    t.match(w.server(), { status: ServerStatus.SERVER_STATUS_ACTIVE, taskState: '' });
    t.equal(w.compute.guests.get(serverId), before, 'the same guest');
    await w.change(suspend);
    await second.idle();
    await w.change((server) => {
      server.powerWanted = PowerWanted.POWER_WANTED_RUNNING;
      server.rebootsWanted += 1;
      server.rebootHard = true;
      server.taskState = 'rebooting_hard';
    });
    await second.idle();
    t.match(w.server(), { status: ServerStatus.SERVER_STATUS_ACTIVE, rebootsDone: 1 });
    t.not(w.compute.guests.get(serverId), before, 'another one, from its disk');
  },
);

t.test(
  'a guest that cannot be suspended runs on, and its owner is told; one that died meanwhile is stopped',
  async (t) => {
    const w = await world(t);
    const loop = await w.startLoop();
    await w.createServer();
    await loop.idle();
    w.compute.faults.failNext('suspendGuest', new ShoalError('DRIVER_FAILED', 'no room'), 10);
    const suspend = (server: shoal.v1.Server): void => {
      server.powerWanted = PowerWanted.POWER_WANTED_SUSPENDED;
      server.taskState = 'suspending';
      server.askedRevision += 1;
    };
    await w.change(suspend);
    await loop.idle();
    t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_ERROR);
    t.match(w.server()?.fault?.message, /suspending the server/);
    t.equal(w.compute.guests.get(serverId)?.power, 'running');
    w.compute.faults.clear();
    w.compute.crash(serverId);
    await w.change(suspend);
    await loop.idle();
    t.match(w.server(), {
      status: ServerStatus.SERVER_STATUS_SHUTOFF,
      powerWanted: PowerWanted.POWER_WANTED_STOPPED,
    });
  },
);

t.test('an empty state removes nothing from a host', async (t) => {
  const w = await world(t);
  const first = await w.startLoop();
  await w.createServer();
  await first.idle();
  await first.stop();
  const amnesiac = new World();
  Object.assign(amnesiac, { compute: w.compute, network: w.network, storage: w.storage, store: w.store });
  t.teardown(() => amnesiac.stop());
  await amnesiac.startLoop();
  t.equal(w.compute.guests.get(serverId)?.power, 'running');
  t.ok(w.network.ports.has(portId));
});

t.test('a guest that cannot be started puts its server in ERROR, once', async (t) => {
  const w = await world(t);
  const loop = await w.startLoop();
  w.compute.faults.failNext('startGuest', new ShoalError('DRIVER_FAILED', 'no such machine'), 10);
  await w.createServer();
  await loop.idle();
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_ERROR);
  t.match(w.server()?.fault?.message, /starting the server/);
  t.equal(w.compute.starts.length, 0);

  w.compute.faults.clear();
  await w.change((server) => {
    server.taskState = 'powering-on';
  });
  await loop.idle();
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_ACTIVE, 'its owner may ask again');
});

t.test('G10: a transient failure of any driver is retried, and the owner is told when that lasts', async (t) => {
  const away = new ShoalError('CANNOT_TELL', 'Ceph does not answer');
  for (const [call, fail] of [
    ['ensureDisk', (w: World) => w.storage.faults.failNext('ensureDisk', away, 8)],
    ['openDisk', (w: World) => w.storage.faults.failNext('openDisk', away, 8)],
    ['startGuest', (w: World) => w.compute.faults.failNext('startGuest', away, 8)],
  ] as const) {
    const w = await world(t);
    const loop = await w.startLoop();
    fail(w);
    await w.createServer();
    const endMs = performance.now() + 20_000;
    while (w.server()?.status !== ServerStatus.SERVER_STATUS_ACTIVE && performance.now() < endMs) {
      t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_BUILD, `${call}: no fault while it may pass`);
      await delay(retryMs);
    }
    t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_ACTIVE, `${call}: eight failures later`);
    await loop.idle();
  }
  const w = await world(t);
  w.stepPatienceMs = 3 * retryMs;
  const loop = await w.startLoop();
  w.storage.faults.failNext('ensureDisk', away, 100);
  await w.createServer();
  const endMs = performance.now() + 20_000;
  while (w.server()?.status !== ServerStatus.SERVER_STATUS_ERROR && performance.now() < endMs) await delay(retryMs);
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_ERROR, 'the deadline is a setting');
  await loop.idle();
});

t.test('a server whose room was given away is not started, and its owner is told', async (t) => {
  const w = await world(t);
  const loop = await w.startLoop();
  w.roomless.set(serverId, '1 vCPUs are wanted, 0 are free');
  await w.createServer();
  await loop.idle();
  t.equal(w.compute.starts.length, 0);
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_ERROR);
  t.match(w.server()?.fault?.message, /No valid host was found/);
  w.roomless.clear();
  await w.change((server) => {
    server.status = ServerStatus.SERVER_STATUS_SHUTOFF;
    server.taskState = 'powering-on';
  });
  await loop.idle();
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_ACTIVE, 'when there is room, it may be started');
});

t.test('a fault of what only this host was asked for waits until that is recorded', async (t) => {
  const w = await world(t);
  const loop = await w.startLoop();
  w.compute.faults.failNext('startGuest', new ShoalError('DRIVER_FAILED', 'QEMU does not start'), 100);
  await w.createServer();
  await loop.idle();
  await w.change((server) => {
    server.powerWanted = PowerWanted.POWER_WANTED_STOPPED;
    server.status = ServerStatus.SERVER_STATUS_SHUTOFF;
    delete (server as { fault?: unknown }).fault;
  });
  await loop.idle();
  const start = (server: shoal.v1.Server): shoal.v1.Server =>
    new shoal.v1.Server({ ...server, powerWanted: PowerWanted.POWER_WANTED_RUNNING, taskState: 'powering-on' });
  w.intend = start;
  loop.wake();
  await loop.idle();
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_SHUTOFF, 'nobody is told yet');
  w.intend = (server) => server;
  await w.change((server) => Object.assign(server, start(server)));
  await loop.idle();
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_ERROR);
});

t.test('a guest that powers itself off stays off', async (t) => {
  const w = await world(t);
  const loop = await w.startLoop();
  await w.createServer();
  await loop.idle();
  w.compute.powerOff(serverId);
  await loop.idle();
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_SHUTOFF);
  t.equal(w.compute.starts.length, 1);
  const { revision = 0 } = serverTable.get(w.state.local, serverId) ?? {};
  t.ok(
    new RevisionFence(w.store).isAheadOf(revision - 1),
    'records from before it was recorded are not believed any more',
  );
});

t.test('a pass does not act on what it saw before a step ended', async (t) => {
  const w = await world(t);
  // The loop's own timers keep no process alive.
  const alive = setInterval(() => {}, 1_000);
  t.teardown(() => clearInterval(alive));
  const loop = await w.startLoop();
  w.compute.behaviour.startDelayMs = 50;
  await w.createServer();
  while (loop.busySteps === 0) await delay(1);
  // The next pass looks while the guest is being started, and sees none.
  const held = Promise.withResolvers<void>();
  const looked = Promise.withResolvers<void>();
  w.beforePlan = async () => {
    looked.resolve();
    await held.promise;
  };
  loop.wake(0);
  await looked.promise;
  t.equal(loop.busySteps, 1, 'it is still being started');
  while (loop.busySteps > 0) await delay(1);
  w.compute.powerOff(serverId);
  w.beforePlan = undefined;
  held.resolve();
  await loop.idle();
  t.equal(w.compute.starts.length, 1, 'it is not started again for what was seen before');
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_SHUTOFF);
});

t.test('a guest that powers itself off while there is no quorum stays off, also in the next agent', async (t) => {
  const w = await world(t);
  const first = await w.startLoop();
  await w.createServer();
  await first.idle();
  w.state.available = false;
  w.compute.powerOff(serverId);
  // The loop does not come to rest: it tries to tell the records.
  while (w.compute.guests.get(serverId)?.power !== 'stopped') await new Promise((resolve) => setImmediate(resolve));
  t.equal(w.server()?.powerWanted, PowerWanted.POWER_WANTED_RUNNING, 'nothing could be recorded');
  await first.stop();
  w.state.available = true;
  const second = await w.startLoop();
  t.equal(w.compute.starts.length, 1, 'nobody starts it');
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_SHUTOFF);

  await w.change((server) => {
    server.taskState = 'powering-on';
  });
  await second.idle();
  t.equal(w.compute.starts.length, 2, 'its owner may ask');
  t.same(w.store.entries('off/'), []);
});

t.test('a guest that crashes is started again, however long its start could not be recorded', async (t) => {
  const w = await world(t);
  const loop = await w.startLoop();
  w.refusedReports = 6;
  await w.createServer();
  await loop.idle();
  // Once at the end of the start, once by itself.
  t.ok(w.refusedReports >= 3, 'what was refused is not tried again at once');
  while (w.refusedReports > 0) await delay(retryMs);
  await loop.idle();
  w.compute.crash(serverId);
  await loop.idle();
  t.equal(w.compute.guests.get(serverId)?.power, 'running');
});

t.test('a guest that crashes is started again', async (t) => {
  const w = await world(t);
  const loop = await w.startLoop();
  await w.createServer();
  await loop.idle();
  w.compute.crash(serverId);
  await loop.idle();
  t.equal(w.compute.starts.length, 2);
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_ACTIVE);
  t.match(w.notices, [/QEMU process had ended unexpectedly/], 'its owner is told');
  t.equal(w.notices.length, 1, 'once, and of no start that was asked for');
});

t.test('a guest that keeps crashing is given up, and its owner told', async (t) => {
  const w = await world(t);
  const loop = await w.startLoop();
  await w.createServer();
  await loop.idle();
  for (let crash = 0; crash < 7; crash++) {
    if (w.compute.guests.get(serverId)?.power === 'running') w.compute.crash(serverId);
    await loop.idle();
  }
  t.equal(w.compute.starts.length, 6, 'the first start and five more');
  t.equal(w.server()?.status, ServerStatus.SERVER_STATUS_ERROR);
  t.match(w.server()?.fault?.message, /crashed 6 times/);
});

t.test('F1: whatever goes wrong with one server, at any stage, the other one starts', async (t) => {
  const stages: Readonly<Record<string, (w: World) => Promise<void> | void>> = {
    'its record cannot be read': async (w) => {
      const key = serverTable.key(serverId);
      await w.state.commit({ compares: [], thenOps: [{ kind: 'put', key, value: Buffer.from([0xff]) }], elseOps: [] });
    },
    'its port cannot be read': async (w) => {
      const key = portTable.key(portId);
      await w.state.commit({ compares: [], thenOps: [{ kind: 'put', key, value: Buffer.from([0xff]) }], elseOps: [] });
    },
    'its image cannot be read': (w) => w.change((server) => (server.imageId = 'unreadable')),
    'its intents cannot be laid over it': (w) => {
      w.intend = (server) => {
        if (server.id === serverId) throw new TypeError('no such thing');
        return server;
      };
    },
    'its plan makes no sense': (w) => {
      w.intend = (server) =>
        server.id !== serverId
          ? server
          : new Proxy(server, {
              get(target, name): unknown {
                if (name === 'powerWanted') throw new TypeError('no such thing');
                return Reflect.get(target, name);
              },
            });
    },
    'its network cannot be made': (w) => {
      w.network.faults.failNext('ensurePort', new ShoalError('DRIVER_FAILED', 'no such thing'), 1000);
    },
    'its disk cannot be made': (w) => w.change((server) => (server.storage = 'nowhere')),
  };
  for (const [what, break_] of Object.entries(stages)) {
    const w = await world(t);
    await w.createServer();
    const builder = new TransactionBuilder();
    const other = w.server();
    imageTable.insert(
      builder,
      new shoal.v1.Image({ id: 'i2', sha256: 'bb'.repeat(32), status: shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE }),
    );
    serverTable.insert(
      builder,
      new shoal.v1.Server({ ...other, id: 's2', name: 'second', imageId: 'i2', portIds: [], rootVolumeId: 'v2' }),
    );
    builder.op({ kind: 'put', key: imageTable.key('unreadable'), value: Buffer.from([0xff]) });
    await w.state.commit(builder.build());
    await break_(w);
    const loop = await w.startLoop();
    for (let waited = 0; waited < 50 && !w.compute.guests.has('s2' as ServerId); waited += 1) await delay(retryMs / 2);
    t.ok(w.compute.guests.has('s2' as ServerId), what);
    await loop.stop();
  }
});
