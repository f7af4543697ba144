/** Consoles of guests at whichever host they are: asked of it over the peer channel, or done here. */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { PeerClients } from '../../mesh/peers/peer-client.ts';
import type { PeerHandlers } from '../../mesh/peers/peer-server.ts';
import type { ConsoleDoor, ConsoleSession, GrantedConsole } from '../../services/kit/dependencies.ts';
import { isConsoleKind, parseConsoleToken } from './console-token.ts';

/** A host that is reached answers this at once. Unit: ms. */
const lookMsMax = 5_000;

/** See above. */
export class ConsoleCalls implements ConsoleDoor {
  readonly #peers: Pick<PeerClients, 'to'>;
  readonly #self: HostId;
  readonly #own: PeerHandlers['console'];

  /** @param own what this host, `self`, answers itself. */
  constructor(peers: Pick<PeerClients, 'to'>, self: HostId, own: PeerHandlers['console']) {
    this.#peers = peers;
    this.#self = self;
    this.#own = own;
  }

  async look(token: string, signal: AbortSignal): Promise<GrantedConsole> {
    const bound = AbortSignal.any([signal, AbortSignal.timeout(lookMsMax)]);
    const { hostId, secret } = parseConsoleToken(token);
    const outputs = this.#call(hostId, one({ secret, onlyLook: true }), bound);
    const granted = grantedOf(await outputs.next());
    await outputs.return?.();
    return { ...granted, hostId };
  }

  async open(token: string, typed: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<ConsoleSession> {
    const { hostId, secret } = parseConsoleToken(token);
    const outputs = this.#call(hostId, inputsOf(secret, typed), signal);
    const granted = grantedOf(await outputs.next());
    return { granted: { ...granted, hostId }, shown: shownOf(outputs) };
  }

  #call(
    hostId: HostId,
    inputs: AsyncIterable<shoal.v1.IConsoleInput>,
    signal: AbortSignal,
  ): AsyncIterator<shoal.v1.IConsoleOutput> {
    if (hostId !== this.#self) return this.#peers.to(hostId).calls.console(inputs, { signal })[Symbol.asyncIterator]();
    const call = { caller: this.#self, signal, remoteAddress: 'self', certificate: undefined, header: () => undefined };
    return this.#own(whole(inputs), call)[Symbol.asyncIterator]();
  }
}

async function* one(input: shoal.v1.IConsoleInput): AsyncGenerator<shoal.v1.IConsoleInput> {
  yield input;
}

async function* inputsOf(secret: string, typed: AsyncIterable<Uint8Array>): AsyncGenerator<shoal.v1.IConsoleInput> {
  yield { secret };
  for await (const data of typed) yield { data };
}

/** As they would have come over the wire. */
async function* whole(inputs: AsyncIterable<shoal.v1.IConsoleInput>): AsyncGenerator<shoal.v1.ConsoleInput> {
  for await (const input of inputs) yield shoal.v1.ConsoleInput.create(input);
}

async function* shownOf(outputs: AsyncIterator<shoal.v1.IConsoleOutput>): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const next = await outputs.next();
      if (next.done === true) return;
      if (next.value.data !== undefined && next.value.data !== null) yield next.value.data;
    }
  } finally {
    await outputs.return?.();
  }
}

function grantedOf(first: IteratorResult<shoal.v1.IConsoleOutput>): Omit<GrantedConsole, 'hostId'> {
  const granted = first.done === true ? undefined : first.value.granted;
  const { serverId = '', kind = '', sessionToken = '' } = granted ?? {};
  if (granted === undefined || granted === null || !isConsoleKind(kind)) {
    throw new ShoalError('UNAVAILABLE', "The guest's host ended the console before it began.");
  }
  return { serverId, kind, sessionToken };
}
