/** Debian's own `openstack` (python3-openstackclient) against a listening gateway on a state in memory. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { adminPassword, startGateway, type TestGateway } from './gateway.ts';

const run = promisify(execFile);
/** One command of the CLI takes about two seconds, most of it Python's start. */
const commandTimeoutMs = 60_000;

const installed = await run('openstack', ['--version'], { timeout: commandTimeoutMs }).then(
  () => true,
  () => false,
);
/** Why tests with it are skipped; false: they are not. */
export const skipCli = installed ? false : 'the program openstack (Debian: python3-openstackclient) is not installed';

/** A gateway, a folder of its own, and the CLI run in it as the administrator. */
export async function startCli() {
  const gateway = await startGateway({ listen: true });
  return { gateway, ...(await cliOn(gateway)) };
}

/** The CLI in a folder of its own, as the administrator of a gateway that listens. */
export async function cliOn(gateway: TestGateway) {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-cli-'));
  const port = gateway.server.addresses[0]?.port ?? 0;
  const environment = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    // No configuration of the user who runs the test.
    HOME: folder,
    OS_AUTH_URL: `http://127.0.0.1:${port}/identity`,
    OS_USERNAME: 'admin',
    OS_PASSWORD: adminPassword,
    OS_PROJECT_NAME: 'admin',
    OS_USER_DOMAIN_ID: 'default',
    OS_PROJECT_DOMAIN_ID: 'default',
    OS_IDENTITY_API_VERSION: '3',
  };
  /** Runs one command (words apart by single spaces); its parsed JSON, or what it said when it failed. */
  const openstack = async (command: string, extra: Record<string, string> = {}) => {
    try {
      const options = { cwd: folder, env: { ...environment, ...extra }, timeout: commandTimeoutMs };
      const { stdout } = await run('openstack', command.split(' '), options);
      return { failed: '', value: stdout.trim() === '' ? undefined : JSON.parse(stdout) };
    } catch (error) {
      return {
        failed: error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error),
        value: undefined,
      };
    }
  };
  const stop = async (): Promise<void> => {
    await gateway.stop();
    await rm(folder, { recursive: true });
  };
  return { folder, openstack, stop };
}
