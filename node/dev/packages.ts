/** The Debian packages that the real drivers need: what for, and how to see that they are there. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

/** One package. */
export interface DebianPackage {
  readonly name: string;
  readonly purpose: string;
  readonly isInstalled: () => boolean;
}

const programFolders = ['/usr/bin', '/usr/sbin', '/bin', '/sbin', '/usr/local/bin', '/usr/local/sbin'];

function program(name: string, purpose: string, binary: string): DebianPackage {
  return {
    name,
    purpose,
    isInstalled: () => programFolders.some((folder) => existsSync(`${folder}/${binary}`)),
  };
}

function file(name: string, purpose: string, path: string): DebianPackage {
  return { name, purpose, isInstalled: () => existsSync(path) };
}

/** For an agent with the real drivers. */
export const agentPackages: readonly DebianPackage[] = [
  program('qemu-system-x86', 'runs guests', 'qemu-system-x86_64'),
  program('qemu-utils', 'makes disks', 'qemu-img'),
  program('iproute2', 'bridges, VXLAN, namespaces', 'bridge'),
  program('nftables', 'firewall and NAT', 'nft'),
  program('conntrack', 'cuts flows that a rule no longer allows', 'conntrack'),
  program('dnsmasq-base', 'DHCP', 'dnsmasq'),
  program('iputils-arping', 'announces floating IPs', 'arping'),
  program('util-linux', 'starts processes in namespaces and without privileges', 'setpriv'),
  program('perl-base', 'gives a tap to its guest, serves metadata', 'perl'),
  program('bash', 'closes what a program is not to inherit', 'bash'),
];

/** For the tiny guest image that the development cloud and the tests boot. */
export const guestImagePackages: readonly DebianPackage[] = [
  {
    name: 'linux-image-cloud-amd64',
    purpose: "the test guest's kernel",
    isInstalled: () =>
      existsSync('/boot') && readdirSync('/boot').some((entry) => /^vmlinuz-.*-cloud-amd64$/.test(entry)),
  },
  program('busybox-static', "the test guest's programs", 'busybox'),
  program('dropbear-bin', "the test guest's SSH server", 'dropbear'),
  program('syslinux', "the test guest's boot loader", 'syslinux'),
  file('syslinux-common', "the test guest's boot sector", '/usr/lib/syslinux/mbr/mbr.bin'),
  program('mtools', 'fills its boot partition', 'mcopy'),
  program('dosfstools', 'makes its boot partition', 'mkfs.fat'),
  program('fdisk', 'makes its partition table', 'sfdisk'),
  program('cpio', 'packs its initramfs', 'cpio'),
  program('kmod', 'finds its modules', 'modprobe'),
  program('e2fsprogs', 'makes its root partition', 'mke2fs'),
  program('binutils', 'strips its modules', 'strip'),
];

/** For `npm start -- --ceph` and the tests on Ceph. */
export const cephPackages: readonly DebianPackage[] = [
  program('ceph-mon', 'Ceph monitor', 'ceph-mon'),
  program('ceph-mgr', 'Ceph manager', 'ceph-mgr'),
  program('ceph-osd', 'Ceph object storage', 'ceph-osd'),
  program('ceph-common', 'rbd and ceph commands', 'rbd'),
  {
    name: 'qemu-block-extra',
    purpose: 'QEMU opens RBD',
    isInstalled: () =>
      ['/usr/lib/x86_64-linux-gnu/qemu/block-rbd.so', '/usr/lib/aarch64-linux-gnu/qemu/block-rbd.so'].some(existsSync),
  },
];

/** For the tests alone. */
export const testPackages: readonly DebianPackage[] = [
  program('python3-openstackclient', 'the unmodified client that the tests use', 'openstack'),
  program('iputils-ping', 'pings in tests', 'ping'),
  program('openssh-client', 'logs in to guests in tests', 'ssh'),
  program('curl', 'asks over HTTP in tests', 'curl'),
  program('chromium', 'shows the screens of guests by noVNC in tests', 'chromium'),
];

/** What could not be had, and why. */
export class PackagesMissing extends Error {
  readonly packages: readonly DebianPackage[];
  constructor(packages: readonly DebianPackage[], why: string) {
    super(`${why}\n\n    apt-get install ${packages.map((item) => item.name).join(' ')}\n`);
    this.name = 'PackagesMissing';
    this.packages = packages;
  }
}

/**
 * Sees to it that the packages are there: names each missing one, then installs them with apt when this is root and
 * `install` is true. Throws `PackagesMissing` with the command to type otherwise.
 */
export function ensurePackages(
  wanted: readonly DebianPackage[],
  options: { readonly install: boolean; readonly say: (line: string) => void },
): void {
  const missing = wanted.filter((item) => !item.isInstalled());
  if (missing.length === 0) return;
  const isRoot = process.getuid?.() === 0;
  const isDebian = existsSync('/usr/bin/apt-get');
  options.say('Debian packages that are missing:');
  for (const item of missing) options.say(`  ${item.name.padEnd(26)} ${item.purpose}`);
  if (!options.install)
    throw new PackagesMissing(missing, 'Not installed, as --no-install was given. Install them with:');
  if (!isDebian) throw new PackagesMissing(missing, 'This is no Debian machine: install what Debian calls:');
  if (!isRoot) throw new PackagesMissing(missing, 'Only root can install them. As root:');
  const run = (args: readonly string[]): { status: number | null; output: string } => {
    const result = spawnSync('apt-get', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 15 * 60_000,
    });
    return { status: result.status, output: `${result.stdout}${result.stderr}` };
  };
  options.say('Installing them with apt-get...');
  const names = missing.map((item) => item.name);
  const install = ['install', '-y', '--no-install-recommends', ...names];
  let result = run(install);
  if (result.status !== 0) {
    // The lists may never have been fetched, or be old.
    run(['update']);
    result = run(install);
  }
  const still = missing.filter((item) => !item.isInstalled());
  if (result.status !== 0 || still.length > 0) {
    const names = still.length > 0 ? still : missing;
    throw new PackagesMissing(names, `apt-get failed:\n${result.output.split('\n').slice(-15).join('\n')}\nTry:`);
  }
}
