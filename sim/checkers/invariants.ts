/** Everything that must hold, in words, and how a checker says that it does not. */
export const invariants = {
  'one-leader-a-term': 'in any term at most one member leads',
  'log-matching': 'two entries with one index and term are the same, and so is everything before them',
  'leader-completeness': 'a leader holds every entry that was committed in earlier terms',
  'commit-monotonic': 'what a running member holds as committed or applied never goes back',
  'state-machine-safety': 'every member applies the same command at the same index, with the same outcome',
  'snapshot-equals-replay': 'a state, however it was reached, is the replay of the log up to its revision',
  'replicas-agree': 'the states of all members at one revision have one digest, but for one that something has damaged',
  'given-up-only-if-wrong': 'a member gives up its state only when something has damaged it',
  'acknowledged-durable': 'a write that was acknowledged is in the log that everybody applies, for good',
  'acknowledged-by-quorum': 'when an entry is applied anywhere, a majority of the voters has it on disk',
  'exactly-once': 'a write with a client token takes effect once, however often it is sent',
  'counters-in-bounds': 'a bounded counter never leaves its bounds, and its value is the sum of what was added',
  linearizable: 'fresh reads and writes of a key have one order that fits what everybody saw',
  'stale-reads-are-prefixes': 'a read of the local replica is what the log says at the revision it gives',
  'reads-monotonic': 'the revision of a running member never goes back',
  'sync-before-send': 'no vote and no acknowledgement leaves before the sync that covers it has returned',
  'one-vote-a-term': 'a member votes for one candidate in a term',
  'quarantined-log-does-not-vote': 'a member whose log is quarantined asks for no votes and gives none',
  'quorums-intersect': 'majorities of successive memberships have a member in common',
  'slice-is-part-of-the-state':
    'a slice is what its terms cover of the state at its revision, and that never goes back',
  'resumes-without-gap':
    'who takes up a subscription again, of whichever replica, hears of all that has changed in its slice meanwhile',
  'partial-answers-marked': 'an answer that a slice cannot give in full is marked partial, or refused',
  'stale-slice-never-acts':
    'what a host has taken away on the word of the records it does not build again on the word of older ones',
  'watch-ordered-and-complete': 'a watcher hears every change of every revision once, in order',
  'slow-is-not-lost': 'nothing is refused early for want of a quorum while a majority is alive and connected',
  'bounded-queues': 'nothing that waits grows without bound',
  'no-double-run': 'a server never runs on two hosts at once',
  'single-writer': 'a disk is written by the holder of its lock, at that generation, alone',
  'no-overcommit': 'the claims a host has admitted never exceed what it has',
  'runs-only-what-is-claimed': 'every guest that runs has an admitted claim on its host',
  'quota-equals-sum': 'what a project has used is the sum over what it has',
  'unique-addresses': 'no two ports share an IP address or a MAC on a network',
  'record-before-removal': 'a guest or disk is removed only because a committed record says so',
  'data-plane-independent': 'losing the control plane stops no guest and takes no port away',
  'isolation-keeps-guests': 'storage fences no host that has just told it that it is there',
  'off-means-off': 'a guest that powered itself off is not started again before its owner asks for something',
  'newer-advert-wins': 'what is held of a host is never replaced by what the host said before it',
  'hosts-speak-for-themselves': 'what is held of a host is what that host itself has said',
  'unique-vnis': 'no two networks share a VNI',
  'unique-attachments': 'a disk and a port belong to one server',
  'volume-attached-once': 'a volume has one user unless it may have several, and both records say the same of each use',
  'snapshot-is-its-instant': 'a snapshot holds what its volume held at the moment when it was made',
  'volume-keeps-its-content':
    'a volume holds what was last written to it, put back or restored, wherever its record says that it is',
  'group-kept-at-one-instant': 'snapshots of a group hold what volumes of one host held at one and the same moment',
  'server-keeps-its-addresses': 'whatever is done to a server, its ports and their addresses stay until it is deleted',
  'image-is-its-instant': 'an image that is made of a server holds what its disk held when it was kept',
  'creation-once': 'a creation makes one server, however often and to whom it is sent',
  'lock-before-start': 'a guest is started only when its disk is locked for its host and generation',
  'tenants-apart': 'nobody is shown what belongs to another project',
  'references-own': 'what a record names belongs to the same project',
  'groups-hold':
    'members of a group that is to be apart are on different hosts, those of one that is to be together on one',
  'retries-admitted': 'a host refuses a claim for having ended only to those for whom it has ended',
  'no-secret-told': 'what a guest is given in confidence is in no line of log and no message of an error',
  'nothing-leaked': 'after quiet nothing is left of what was deleted: no guest, disk, port, claim, lock or note',
} as const;

export type Invariant = keyof typeof invariants;

/** What has to happen in time once everything is healed. */
export const promises = {
  'leader-after-heal': 'a leader with a quorum within 10 s',
  'operations-end': 'every operation that was under way ended within 60 s',
  'everybody-caught-up': 'every member at the same revision within 60 s',
  'log-repaired': 'no log is quarantined after 60 s',
  'states-agree': 'the state of every member the replay of the log within 60 s',
  'hosts-converged': 'every host as the records want it, and no claim left that nobody bound, within 140 s',
} as const;

export type Promised = keyof typeof promises;

/** Says that an invariant does not hold. */
export type Report = (invariant: Invariant, detail: string) => void;
