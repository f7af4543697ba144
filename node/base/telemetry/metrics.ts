/** Prometheus metrics of one agent, in a registry of its own so that several agents can live in one process. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { watchEventLoop } from './event-loop-delay.ts';

/** Every metric that an agent has. Names end in their unit. */
export interface Metrics {
  readonly registry: Registry;
  readonly requests: Counter<'api' | 'status'>;
  readonly requestSeconds: Histogram<'api'>;
  readonly staleReads: Counter;
  readonly relayedCalls: Counter<'api' | 'outcome'>;
  readonly relayedSeconds: Histogram<'api'>;
  readonly relayedBytes: Counter<'api' | 'direction'>;
  readonly sliceRows: Gauge;
  readonly sliceBytes: Gauge;
  readonly sliceTerms: Gauge;
  readonly sliceRevision: Gauge;
  readonly sliceSilentSeconds: Gauge;
  readonly sliceSubscriptions: Counter<'result'>;
  readonly sliceFeeds: Gauge;
  readonly sliceFeedLagRevisions: Gauge;
  readonly placements: Counter<'result'>;
  readonly claims: Counter<'result'>;
  readonly steps: Counter<'step' | 'result'>;
  readonly stepSeconds: Histogram<'step'>;
  readonly leaderTasks: Counter<'task' | 'result'>;
  readonly leaderTaskSeconds: Histogram<'task'>;
  readonly guests: Gauge<'power'>;
  readonly raftTerm: Gauge;
  readonly raftCommitIndex: Gauge;
  readonly raftAppliedIndex: Gauge;
  readonly raftIsLeader: Gauge;
  readonly raftLeaderChanges: Counter;
  readonly raftQuarantines: Counter<'reason'>;
  readonly raftSnapshotsInstalled: Counter;
  readonly raftCompactions: Counter;
  readonly hasQuorum: Gauge;
  readonly clockOffsetSeconds: Gauge;
  readonly keysUsedTwice: Gauge;
  readonly unreadableRecords: Gauge;
  readonly stateComparisons: Counter;
  readonly stateDivergences: Counter;
  readonly stateDisagrees: Gauge;
  readonly knownHosts: Gauge<'condition'>;
  readonly gossipMessages: Counter<'result'>;
  readonly gossipBytes: Counter<'direction'>;
  readonly gossipRefused: Counter<'reason'>;
  readonly gossipExchanges: Counter<'result'>;
  readonly gossipExchangedAdverts: Counter<'direction'>;
  readonly localHealth: Gauge;
  readonly healthSuspicions: Counter;
  readonly healthRefutations: Counter;
  readonly healthDowns: Counter;
  readonly partFailing: Gauge<'part'>;
  readonly partFailures: Counter<'part'>;
}

/**
 * Gauges of the library whose names end as a counter's must, which Prometheus' own checker refuses; the same figures are
 * there by type, without the ending.
 */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
] as const;

/**
 * Gauges of the library that forget what they have told, so that two readers take it from each other, and that count the time
 * between two samples as delay. `watchEventLoop` tells the same as a histogram.
 */
const forgetful = ['', '_min', '_max', '_mean', '_stddev', '_p50', '_p90', '_p99'].map(
  (which) => `nodejs_eventloop_lag${which}_seconds`,
);
/** The library samples for those gauges all the same; so seldom, it costs nothing. Unit: milliseconds. */
const unusedSampleMs = 60_000;

