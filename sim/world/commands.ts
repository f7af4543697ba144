/** The commands of entries, each read once for all members: they hand bytes on by reference, and nobody changes a command. */
import type { Entry } from '../../node/raft/index.ts';
import { type Command, decodeCommand } from '../../node/state/command.ts';

const decoded = new WeakMap<Uint8Array, Command>();

/** As `decodeCommand`. */
export function decodedOnce(data: Uint8Array): Command {
  let command = decoded.get(data);
  if (command === undefined) {
    command = decodeCommand(data);
    decoded.set(data, command);
  }
  return command;
}

/** The command of an entry; undefined: it has none. */
export function commandOf({ type, data }: Entry): Command | undefined {
  return type === 'normal' && data.length > 0 ? decodedOnce(data) : undefined;
}
