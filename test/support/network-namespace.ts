/**
 * Runs a whole test file in a network of its own: nothing that it sends leaves it, and its addresses are free. The file
 * starts itself again under `unshare --net`; the new network goes away with the last process in it.
 */
import { spawn } from 'node:child_process';
import { runCommand } from '../../drivers/command.ts';

const marker = 'SHOAL_TEST_OWN_NETWORK';

/**
 * Returns at once in the own network (loopback is up). Outside of it: runs `file` inside, passes its output through,
 * and ends this process as that one ended. `timeoutMs` is what the file may take in all.
 */
export async function enterOwnNetwork(file: string, timeoutMs: number): Promise<void> {
  if (process.env[marker] === '1') {
    // Agents that a test starts refuse settings of the environment that they do not know.
    Reflect.deleteProperty(process.env, marker);
    await runCommand(['ip', 'link', 'set', 'lo', 'up']);
    return;
  }
  // The test runner listens for this; the channel on which tap tells it otherwise ends at this process.
  process.stdout.write(`# timeout=${timeoutMs}\n`);
  const child = spawn('unshare', ['--net', '--', process.execPath, ...process.execArgv, file], {
    stdio: 'inherit',
    env: { ...process.env, [marker]: '1' },
  });
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
  process.exit(status);
}

/** A host in a test: a network namespace on the test's bridge. */
export interface TestHost {
  readonly namespace: string;
  readonly address: string;
  /** What stands before a command that runs on this host. */
  readonly prefix: readonly string[];
}

/** Makes a bridge with `address` in this process's network, and hosts on it, by name and address. Undo with the result. */
export async function makeHosts(
  bridgeAddress: string,
  hosts: Readonly<Record<string, string>>,
): Promise<{ readonly hosts: ReadonlyMap<string, TestHost>; readonly remove: () => Promise<void> }> {
  await runCommand(['ip', 'link', 'add', 'br-test', 'type', 'bridge', 'forward_delay', '0']);
  await runCommand(['ip', 'addr', 'add', `${bridgeAddress}/24`, 'dev', 'br-test']);
  await runCommand(['ip', 'link', 'set', 'br-test', 'up']);
  const made = new Map<string, TestHost>();
  for (const [name, address] of Object.entries(hosts)) {
    const namespace = `shoal-test-${process.pid}-${name}`;
    await runCommand(['ip', 'netns', 'add', namespace]);
    made.set(name, { namespace, address, prefix: ['nsenter', `--net=/run/netns/${namespace}`, '--'] });
    await runCommand(['ip', 'link', 'add', `v-${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace]);
    await runCommand(['ip', 'link', 'set', `v-${name}`, 'master', 'br-test', 'up']);
    await runCommand(['ip', '-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0']);
    for (const device of ['lo', 'eth0']) await runCommand(['ip', '-n', namespace, 'link', 'set', device, 'up']);
  }
  const remove = async (): Promise<void> => {
    for (const { namespace } of made.values()) await runCommand(['ip', 'netns', 'del', namespace]);
  };
  return { hosts: made, remove };
}
