import type { shoal } from '../../../../proto/messages.ts';

/** How the host tells the records what became of NICs. Each call is one guarded transaction; a record that moved on is no error. */
export interface NicReports {
  /**
   * The guest has it, or would at its next start: it arrives no more.
   * @param isUp whether there is a guest that has it: its port is ACTIVE then.
   */
  plugged(server: shoal.v1.Server, portId: string, isUp: boolean): Promise<void>;
  /** The guest, if there is one, has let go of it: the server has it no more, and its port is free, or gone where it was made for it. */
  unplugged(server: shoal.v1.Server, portId: string): Promise<void>;
  /** It could not be plugged in, and the guest does not have it: the same, and its owner is told. */
  plugFailed(server: shoal.v1.Server, portId: string, message: string): Promise<void>;
  /** The guest does not let go of it: it stays, and its owner is told. */
  unplugFailed(server: shoal.v1.Server, portId: string, message: string): Promise<void>;
  /** The guest has posted its administrator's password, encrypted, to the metadata service. The first is kept until its owner clears it. */
  passwordPosted(portId: string, password: string): Promise<void>;
}
