/** Screens, serial lines and figures of guests: what only the guest's own host can show, asked of it. Nothing is recorded. */
import type { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ConsoleAsked, ConsoleSession, GrantedConsole } from '../kit/dependencies.ts';
import type { ComputeDependencies } from './dependencies.ts';
import { conflict } from './kit/refusals.ts';
import { mustTake, seeServer } from './kit/server-record.ts';

/** Nova's remote consoles and diagnostics. Neither asks for a quorum: what the guest's host answers is enough. */
export class Consoles {
  readonly #deps: ComputeDependencies;

  constructor(deps: ComputeDependencies) {
    this.#deps = deps;
  }

  /**
   * Lets one session in, within ten minutes, and returns the token that opens it at any agent. `CONFLICT` while the guest has no
   * process.
   */
  async grant(context: RequestContext, reader: StateReader, id: string, asked: ConsoleAsked): Promise<string> {
    const server = seeServer(context, reader, id).record;
    mustTake(context, server, 'get_console');
    return this.#deps.hostControl.grantConsole(server, asked, context.signal).catch(notReady(id));
  }

  /** What a token is of, for what proxies consoles by itself. Throws `NOT_FOUND`. */
  look(token: string, signal: AbortSignal): Promise<GrantedConsole> {
    return this.#deps.consoleDoor.look(token, signal);
  }

  /** See `ConsoleDoor.open`. */
  open(token: string, typed: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<ConsoleSession> {
    return this.#deps.consoleDoor.open(token, typed, signal);
  }

  /** Figures since the guest's start. `CONFLICT` while it does not run. */
  async diagnostics(
    context: RequestContext,
    reader: StateReader,
    id: string,
  ): Promise<{ readonly server: shoal.v1.Server; readonly figures: shoal.v1.ServerDiagnostics }> {
    const server = seeServer(context, reader, id).record;
    mustTake(context, server, 'get_diagnostics');
    const figures = await this.#deps.hostControl.diagnostics(server, context.signal).catch(notReady(id));
    return { server, figures };
  }
}

/** The server is there; its host has no guest of it that runs. */
function notReady(id: string): (caught: unknown) => never {
  return (caught) => {
    if (ShoalError.is(caught, 'NOT_FOUND')) throw conflict(`Instance ${id} is not ready`);
    throw caught;
  };
}
