/** A process of its own that starts a guest and then only exists, so that a test can kill it as an agent is killed. */
import { QemuDriver, type QemuDriverOptions } from '../../../drivers/qemu/driver.ts';
import type { GuestSpec } from '../../../drivers/types.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';

const [options, spec] = JSON.parse(process.argv[2] ?? '') as [QemuDriverOptions, GuestSpec];
const { signal } = new AbortController();
const driver = new QemuDriver({ log: silentLogger }, options);
await driver.start(signal);
process.stdout.write(`${JSON.stringify(await driver.startGuest(spec, signal))}\n`);
// Ends by itself when nobody kills it.
setTimeout(() => process.exit(1), 60_000);
