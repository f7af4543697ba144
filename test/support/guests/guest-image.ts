/** The demo guest for tests that boot a real Linux: built once a test file, copied on write below each test's disk. */

import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from '../../../drivers/command.ts';
import { buildGuestImage, type GuestImage, guestBuildPackages } from '../../../drivers/image/guest/build.ts';
import type { QemuDriver } from '../../../drivers/qemu/driver.ts';
import type { ComputeDriver } from '../../../drivers/types.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ServerId } from '../../../node/base/ids.ts';

/** TCG under load has taken 16 s; nothing that works takes this long. */
export const bootTimeoutMs = 90_000;

/**
 * The image, or why it cannot be built here. It goes when this process ends.
 * @param isOpen false: as `npm start` boots it. Default true: tests look into it from outside.
 */
export async function guestImageOrReason({ isOpen = true } = {}): Promise<GuestImage | string> {
  const folder = join(tmpdir(), `shoal-guest-image-${process.pid}`);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  try {
    return await buildGuestImage(folder, { isOpen });
  } catch (caught) {
    if (ShoalError.is(caught, 'NOT_FOUND', 'COMMAND_MISSING')) {
      return `${caught.message} (the guest is built from ${guestBuildPackages.join(' ')})`;
    }
    throw caught;
  }
}

/** A new qcow2 file at `path` whose bottom is the image. */
export async function overlayOf(image: GuestImage, path: string): Promise<void> {
  await runCommand(['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', image.qcow2Path, '-F', 'qcow2', path]);
}

/** The facts of the guest's report lines (`@@ WORD key=value ...`), oldest first. A shell prompt may stand before them. */
export function reports(consoleText: string, word: string): readonly Readonly<Record<string, string>>[] {
  const found: Record<string, string>[] = [];
  for (const [, facts] of consoleText.matchAll(new RegExp(`@@ ${word} ([^\\r\\n]*)[\\r\\n]`, 'g'))) {
    found.push(
      Object.fromEntries([...(facts ?? '').matchAll(/([a-z0-9_]+)=(\S*)/g)].map((m) => [m[1] ?? '', m[2] ?? ''])),
    );
  }
  return found;
}

/** Types a line on the guest's serial console, as a person would: once there is a prompt after its last boot. */
export async function typeLine(driver: QemuDriver, serverId: ServerId, line: string): Promise<void> {
  const deadline = performance.now() + bootTimeoutMs;
  for (;;) {
    const text = Buffer.from(await driver.consoleLog(serverId, 1 << 20, new AbortController().signal)).toString(
      'latin1',
    );
    if (/\/ # [^\n]*$/.test(text.slice(Math.max(0, text.lastIndexOf('@@ ready'))))) break;
    if (performance.now() > deadline) throw new Error(`no prompt in time; the console says:\n${text.slice(-2000)}`);
    await delay(50);
  }
  await typeAtOnce(driver, serverId, line);
}

/** Types a line, whether or not the console has shown a prompt: that of a guest which came from elsewhere shows none until then. */
export function typeAtOnce(driver: QemuDriver, serverId: ServerId, line: string): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const socket = connect(driver.consoleSockets(serverId).serial, () => socket.end(`${line}\n`));
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.resume();
  });
}

/** Waits until the guest has reported `word` at least `times` times over all its boots, and returns those reports. */
export async function waitForReport(
  driver: ComputeDriver,
  serverId: ServerId,
  word: string,
  times = 1,
): Promise<readonly Readonly<Record<string, string>>[]> {
  const { signal } = new AbortController();
  const deadline = performance.now() + bootTimeoutMs;
  for (;;) {
    const text = Buffer.from(await driver.consoleLog(serverId, 1 << 20, signal)).toString('latin1');
    const found = reports(text, word);
    if (found.length >= times) return found;
    if (performance.now() > deadline)
      throw new Error(`no '@@ ${word}' in time; the console says:\n${text.slice(-2000)}`);
    await delay(50);
  }
}
