/** Screens and serial lines of guests that are none: they greet as QEMU does, and the serial line echoes. */
import { Duplex } from 'node:stream';
import type { ServerId } from '../../node/base/ids.ts';

/** What QEMU says first on a screen (RFC 6143, section 7.1.1). */
const rfbGreeting = 'RFB 003.008\n';

/** The open consoles of one host's guests. */
export class FakeConsoles {
  readonly #open = new Map<ServerId, Set<Duplex>>();
  readonly #serialLines = new Map<ServerId, Duplex>();

  /** @param print what a serial line is told also goes to the guest's console log, as its kernel echoes it. */
  open(serverId: ServerId, kind: 'vnc' | 'serial', print: (text: string) => void): Duplex {
    const stream = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        if (kind === 'serial') {
          print(chunk.toString('utf8'));
          stream.push(chunk);
        }
        done();
      },
    });
    if (kind === 'vnc') stream.push(rfbGreeting);
    else {
      this.#serialLines.get(serverId)?.destroy();
      this.#serialLines.set(serverId, stream);
    }
    const open = this.#open.get(serverId) ?? new Set();
    this.#open.set(serverId, open.add(stream));
    stream.once('close', () => {
      open.delete(stream);
      if (this.#serialLines.get(serverId) === stream) this.#serialLines.delete(serverId);
    });
    return stream;
  }

  /** The guest's process is gone. */
  end(serverId: ServerId): void {
    for (const stream of [...(this.#open.get(serverId) ?? [])]) {
      stream.push(null);
      stream.destroy();
    }
    this.#open.delete(serverId);
  }
}
