/**
 * A real guest's screen and keyboard through two agents: a client of RFB, and noVNC's page in a headless Chromium, ask one agent;
 * the guest runs at another. The guest is a boot sector that writes what is typed on its screen and its serial line.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { consolePageModule } from '../../../api-gateway/console/page-module.ts';
import type { ComputeDriver } from '../../../drivers/types.ts';
import { systemClock } from '../../../node/base/clock.ts';
import type { ServerId, VolumeId } from '../../../node/base/ids.ts';
import { isRecord } from '../../../node/base/json-value.ts';
import { mibBytes } from '../../../node/base/units.ts';
import { ConsoleCalls } from '../../../node/host/consoles/console-calls.ts';
import { ConsoleGrants } from '../../../node/host/consoles/console-grants.ts';
import { consoleHandler } from '../../../node/host/consoles/console-handler.ts';
import { consoleToken } from '../../../node/host/consoles/console-token.ts';
import { clientsOf, hostOf, serve, testAuthority } from '../../node/mesh/peer-fixtures.ts';
import { startGateway } from '../../support/gateway.ts';
import { openFolder, qemuFixture, whyNoQemu } from '../../support/guests/qemu-host.ts';
import { whyNoProgram } from '../../support/programs.ts';

const { signal } = new AbortController();
/** Far above what a loaded machine takes. */
const timeoutMs = 30_000;
const serverId = randomUUID() as ServerId;
/** Of what the guest writes on its screen: some letters have so many bright pixels. */
const brightPixelsMin = 200;

/** A boot sector: writes a line on the screen, then each key on the screen and on COM1. */
function typewriterSector(): Uint8Array {
  const code = [
    ...[0xfc, 0x31, 0xc0, 0x8e, 0xd8], // cld; xor ax,ax; mov ds,ax
    ...[0xbe, 0x27, 0x7c], // mov si, text
    ...[0xac, 0x84, 0xc0, 0x74, 0x09], // next: lodsb; test al,al; jz keys
    ...[0xb4, 0x0e, 0xbb, 0x07, 0x00, 0xcd, 0x10], // mov ah,0xe; mov bx,7; int 0x10
    ...[0xeb, 0xf2], // jmp next
    ...[0x30, 0xe4, 0xcd, 0x16], // keys: xor ah,ah; int 0x16
    ...[0xba, 0xf8, 0x03, 0xee], // mov dx,0x3f8; out dx,al
    ...[0xb4, 0x0e, 0xbb, 0x07, 0x00, 0xcd, 0x10], // mov ah,0xe; mov bx,7; int 0x10
    ...[0xeb, 0xef], // jmp keys
  ];
  const sector = new Uint8Array(512);
  sector.set(code);
  sector.set(new TextEncoder().encode('THE SCREEN OF A GUEST\r\n\0'), code.length);
  sector.set([0x55, 0xaa], 510);
  return sector;
}

/** The guest at one host, and another agent's address. */
async function startCloud(t: Test) {
  const fixture = await qemuFixture(t);
  const driver = fixture.open();
  await driver.start(signal);
  const path = join(await openFolder(t), 'typewriter.raw');
  const content = new Uint8Array(mibBytes);
  content.set(typewriterSector());
  await writeFile(path, content);
  const disk = {
    volumeId: randomUUID() as VolumeId,
    source: { kind: 'file', path, format: 'raw' },
    bootIndex: 0,
  } as const;
  const spec = { serverId, generation: 1, name: 'typewriter', vcpus: 1, memoryMib: 32, disks: [disk], nics: [] };
  await driver.startGuest(spec, signal);
  t.teardown(async () => {
    await driver.stopGuest(serverId, { graceMs: 0 }, signal);
    await driver.removeGuest(serverId, signal);
    await driver.stop();
  });
  const authority = testAuthority();
  const [guestHost, other] = [hostOf(authority), hostOf(authority)];
  const grants = new ConsoleGrants(systemClock, randomUUID);
  const console = consoleHandler({ compute: driver, grants, clock: systemClock });
  const addresses = new Map([[guestHost.hostId, await serve(t, guestHost, { handlers: { console } })]]);
  const consoles = new ConsoleCalls(clientsOf(t, other, addresses), other.hostId, console);
  const gateway = await startGateway({ listen: true, consoles, modules: () => [consolePageModule()] });
  t.teardown(() => gateway.stop());
  const address = `127.0.0.1:${gateway.server.addresses[0]?.port ?? 0}`;
  const newPath = (): string => {
    const secret = grants.add({ serverId, kind: 'vnc', sessionToken: '' });
    return `console/vnc?token=${consoleToken(guestHost.hostId, secret)}`;
  };
  return { driver, address, newPath };
}

