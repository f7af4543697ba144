/** An agent on a disk that fills up (B19): what it still does, at once and after a restart, and that it recovers by itself. */
import { rmSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DiskRoom, lowBytes, reserveBytes, roomyBytes } from '../../../node/store/disk-room.ts';
import { LoneAgent } from '../../support/lone-agent.ts';
import { SmallDisk } from '../../support/store/broken-disk.ts';

const mebibyte = 1024 * 1024;

function smallDisk(t: Test, mebibytes: number): SmallDisk | undefined {
  const disk = SmallDisk.mount(mebibytes);
  if (disk === undefined) t.pass('a tmpfs cannot be mounted', { skip: 'a tmpfs cannot be mounted here' });
  return disk;
}

/** Writes until `leftBytes` are free, or none where an agent that runs has taken some of them meanwhile. */
async function fill(folder: string, leftBytes: number): Promise<void> {
  rmSync(join(folder, 'ballast'), { force: true });
  const { bsize, bavail } = await statfs(folder);
  try {
    writeFileSync(join(folder, 'ballast'), new Uint8Array(Math.max(0, bsize * bavail - leftBytes)));
  } catch (caught) {
    if (!isNoSpace(caught)) throw caught;
  }
}

function isNoSpace(caught: unknown): boolean {
  return caught instanceof Error && 'code' in caught && caught.code === 'ENOSPC';
}

void t.test('B19: the reserve is held while there is room, and let go of when there is none', async (t) => {
  const disk = smallDisk(t, 160);
  if (disk === undefined) return;
  t.teardown(() => disk.unmount());
  const room = new DiskRoom(disk.folder);
  t.equal(await room.adjust(), undefined);
  const { bsize, bavail } = await statfs(disk.folder);
  t.ok(bsize * bavail <= 160 * mebibyte - reserveBytes, 'it takes the room that it is for');
  t.equal(await room.lookForEnd(), undefined);
  await fill(disk.folder, lowBytes - mebibyte);
  t.match(await room.lookForEnd(), { code: 'NO_QUORUM', facts: { isDiskFull: true } });
  t.match(await room.adjust(), { message: /The disk of this host is full/ });
  t.equal(await room.hasRoomAgain(), false, 'what the reserve gave is not room');
  await t.resolveMatch(room.adjust(), { code: 'NO_QUORUM' }, 'and does not become the reserve again');
  rmSync(join(disk.folder, 'ballast'));
  await fill(disk.folder, reserveBytes + roomyBytes + mebibyte);
  t.equal(await room.hasRoomAgain(), true);
  t.equal(await room.adjust(), undefined);
});

void t.test(
  'B19: on a full disk reads go on and writes say why, also after a restart, until there is room',
  async (t) => {
    const disk = smallDisk(t, 256);
    if (disk === undefined) return;
    t.teardown(() => disk.unmount());
    const agent = await LoneAgent.start({ parent: disk.folder, isTooSmall: true });
    t.teardown(() => agent.end());
    const token = await agent.token();
    const networks = `${agent.apiUrl}/networking/v2.0/networks`;
    const headers = { 'x-auth-token': token, 'content-type': 'application/json' };
    const make = (name: string) =>
      fetch(networks, { method: 'POST', headers, body: JSON.stringify({ network: { name } }) });
    const health = async (): Promise<string> => {
      try {
        return await (await fetch(`${agent.apiUrl}/healthz`)).text();
      } catch {
        return 'no answer';
      }
    };
    const until = async (sign: RegExp): Promise<boolean> => {
      const endMs = performance.now() + 30_000;
      for (let said = ''; performance.now() < endMs; said = await health()) {
        if (sign.test(said)) return true;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      return false;
    };
    const mustRead = async (when: string): Promise<void> => {
      const answer = await fetch(networks, { headers });
      t.equal(answer.status, 200, `reads go on ${when}`);
      t.ok(answer.headers.get('x-shoal-stale'), 'and are marked');
      t.match(await answer.text(), /"before"/);
      const refused = await make('refused');
      t.equal(refused.status, 503, `writes are refused ${when}`);
      t.match(await refused.text(), /The disk of this host is full/);
    };
    t.equal((await make('before')).status, 201);

    await fill(disk.folder, 0);
    t.ok(await until(/The disk of this host is full/), 'it finds out by itself');
    await mustRead('while it runs');

    await agent.end('SIGKILL');
    await fill(disk.folder, lowBytes - mebibyte);
    await agent.run(undefined, async () => /The disk of this host is full/.test(await health()));
    await mustRead('after a restart');

    rmSync(join(disk.folder, 'ballast'));
    t.ok(await until(/"status":"ok".*"hasQuorum":true/), 'it takes part again by itself');
    t.equal((await make('after')).status, 201);
    t.match(await (await fetch(networks, { headers })).text(), /"before".*"after"|"after".*"before"/);
  },
);
