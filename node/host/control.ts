/** What only a server's own host can do, done here or asked of it. */
import { shoal } from '../../proto/messages.ts';
import { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import type { ConsoleAsked, GuestQuestion, HostControl, LocalIntent } from '../services/kit/dependencies.ts';
import { consoleToken } from './consoles/console-token.ts';
import type { IntentBook } from './outage/intent-book.ts';
import type { PendingReports } from './outage/pending-reports.ts';
import type { PeerCalls } from './peer-calls.ts';

/** See above. */
export class AgentHostControl implements HostControl {
  readonly hostId: HostId;
  readonly #calls: PeerCalls;
  readonly #intents: IntentBook;
  readonly #reports: PendingReports;
  readonly #wake: () => void;

  constructor(
    deps: {
      readonly calls: PeerCalls;
      readonly intents: IntentBook;
      readonly reports: PendingReports;
      readonly wake: () => void;
    },
    hostId: HostId,
  ) {
    this.hostId = hostId;
    this.#calls = deps.calls;
    this.#intents = deps.intents;
    this.#reports = deps.reports;
    this.#wake = deps.wake;
  }

  consoleLog(server: shoal.v1.Server, bytesMax: number, signal: AbortSignal): Promise<Uint8Array> {
    if (server.hostId === '') return Promise.resolve(new Uint8Array(0));
    return this.#calls.consoleLog(server.hostId as HostId, server.id, bytesMax, signal);
  }

  async askGuest(server: shoal.v1.Server, question: GuestQuestion, signal: AbortSignal): Promise<void> {
    const asked = question.kind === 'crash-dump' ? { injectNmi: true } : { password: question };
    const request = new shoal.v1.AskGuestRequest({ serverId: server.id, ...asked });
    await this.#calls.askGuest(server.hostId as HostId, request, signal);
  }

  async grantConsole(server: shoal.v1.Server, asked: ConsoleAsked, signal: AbortSignal): Promise<string> {
    const hostId = server.hostId as HostId;
    const request = new shoal.v1.AskGuestRequest({ serverId: server.id, console: asked });
    const { consoleSecret } = await this.#calls.askGuest(hostId, request, signal);
    return consoleToken(hostId, consoleSecret);
  }

  async diagnostics(server: shoal.v1.Server, signal: AbortSignal): Promise<shoal.v1.ServerDiagnostics> {
    const request = new shoal.v1.AskGuestRequest({ serverId: server.id, diagnostics: true });
    const { diagnostics } = await this.#calls.askGuest(server.hostId as HostId, request, signal);
    return new shoal.v1.ServerDiagnostics(diagnostics ?? {});
  }

  async intendLocally(server: shoal.v1.Server, change: LocalIntent): Promise<void> {
    if (server.hostId !== this.hostId) {
      throw new ShoalError('NO_QUORUM', 'Without quorum a server is controlled at its own host alone.', {
        facts: { serverId: server.id, hostId: server.hostId },
      });
    }
    await this.#intents.note(server, change);
    this.#wake();
  }

  withLocalIntents(server: shoal.v1.Server): shoal.v1.Server {
    return server.hostId === this.hostId ? this.#reports.overlay(this.#intents.overlay(server)) : server;
  }
}