/** Makes them. `processMetrics` adds memory, CPU and event loop of the process. */
export function createMetrics(options: { readonly processMetrics: boolean }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.processMetrics) {
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: unusedSampleMs });
    for (const name of [...misnamed, ...forgetful]) registry.removeSingleMetric(name);
    watchEventLoop(registry);
  }
  const buckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60];
  return {
    registry,
    requests: new Counter({
      name: 'shoal_api_requests_total',
      help: 'Requests answered, by API and status.',
      labelNames: ['api', 'status'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'shoal_api_request_seconds',
      help: 'Time to answer a request.',
      labelNames: ['api'],
      buckets,
      registers,
    }),
    staleReads: new Counter({
      name: 'shoal_api_stale_reads_total',
      help: 'Reads answered without a quorum.',
      registers,
    }),
    relayedCalls: new Counter({
      name: 'shoal_api_relayed_calls_total',
      help: 'Calls that this agent had a replica answer, by API and outcome.',
      labelNames: ['api', 'outcome'],
      registers,
    }),
    relayedSeconds: new Histogram({
      name: 'shoal_api_relayed_call_seconds',
      help: 'Time from the head of a relayed call to the end of its answer.',
      labelNames: ['api'],
      buckets,
      registers,
    }),
    relayedBytes: new Counter({
      name: 'shoal_api_relayed_bytes_total',
      help: 'Bytes of bodies and messages that were relayed, to replicas (sent) and from them (received).',
      labelNames: ['api', 'direction'],
      registers,
    }),
    sliceRows: new Gauge({
      name: 'shoal_slice_rows',
      help: 'Rows of the state that this host holds as a slice; 0: it holds a replica.',
      registers,
    }),
    sliceBytes: new Gauge({
      name: 'shoal_slice_bytes',
      help: 'Bytes of keys and values of these rows.',
      registers,
    }),
    sliceTerms: new Gauge({
      name: 'shoal_slice_terms',
      help: 'Terms (keys and prefixes of keys) that the slice is whole in.',
      registers,
    }),
    sliceRevision: new Gauge({
      name: 'shoal_slice_revision',
      help: 'Revision of the state that the slice is of; its lag is what shoal_raft_commit_index of the leader is ahead.',
      registers,
    }),
    sliceSilentSeconds: new Gauge({
      name: 'shoal_slice_silent_seconds',
      help: 'Time since a replica has last said how far the state has come; it does so every 5 seconds.',
      registers,
    }),
    sliceSubscriptions: new Counter({
      name: 'shoal_slice_subscriptions_total',
      help: 'Subscriptions begun, by how the slice became current: whole (there was none), changes, digests; or failed.',
      labelNames: ['result'],
      registers,
    }),
    sliceFeeds: new Gauge({
      name: 'shoal_slice_feeds',
      help: 'Slices of other hosts that this replica feeds.',
      registers,
    }),
    sliceFeedLagRevisions: new Gauge({
      name: 'shoal_slice_feed_lag_revisions',
      help: 'Revisions that the slowest of them is behind, of those that have yet to be told something.',
      registers,
    }),
    placements: new Counter({
      name: 'shoal_placements_total',
      help: 'Placements tried here, by result.',
      labelNames: ['result'],
      registers,
    }),
    claims: new Counter({
      name: 'shoal_claims_total',
      help: 'Claims decided by this host, by result.',
      labelNames: ['result'],
      registers,
    }),
    steps: new Counter({
      name: 'shoal_host_steps_total',
      help: 'Reconciliation steps, by kind and result.',
      labelNames: ['step', 'result'],
      registers,
    }),
    stepSeconds: new Histogram({
      name: 'shoal_host_step_seconds',
      help: 'Time that a step took.',
      labelNames: ['step'],
      buckets,
      registers,
    }),
    leaderTasks: new Counter({
      name: 'shoal_leader_task_runs_total',
      help: 'Runs of background tasks while this agent led, by task and result.',
      labelNames: ['task', 'result'],
      registers,
    }),
    leaderTaskSeconds: new Histogram({
      name: 'shoal_leader_task_seconds',
      help: 'Time that runs of background tasks took, by task.',
      labelNames: ['task'],
      buckets,
      registers,
    }),
    guests: new Gauge({
      name: 'shoal_guests',
      help: 'Guests on this host, by power.',
      labelNames: ['power'],
      registers,
    }),
    raftTerm: new Gauge({ name: 'shoal_raft_term', help: 'Current term.', registers }),
    raftCommitIndex: new Gauge({
      name: 'shoal_raft_commit_index',
      help: 'Last committed index known here.',
      registers,
    }),
    raftAppliedIndex: new Gauge({ name: 'shoal_raft_applied_index', help: 'Last applied index.', registers }),
    raftIsLeader: new Gauge({ name: 'shoal_raft_is_leader', help: '1 on the leader.', registers }),
    raftLeaderChanges: new Counter({
      name: 'shoal_raft_leader_changes_total',
      help: 'Times that this agent has seen another leader, or the same one in another term.',
      registers,
    }),
    raftQuarantines: new Counter({
      name: 'shoal_raft_quarantines_total',
      help: 'Times that the log or the state here was found to be less than was promised, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    raftSnapshotsInstalled: new Counter({
      name: 'shoal_raft_snapshots_installed_total',
      help: 'Snapshots from the leader that have replaced the state here.',
      registers,
    }),
    raftCompactions: new Counter({
      name: 'shoal_raft_compactions_total',
      help: 'Times that the beginning of the log was dropped.',
      registers,
    }),
    keysUsedTwice: new Gauge({
      name: 'shoal_host_keys_used_twice',
      help: 'Hosts whose key two agents have used of late, as this agent has met them: one data folder is a copy of the other.',
      registers,
    }),
    unreadableRecords: new Gauge({
      name: 'shoal_unreadable_records',
      help: 'Records met that cannot be read: lists and host loops leave them out.',
      registers,
    }),
    hasQuorum: new Gauge({
      name: 'shoal_has_quorum',
      help: '1 while writes can be committed, as seen here.',
      registers,
    }),
    clockOffsetSeconds: new Gauge({
      name: 'shoal_clock_offset_seconds',
      help: "What this host's clock shows more than most hosts' clocks; negative: less.",
      registers,
    }),
    stateComparisons: new Counter({
      name: 'shoal_state_comparisons_total',
      help: 'Times that this agent, leading, has compared the states of the replicas.',
      registers,
    }),
    stateDivergences: new Counter({
      name: 'shoal_state_divergences_total',
      help: 'Replicas found to hold another state than the majority, by this agent as the leader, or its own.',
      registers,
    }),
    stateDisagrees: new Gauge({
      name: 'shoal_state_disagrees',
      help: '1 while no majority of the replicas holds one state: nothing is written.',
      registers,
    }),
    knownHosts: new Gauge({
      name: 'shoal_known_hosts',
      help: 'Hosts known by gossip, by condition.',
      labelNames: ['condition'],
      registers,
    }),
    gossipMessages: new Counter({
      name: 'shoal_gossip_messages_total',
      help: 'Gossip messages: published by this agent, or heard (each once) and accepted, ignored or rejected.',
      labelNames: ['result'],
      registers,
    }),
    gossipBytes: new Counter({
      name: 'shoal_gossip_bytes_total',
      help: 'Bytes of gossip: published by this agent (once, however often they are sent), and received from peers in all.',
      labelNames: ['direction'],
      registers,
    }),
    gossipRefused: new Counter({
      name: 'shoal_gossip_refused_total',
      help: 'What members said by gossip and no honest one says, by reason; cut_off: peers whose links were closed for it.',
      labelNames: ['reason'],
      registers,
    }),
    gossipExchanges: new Counter({
      name: 'shoal_gossip_exchanges_total',
      help: 'Comparisons of this view of the hosts with that of a peer, and pulls of a whole one, by result.',
      labelNames: ['result'],
      registers,
    }),
    gossipExchangedAdverts: new Counter({
      name: 'shoal_gossip_exchanged_adverts_total',
      help: 'Adverts taken from peers, and given to them, because the views differed.',
      labelNames: ['direction'],
      registers,
    }),
    localHealth: new Gauge({
      name: 'shoal_mesh_local_health',
      help: "Lifeguard's local health multiplier, 0 to 8: 0 is well; more, the answers that this agent waits for are late.",
      registers,
    }),
    healthSuspicions: new Counter({
      name: 'shoal_mesh_suspicions_total',
      help: 'Accusations that this agent told the mesh of hosts that did not answer.',
      registers,
    }),
    healthRefutations: new Counter({
      name: 'shoal_mesh_refutations_total',
      help: 'Times that this agent was suspected and said that it is there.',
      registers,
    }),
    healthDowns: new Counter({
      name: 'shoal_mesh_downs_total',
      help: 'Times that a host came to count as down here.',
      registers,
    }),
    partFailing: new Gauge({
      name: 'shoal_part_failing',
      help: '1 while a part of the agent (a loop, a driver) does not work: it failed last.',
      labelNames: ['part'],
      registers,
    }),
    partFailures: new Counter({
      name: 'shoal_part_failures_total',
      help: 'Failures of a part of the agent.',
      labelNames: ['part'],
      registers,
    }),
  };
}
