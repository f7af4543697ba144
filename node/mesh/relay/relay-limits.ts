/** Every bound of the relay, with its reason. */
import { kibBytes, mibBytes } from '../../base/units.ts';

/** Bytes of one piece of a body. gRPC keeps up to 16 of them a call and side: a call that stalls holds 1 MiB, not more. */
export const pieceBytesMax = 32 * kibBytes;
/** Headers of one call or answer, bytes together: the gateways take 16 KiB of a client, and answers have less. */
export const headerBytesMax = 24 * kibBytes;
/** And their number. */
export const headersMax = 200;
/** Path and query, characters: what fits into the gateways' bound of headers. */
export const targetCharactersMax = 16 * kibBytes;
/** One gRPC message put together, bytes: as the public gateway's own bound. */
export const relayedMessageBytesMax = 4 * mibBytes;

/** Bounds of the two sides. Tests shrink some of them. */
export interface RelayLimits {
  /** Calls at once that this agent relays. Watches count too; a peer's connection takes 1,024 calls of all kinds. */
  readonly callsMax: number;
  /** Calls at once that this agent answers for one member, and for all together. */
  readonly callsPerMemberMax: number;
  readonly callsServedMax: number;
  /** How long a replica may take to connect, and then to accept, ms, before the next one is asked. */
  readonly connectMsMax: number;
  readonly acceptMsMax: number;
  /** Replicas asked for one call: of five voters and four learners some answer. */
  readonly attemptsMax: number;
  /** Longest that the callee waits for the next piece of a body, ms: as long as the REST gateway waits for a client. */
  readonly silenceMsMax: number;
}

/** The bounds of an agent. */
export const relayLimits: RelayLimits = {
  callsMax: 512,
  callsPerMemberMax: 512,
  callsServedMax: 2048,
  connectMsMax: 1_000,
  acceptMsMax: 2_000,
  attemptsMax: 4,
  silenceMsMax: 120_000,
};
