/** Finds a kernel for the demo guest, with its modules: Debian's `linux-image-cloud-amd64`, or one unpacked elsewhere. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ShoalError } from '../../../node/base/errors.ts';
import { isMissing } from '../../../node/base/system-error.ts';
import { runCommand } from '../../command.ts';

/**
 * A kernel as it lies in the file system: version as `uname -r` says it, absolute path of the bzImage, folder of its
 * modules.
 */
export interface GuestKernel {
  readonly version: string;
  readonly imagePath: string;
  readonly modulesDir: string;
}

/** The newest `*-cloud-amd64` kernel below `root` (`/`, or where a package was unpacked). `NOT_FOUND` says what to install. */
export async function findKernel(root = '/'): Promise<GuestKernel> {
  const boot = join(root, 'boot');
  const names = await readdir(boot).catch((caught: unknown): string[] => {
    if (isMissing(caught)) return [];
    throw ShoalError.from(caught, 'CANNOT_TELL', `reading ${boot}`);
  });
  const versions = names
    .filter((name) => name.startsWith('vmlinuz-') && name.endsWith('-cloud-amd64'))
    .map((name) => name.slice('vmlinuz-'.length))
    .sort(new Intl.Collator('en', { numeric: true }).compare);
  const version = versions.at(-1);
  if (version === undefined) {
    throw new ShoalError('NOT_FOUND', `no cloud kernel below ${boot}: install linux-image-cloud-amd64`);
  }
  for (const modulesDir of [join(root, 'lib/modules', version), join(root, 'usr/lib/modules', version)]) {
    const files = await readdir(modulesDir).catch((caught: unknown): string[] => {
      if (isMissing(caught)) return [];
      throw ShoalError.from(caught, 'CANNOT_TELL', `reading ${modulesDir}`);
    });
    if (files.includes('kernel')) return { version, imagePath: join(boot, `vmlinuz-${version}`), modulesDir };
  }
  throw new ShoalError('NOT_FOUND', `kernel ${version} has no modules below ${root}`);
}

/** One module, in the order in which it must be loaded. */
interface GuestModule {
  /** `virtio_blk.ko`. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** The named modules and all that they need, dependencies first. Those built into the kernel are left out. */
export async function loadModules(kernel: GuestKernel, names: readonly string[]): Promise<readonly GuestModule[]> {
  const dependencies = await readDependencies(kernel);
  const builtin = new Set(
    (await readFile(join(kernel.modulesDir, 'modules.builtin'), 'utf8')).split('\n').map(moduleName),
  );
  const byName = new Map([...dependencies.keys()].map((path) => [moduleName(path), path]));
  const ordered = new Set<string>();
  const add = (path: string): void => {
    if (ordered.has(path)) return;
    // modules.dep lists what a module needs with the deepest need last.
    for (const need of [...(dependencies.get(path) ?? [])].reverse()) ordered.add(need);
    ordered.add(path);
  };
  for (const name of names) {
    const path = byName.get(name);
    if (path !== undefined) add(path);
    else if (!builtin.has(name)) throw new ShoalError('NOT_FOUND', `kernel ${kernel.version} has no module ${name}`);
  }
  const modules: GuestModule[] = [];
  for (const path of ordered) {
    modules.push({ name: `${moduleName(path)}.ko`, content: await readModule(join(kernel.modulesDir, path)) });
  }
  return modules;
}

async function readDependencies(kernel: GuestKernel): Promise<ReadonlyMap<string, readonly string[]>> {
  const path = join(kernel.modulesDir, 'modules.dep');
  const text = await readFile(path, 'utf8').catch((caught: unknown) => {
    if (isMissing(caught)) throw new ShoalError('NOT_FOUND', `${path} is missing: run depmod for ${kernel.version}`);
    throw ShoalError.from(caught, 'CANNOT_TELL', `reading ${path}`);
  });
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [
        line.slice(0, colon),
        line
          .slice(colon + 1)
          .trim()
          .split(' ')
          .filter((need) => need !== ''),
      ];
    }),
  );
}

/** `kernel/fs/fat/vfat.ko.xz` is `vfat`; the kernel takes `-` and `_` for the same. */
function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.xz)?$/, '')
    .replaceAll('-', '_');
}

async function readModule(path: string): Promise<Uint8Array> {
  if (!path.endsWith('.xz')) return readFile(path);
  // Debian packs modules since 13. Base64, because a command's output is text here.
  const result = await runCommand(['sh', '-c', 'xz -dc -- "$1" | base64 -w0', 'sh', path]);
  return Buffer.from(result.stdout, 'base64');
}
