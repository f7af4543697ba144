/**
 * gossipsub's parameters, by its own names, where they are not the library's. What a change costs is what is forwarded, and
 * the library's mesh of 6 to 12 links brings each message to each host five times and more. So the mesh is nearly a tree:
 * three links are enough to graft no more, and what is lost on all of them is told of to other links by IHAVE, soon and three
 * times. With two a message in a hundred that is lost made one host in a thousand wait for that: 0.58 s until the last had a
 * change, where three take 0.32 s, for half as many bytes more while there are changes and none at rest.
 * The simulator runs with the same (sim/mesh/gossip-world.ts); `npm run bench:mesh` prints what comes of them.
 */
export const gossipsubParameters = {
  /** Links of a host along which messages are forwarded at once: those wanted, the fewest, and the most. */
  D: 3,
  Dlo: 3,
  Dhi: 5,
  /** Of these, how many are kept for their score, and how many that this host has dialled, when there are too many. */
  Dscore: 1,
  Dout: 1,
  /** Other links that are told the ids of the last messages, at each heartbeat: so many, or this share of them. */
  Dlazy: 2,
  gossipFactor: 0.1,
  /** Nothing is sent at a heartbeat unless there were messages. Unit: ms. */
  heartbeatInterval: 500,
  /** Heartbeats during which the id of a message is told, and during which it can be asked for. */
  mcacheGossip: 3,
  mcacheLength: 10,
} as const;
