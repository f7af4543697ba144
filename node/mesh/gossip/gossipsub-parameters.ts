/**
 * gossipsub's parameters, by its own names, where they are not the library's. What a change costs is what is forwarded: each
 * host gets an advert about D - 1 times, and an id of it from a few more. The simulator runs with the same
 * (sim/mesh/gossip-world.ts); its figures are in README.md.
 */
export const gossipsubParameters = {
  /** Links of a host along which messages are forwarded at once. */
  D: 6,
  Dlo: 4,
  Dhi: 12,
  /** Other links that are told the ids of the last messages, at each heartbeat. */
  Dlazy: 6,
  gossipFactor: 0.25,
  /** Nothing is sent at a heartbeat unless there were messages. Unit: ms. */
  heartbeatInterval: 1_000,
  /** Heartbeats during which the id of a message is told. */
  mcacheGossip: 3,
} as const;
