/** A guest by hand: a disk on top of the image, and a QEMU whose monitor is ours. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from '../../../drivers/command.ts';
import { QmpClient } from '../../../drivers/qemu/guest/qmp.ts';
import { ShoalError } from '../../../node/base/errors.ts';

/** Longest wait for a process. Unit: ms. */
const patienceMs = 60_000;
const lookMs = 5;

/** See above. */
export class BareServer {
  readonly diskPath: string;
  readonly #socketPath: string;
  #process: ChildProcess | undefined;
  #qmp: QmpClient | undefined;

  private constructor(folder: string, name: string) {
    this.diskPath = join(folder, `${name}.qcow2`);
    this.#socketPath = join(folder, `${name}.qmp`);
  }

  /** Returns when its CPUs run. */
  static async start(folder: string, imagePath: string, name: string): Promise<BareServer> {
    const server = new BareServer(folder, name);
    await runCommand([
      'qemu-img',
      'create',
      '-q',
      '-f',
      'qcow2',
      '-b',
      imagePath,
      '-F',
      'qcow2',
      server.diskPath,
      '1G',
    ]);
    await server.#run();
    return server;
  }

  async execute(command: string): Promise<void> {
    await this.#qmp?.execute(command, {});
  }

  /** Its disk as it is now, within its file. */
  async keep(name: string): Promise<void> {
    await this.#qmp?.execute('blockdev-snapshot-internal-sync', { device: 'root', name });
  }

  async restart(): Promise<void> {
    await this.#end();
    await this.#run();
  }

  async stop(): Promise<void> {
    await this.#end();
    for (const path of [this.diskPath, this.#socketPath]) await rm(path, { force: true });
  }

  async #run(): Promise<void> {
    await rm(this.#socketPath, { force: true });
    const words = ['-machine', 'pc', '-accel', 'tcg', '-m', '128', '-nodefaults', '-nographic'];
    const disk = `driver=qcow2,node-name=root,file.driver=file,file.filename=${this.diskPath}`;
    words.push('-blockdev', disk, '-device', 'virtio-blk-pci,drive=root');
    words.push('-qmp', `unix:${this.#socketPath},server=on,wait=off`);
    this.#process = spawn('qemu-system-x86_64', words, { stdio: 'ignore' });
    const process = this.#process;
    const untilMs = performance.now() + patienceMs;
    try {
      for (;;) {
        this.#qmp = await this.#connected();
        if (this.#qmp !== undefined) break;
        if (performance.now() > untilMs || process.exitCode !== null) throw new Error('the bare guest is not there');
        await delay(lookMs);
      }
      const { status } = (await this.#qmp.execute('query-status', {})) as { status?: string };
      if (status !== 'running') throw new Error(`the bare guest is ${status ?? 'silent'}`);
    } catch (caught) {
      await this.#end();
      throw caught;
    }
  }

  /** Undefined: it does not listen yet. */
  async #connected(): Promise<QmpClient | undefined> {
    if (!(await isThere(this.#socketPath))) return undefined;
    try {
      return await QmpClient.connect(this.#socketPath, { onEvent: () => {} });
    } catch (caught) {
      if (ShoalError.is(caught, 'UNAVAILABLE')) return undefined;
      throw caught;
    }
  }

  async #end(): Promise<void> {
    const process = this.#process;
    this.#qmp?.close();
    if (process === undefined || process.exitCode !== null) return;
    const ended = once(process, 'exit');
    process.kill('SIGKILL');
    await ended;
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
