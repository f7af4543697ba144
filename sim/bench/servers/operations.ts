/** The operations, each through the API and by hand, so often; one after the other. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../../drivers/command.ts';
import type { BenchCloud } from '../volumes/bench-cloud.ts';
import { type Measured, type OperationRow, timed } from '../volumes/rows.ts';
import { BareServer } from './bare-server.ts';
import { ServerClient } from './server-client.ts';

interface OperationOptions {
  readonly runs: number;
  /** Servers that are asked for side by side. */
  readonly atOnce: number;
  readonly say: (text: string) => void;
}

interface Operation {
  readonly name: string;
  readonly shoal: Measured<readonly string[]>;
  readonly bare: Measured<readonly BareServer[]>;
  /** What was done by hand, for people. */
  readonly bareWords: string;
  /** Default: as often as the others. */
  readonly runs?: number;
}

/** Measures all of them. What is made goes again. */
export async function* serverRows(cloud: BenchCloud, options: OperationOptions): AsyncGenerator<OperationRow> {
  for (const { name, bareWords, runs = options.runs, ...operation } of await operationsOf(cloud, options)) {
    options.say(name);
    const shoal = await timed(runs, operation.shoal);
    const byHand = await timed(runs, operation.bare);
    const failure = shoal.failure ?? byHand.failure;
    yield {
      storage: 'local',
      operation: name,
      shoal: shoal.times,
      bare: byHand.times,
      bareCommand: bareWords,
      samples: { shoalMs: shoal.samples, bareMs: byHand.samples },
      failed: shoal.failed + byHand.failed,
      ...(failure === undefined ? {} : { failure }),
    };
  }
}

async function operationsOf(cloud: BenchCloud, { atOnce }: OperationOptions): Promise<readonly Operation[]> {
  const { client, folder, guestImage } = cloud;
  const servers = new ServerClient(client);
  await servers.raiseQuotas();
  // What each needs: the image is on both hosts once a server of it has run there, and the flavor is a small one.
  const imageId = await client.uploadImage('bench-guest', guestImage.qcow2Path);
  const draft = { imageRef: imageId, flavorRef: '42' };
  const start = (name: string): Promise<BareServer> => BareServer.start(folder, guestImage.qcow2Path, name);
  const many = async (count: number): Promise<readonly BareServer[]> => {
    const started: BareServer[] = [];
    for (let at = 0; at < count; at += 1) started.push(await start(`bare-${at}`));
    return started;
  };
  const stop = async (started: readonly BareServer[]): Promise<void> => {
    for (const one of started) await one.stop();
  };
  const creation = (count: number): Pick<Operation, 'shoal' | 'bare'> => {
    const made: string[] = [];
    const started: BareServer[] = [];
    return {
      shoal: {
        warmUps: 2,
        prepare: async () => [],
        act: async () => {
          made.push(...(await servers.make(draft, count)));
        },
        undo: () => servers.remove(made.splice(0)),
      },
      bare: {
        prepare: async () => [],
        act: async () => {
          started.push(...(await many(count)));
        },
        undo: () => stop(started.splice(0)),
      },
    };
  };
  /** Of a server that runs. */
  const running = (
    shoal: (id: string) => Promise<void>,
    byHand: (server: BareServer) => Promise<void>,
    takeBack: () => Promise<void> = async () => {},
  ): Pick<Operation, 'shoal' | 'bare'> => ({
    shoal: {
      prepare: () => servers.make(draft),
      act: ([id = '']) => shoal(id),
      undo: async (ids) => {
        await takeBack();
        await servers.remove(ids);
      },
    },
    bare: {
      prepare: () => many(1),
      act: async ([server]) => {
        if (server !== undefined) await byHand(server);
      },
      undo: stop,
    },
  });
  const images: string[] = [];
  const copy = join(folder, 'bare-copy.qcow2');
  return [
    {
      name: 'create to running',
      bareWords: 'qemu-img create -b, qemu-system until query-status says running',
      ...creation(1),
    },
    {
      name: `${atOnce} servers at once`,
      runs: 1,
      bareWords: 'the same, one after the other',
      ...creation(atOnce),
    },
    {
      name: 'pause',
      bareWords: 'stop',
      ...running(
        (id) => servers.act(id, { pause: null }, 'PAUSED'),
        (server) => server.execute('stop'),
      ),
    },
    {
      name: 'hard reboot',
      bareWords: 'quit, qemu-system until query-status says running',
      ...running(
        (id) => servers.act(id, { reboot: { type: 'HARD' } }, 'ACTIVE'),
        (server) => server.restart(),
      ),
    },
    {
      name: 'image, live',
      bareWords: 'blockdev-snapshot-internal-sync, qemu-img convert -l',
      ...running(
        async (id) => {
          images.push(await servers.makeImage(id));
        },
        async (server) => {
          await server.keep('bench');
          const words = ['-U', '-l', 'snapshot.name=bench', '-f', 'qcow2', '-O', 'qcow2', server.diskPath, copy];
          await runCommand(['qemu-img', 'convert', ...words], { timeoutMs: 120_000 });
          await rm(copy, { force: true });
        },
        async () => {
          for (const image of images.splice(0)) await servers.removeImage(image);
        },
      ),
    },
  ];
}