async function typed(driver: ComputeDriver, key: string): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const text = new TextDecoder().decode(await driver.consoleLog(serverId, 4096, signal));
    if (text.includes(key)) return true;
    await delay(50);
  }
  return false;
}

/** A client of RFB 3.8 (RFC 6143), as far as it is needed to look and to type. */
class RfbClient {
  readonly #socket: WebSocket;
  #bytes = Buffer.alloc(0);
  #wake: (() => void) | undefined;

  constructor(url: string) {
    this.#socket = new WebSocket(url, ['binary']);
    this.#socket.on('message', (data) => {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.isBuffer(data) ? data : Buffer.alloc(0)]);
      this.#wake?.();
    });
  }

  /** Up to the size of the screen, pixels. */
  async greet(): Promise<{ readonly width: number; readonly height: number }> {
    const version = await this.#take(12);
    this.#socket.send(version);
    const kinds = await this.#take((await this.#take(1)).readUInt8());
    if (!kinds.includes(1)) throw new Error(`no security type without a password: ${kinds.toString('hex')}`);
    this.#socket.send(Uint8Array.of(1));
    if ((await this.#take(4)).readUInt32BE() !== 0) throw new Error('security was refused');
    this.#socket.send(Uint8Array.of(1));
    const start = await this.#take(24);
    await this.#take(start.readUInt32BE(20));
    return { width: start.readUInt16BE(0), height: start.readUInt16BE(2) };
  }

  /** Pixels of the whole screen that are bright; raw encoding, 32 bits each. */
  async brightPixels(width: number, height: number): Promise<number> {
    const ask = Buffer.alloc(10);
    ask.writeUInt8(3, 0);
    ask.writeUInt16BE(width, 6);
    ask.writeUInt16BE(height, 8);
    this.#socket.send(Uint8Array.of(2, 0, 0, 1, 0, 0, 0, 0));
    this.#socket.send(ask);
    const head = await this.#take(4);
    if (head.readUInt8(0) !== 0) throw new Error(`message ${head.readUInt8(0)} where the screen was asked for`);
    let bright = 0;
    for (let rectangles = head.readUInt16BE(2); rectangles > 0; rectangles -= 1) {
      const rectangle = await this.#take(12);
      const pixels = await this.#take(rectangle.readUInt16BE(4) * rectangle.readUInt16BE(6) * 4);
      for (let at = 0; at < pixels.length; at += 4) if ((pixels[at + 1] ?? 0) > 100) bright += 1;
    }
    return bright;
  }

  press(key: number): void {
    for (const isDown of [1, 0]) this.#socket.send(Uint8Array.of(4, isDown, 0, 0, 0, 0, 0, key));
  }

  close(): void {
    this.#socket.terminate();
  }

  async #take(count: number): Promise<Buffer> {
    const deadline = performance.now() + timeoutMs;
    while (this.#bytes.length < count) {
      if (performance.now() > deadline) throw new Error(`${this.#bytes.length} of ${count} bytes came`);
      await Promise.race([
        delay(500),
        new Promise<void>((resolve) => {
          this.#wake = resolve;
        }),
      ]);
    }
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }
}

