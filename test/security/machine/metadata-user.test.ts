/**
 * The metadata server speaks with every guest of a host. It is a user of its own there: what breaks into it can read what it
 * serves and nothing else of the agent's.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { metadataServerUid, uidRangeDefault } from '../../../drivers/uid-range.ts';
import { metadataFileName } from '../../../drivers/vxlan/model/metadata.ts';
import { syncMetadataFiles } from '../../../drivers/vxlan/services/metadata-files.ts';
import { freePort } from '../../support/free-port.ts';

const script = fileURLToPath(new URL('../../../drivers/vxlan/services/metadata-server.pl', import.meta.url));
const uid = metadataServerUid(uidRangeDefault);

function get(port: number, path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, localAddress: '127.0.0.2' }, (response) => {
      response.setEncoding('utf8');
      let body = '';
      response.on('data', (part: string) => {
        body += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asking.on('error', reject);
    asking.end();
  });
}

if (process.getuid?.() !== 0) {
  t.test('the metadata server is a user of its own', { skip: 'needs root' }, (t) => t.end());
} else {
  await t.test('the metadata server is a user of its own, and reads what it serves alone', async (t) => {
    // As in production: nobody but the agent may pass on the way to the folder.
    const closed = await mkdtemp(join(tmpdir(), 'shoal-metadata-user-'));
    const folder = join(closed, 'metadata');
    await mkdir(folder);
    await chmod(closed, 0o700);
    await chown(folder, 0, uid);
    await chmod(folder, 0o710);
    const guest = join(folder, '127.0.0.2');
    // Files of an earlier version are the agent's own; they are opened to the server.
    await syncMetadataFiles(guest, { '/latest/old': 'old' });
    t.equal((await stat(join(guest, metadataFileName('/latest/old')))).gid, 0);
    await syncMetadataFiles(guest, { '/latest/old': 'old', '/latest/new': 'new' }, uid);
    for (const path of ['/latest/old', '/latest/new']) {
      const { gid, mode } = await stat(join(guest, metadataFileName(path)));
      t.same([gid, mode & 0o777], [uid, 0o640], path);
    }
    t.equal(await syncMetadataFiles(guest, { '/latest/old': 'old', '/latest/new': 'new' }, uid), false, 'once');
    await writeFile(join(guest, metadataFileName('/latest/secret')), 'secret', { mode: 0o600 });
    await chmod(join(guest, metadataFileName('/latest/secret')), 0o600);

    const port = await freePort();
    const server: ChildProcess = spawn(
      'setpriv',
      [
        ...['--no-new-privs', '--clear-groups', '--bounding-set=-all,+setuid,+setgid', '--inh-caps=-all'],
        ...['perl', '-T', script, '127.0.0.1', String(port), folder, String(uid)],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    t.teardown(async () => {
      server.kill('SIGKILL');
      await rm(closed, { recursive: true, force: true });
    });
    if (server.stdout !== null) await once(server.stdout, 'data');

    const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
    const lineOf = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, 'mu').exec(status)?.[1] ?? '';
    t.equal(lineOf('Uid'), [uid, uid, uid, uid].join('\t'), 'real, effective, saved and file user');
    t.equal(lineOf('Gid'), [uid, uid, uid, uid].join('\t'));
    t.equal(lineOf('Groups').trim(), '', 'no other groups');
    t.equal(lineOf('CapEff'), '0000000000000000');
    t.equal(lineOf('CapPrm'), '0000000000000000', 'and it cannot take any back');
    t.equal(lineOf('NoNewPrivs'), '1');
    t.same(await get(port, '/latest/old'), { status: 200, body: 'old' });
    t.same(await get(port, '/latest/new'), { status: 200, body: 'new' });
    t.equal((await get(port, '/latest/secret')).status, 500, 'what belongs to the agent alone is not read');
  });
}