/** A headless Chromium with one page, by its DevTools protocol. */
class Browser {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (result: unknown) => void>();
  #sessionId: string | undefined;
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const message: unknown = JSON.parse(String(data));
      if (!isRecord(message) || typeof message['id'] !== 'number') return;
      this.#answers.get(message['id'])?.(message['result']);
    });
  }

  static async start(t: Test): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), 'shoal-chromium-'));
    const options = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
    const child = spawn(
      'chromium',
      [...options, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        detached: true,
        env: { ...process.env, HOME: profile },
      },
    );
    t.teardown(async () => {
      const gone = once(child, 'exit');
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      await gone;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    });
    for await (const line of createInterface({ input: child.stderr })) {
      const url = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (url === undefined) continue;
      child.stderr.resume();
      const socket = new WebSocket(url);
      await once(socket, 'open', { signal: AbortSignal.timeout(timeoutMs) });
      return new Browser(socket);
    }
    throw new Error('chromium did not start');
  }

  async open(url: string): Promise<void> {
    const { targetId } = await this.ask('Target.createTarget', { url });
    const { sessionId } = await this.ask('Target.attachToTarget', { targetId, flatten: true });
    this.#sessionId = String(sessionId);
  }

  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.ask('Runtime.evaluate', { expression, returnByValue: true });
    return isRecord(result) ? result['value'] : undefined;
  }

  /** Until the page says so; the last value that it said. */
  async until(expression: string, isIt: (value: unknown) => boolean): Promise<unknown> {
    const deadline = performance.now() + timeoutMs;
    let value: unknown;
    while (performance.now() < deadline) {
      value = await this.evaluate(expression);
      if (isIt(value)) return value;
      await delay(100);
    }
    return value;
  }

  async ask(method: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#answers.set(id, resolve);
    const timer = setTimeout(() => reject(new Error(`${method} was not answered`)), timeoutMs);
    const session = this.#sessionId === undefined ? {} : { sessionId: this.#sessionId };
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    const result = await promise.finally(() => clearTimeout(timer));
    this.#answers.delete(id);
    return isRecord(result) ? result : {};
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** Counts what is bright in the picture that noVNC draws. */
const brightInPage = `(() => {
  const canvas = document.querySelector('#screen canvas');
  if (canvas === null || canvas.width < 2) return 0;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let bright = 0;
  for (let at = 0; at < data.length; at += 4) if (data[at + 1] > 100) bright += 1;
  return bright;
})()`;

await t.test('the screen of a real guest through two agents', { skip: await whyNoQemu() }, async (t) => {
  const { driver, address, newPath } = await startCloud(t);

  await t.test('a client of RFB sees what the guest shows, and the guest gets its keys', async (t) => {
    const client = new RfbClient(`ws://${address}/${newPath()}`);
    t.teardown(() => client.close());
    const { width, height } = await client.greet();
    t.ok(width >= 640 && height >= 350, `${width} x ${height}`);
    const deadline = performance.now() + timeoutMs;
    let bright = 0;
    while (bright < brightPixelsMin && performance.now() < deadline) bright = await client.brightPixels(width, height);
    t.ok(bright >= brightPixelsMin, `${bright} bright pixels`);
    client.press('q'.charCodeAt(0));
    t.ok(await typed(driver, 'q'), 'the key came out at the serial line');
  });

  await t.test('noVNC in a browser shows it, and takes keys', { skip: await whyNoProgram('chromium') }, async (t) => {
    const browser = await Browser.start(t);
    t.teardown(() => browser.close());
    await browser.open(`http://${address}/console/vnc_auto.html?path=${encodeURIComponent(newPath())}`);
    const status = `document.getElementById('status')?.textContent`;
    t.equal(await browser.until(status, (value) => value === 'Connected'), 'Connected');
    const bright = await browser.until(brightInPage, (value) => Number(value) >= brightPixelsMin);
    t.ok(Number(bright) >= brightPixelsMin, `${bright} bright pixels`);
    t.notMatch(await browser.evaluate('location.href'), /token/, 'the address shows no token any more');
    const key = { key: 'z', code: 'KeyZ', text: 'z', windowsVirtualKeyCode: 90 };
    for (const type of ['keyDown', 'keyUp']) await browser.ask('Input.dispatchKeyEvent', { type, ...key });
    t.ok(await typed(driver, 'z'), 'the key came out at the serial line');
    await driver.stopGuest(serverId, { graceMs: 0 }, signal);
    t.match(await browser.until(status, (value) => String(value).startsWith('Disconnected')), /Disconnected/);
  });
});
