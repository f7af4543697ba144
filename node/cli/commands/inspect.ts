/** `shoal inspect`: what lies in a data folder, read without an agent and without changing anything. */
import { join } from 'node:path';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { ShoalError } from '../../base/errors.ts';
import type { LogInspection, LogVisitor } from '../../store/log/inspect-log.ts';
import { type ConfigFlags, withConfigOptions } from '../kit/config-options.ts';
import { dataDirOf } from '../kit/data-dir.ts';
import { jsonText } from '../kit/json-text.ts';
import type { RecordView } from '../kit/record-view.ts';

/** Exit status when something in the folder is damaged or quarantined. */
const statusDamaged = 1;

interface InspectFlags extends ConfigFlags {
  readonly json?: boolean;
  readonly records?: string;
  readonly log?: string;
}

/** What the command tells of a folder. */
interface Report {
  readonly folder: string;
  /** Without certificates. Undefined: the folder belongs to no mesh. */
  readonly membership: MembershipView | undefined;
  /** Undefined: so damaged that nothing of it can be read. */
  readonly log: LogInspection | undefined;
  /** What a start finds damaged before it opens the log, and refuses or repairs. */
  readonly faults: readonly string[];
  /** What is damaged in the host's own notes. */
  readonly noteFaults: readonly string[];
  /** Rows of the state by what they are. */
  readonly tables: Readonly<Record<string, number>>;
  readonly other: {
    readonly indexEntries: number;
    readonly counters: number;
    readonly tokens: number;
    readonly keys: number;
  };
  /** Databases that an agent could not open and set aside. */
  readonly setAside: readonly string[];
  /** What LevelDB found damaged and left out. */
  readonly dropped: readonly string[];
  readonly records: readonly RecordView[];
  readonly entries: readonly EntryView[];
}

interface MembershipView {
  readonly meshId: string;
  readonly hostId: string;
  readonly raftId: number;
  readonly hosts: readonly {
    readonly hostId: string;
    readonly raftId: number;
    readonly name: string;
    readonly peerAddress: string;
  }[];
}

/** An entry without the values that it writes. */
interface EntryView {
  readonly index: number;
  readonly term: number;
  readonly type: string;
  readonly bytes: number;
  /** What it does, one line. */
  readonly does: string;
}

/** Adds the command. */
export function registerInspect(program: Command): void {
  withConfigOptions(program.command('inspect'))
    .description('show what lies in the data folder of a stopped agent; changes nothing; exit status 1 when damaged')
    .option('--records <prefix>', 'also show the records whose key begins so, such as t/server/; secrets are left out')
    .option('--log <from..to>', 'also show these entries of the log, such as 120..150')
    .option('--json', 'print one JSON object')
    .action(async (flags: InspectFlags) => {
      const range = flags.log === undefined ? undefined : rangeOf(flags.log);
      const dataDir = dataDirOf(flags);
      const report = await inspectFolder(dataDir, { prefix: flags.records, range });
      if (isDamaged(report)) process.exitCode = statusDamaged;
      if (flags.json) console.log(jsonText({ ...report, log: report.log && jsonOf(report.log) }));
      else print(report, flags);
    });
}

function rangeOf(text: string): { readonly from: number; readonly to: number } {
  const match = /^(\d{1,15})\.\.(\d{1,15})$/.exec(text);
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || from > to) {
    throw new ShoalError('INVALID_ARGUMENT', `--log ${text}: expected FROM..TO with FROM not above TO, as in 120..150`);
  }
  return { from, to };
}

async function inspectFolder(
  dataDir: string,
  show: {
    readonly prefix: string | undefined;
    readonly range: { readonly from: number; readonly to: number } | undefined;
  },
): Promise<Report> {
  const { readMembership } = await import('../../cluster/membership.ts');
  const { openLevelCopy } = await import('../../store/level/level-copy.ts');
  const { inspectLog } = await import('../../store/log/inspect-log.ts');
  const { describeEntry, RecordViewer } = await import('../kit/record-view.ts');
  const membership = readMembership(dataDir);
  const tables: Record<string, number> = {};
  const other = { indexEntries: 0, counters: 0, tokens: 0, keys: 0 };
  const records: RecordView[] = [];
  const entries: EntryView[] = [];
  const viewer = new RecordViewer();
  const copy = await openLevelCopy(join(dataDir, 'log'));
  try {
    const visitor: LogVisitor = {
      row: (row) => {
        if (row.kind === 'session') other.tokens += 1;
        else if (row.kind === 'counter') other.counters += 1;
        else if (row.entry.key.startsWith('x/') || row.entry.key.startsWith('u/')) other.indexEntries += 1;
        else {
          const table = /^t\/([^/]+)\//.exec(row.entry.key)?.[1];
          if (table === undefined) other.keys += 1;
          else tables[table] = (tables[table] ?? 0) + 1;
        }
        if (show.prefix === undefined || row.kind === 'session' || !row.entry.key.startsWith(show.prefix)) return;
        records.push(row.kind === 'counter' ? viewer.counter(row.entry) : viewer.key(row.entry));
      },
      entry: (entry) => {
        if (show.range === undefined || entry.index < show.range.from || entry.index > show.range.to) return;
        const { index, term, type, data } = entry;
        entries.push({ index, term, type, bytes: data.length, does: describeEntry(entry) });
      },
    };
    return {
      folder: dataDir,
      membership: membership === undefined ? undefined : viewOf(membership),
      log: copy.disk && (await inspectLog(copy.disk, visitor, copy.mark)),
      faults: copy.faults,
      noteFaults: await faultsOfNotes(join(dataDir, 'host')),
      tables,
      other,
      setAside: copy.setAside,
      dropped: copy.dropped,
      records,
      entries,
    };
  } finally {
    await copy.close();
  }
}

/** As a start of the agent judges the host's own store, without opening it. */
async function faultsOfNotes(folder: string): Promise<readonly string[]> {
  const { faultsOfHostFiles, hostMarkOf } = await import('../../store/host/host-store.ts');
  const { readMarkFile } = await import('../../store/log/log-mark.ts');
  return faultsOfHostFiles(folder, { found: await readMarkFile(hostMarkOf(folder)) });
}

function isDamaged({ log, faults, noteFaults, dropped }: Report): boolean {
  return log === undefined || log.faultCount + faults.length + noteFaults.length + dropped.length > 0;
}

function viewOf(membership: MembershipView): MembershipView {
  const { meshId, hostId, raftId, hosts } = membership;
  return {
    meshId,
    hostId,
    raftId,
    hosts: hosts.map(({ hostId, raftId, name, peerAddress }) => ({ hostId, raftId, name, peerAddress })),
  };
}

function jsonOf(log: LogInspection): object {
  return { ...log, peers: Object.fromEntries(log.peers) };
}

const style = { head: [], border: [] };

function print(report: Report, flags: InspectFlags): void {
  const { membership, log } = report;
  const nameOf = (raftId: number): string => {
    const host = membership?.hosts.find((known) => known.raftId === raftId);
    return host === undefined ? String(raftId) : `${raftId} (${host.name})`;
  };
  console.log(`folder      ${report.folder}`);
  console.log(
    membership === undefined
      ? 'mesh        none: no membership.json'
      : `mesh        ${membership.meshId}, host ${membership.hostId}, member ${membership.raftId}`,
  );
  for (const host of membership?.hosts ?? [])
    console.log(`host        ${host.raftId}  ${host.name}  ${host.peerAddress}`);
  if (log !== undefined) printLog(report, log, { flags, nameOf });
  for (const name of report.setAside) console.log(`set aside   ${name}: damaged, and no longer in use`);
  for (const fault of report.faults) console.log(`FAULT       ${fault}`);
  for (const line of report.dropped) console.log(`FAULT       LevelDB left out what is damaged: ${line}`);
  for (const fault of report.noteFaults) console.log(`FAULT       notes of this host: ${fault}`);
  if (log === undefined) return;
  if (log.faultCount === 0) {
    const isWhole = report.dropped.length === 0 && report.faults.length === 0;
    console.log(
      isWhole
        ? 'checksums   all hold, nothing is missing'
        : 'checksums   all hold of what is left; the newest entries may be missing',
    );
  }
  for (const fault of log.faults) console.log(`FAULT       ${fault}`);
  if (log.faultCount > log.faults.length) console.log(`FAULT       and ${log.faultCount - log.faults.length} more`);
}

function printLog(
  report: Report,
  log: LogInspection,
  { flags, nameOf }: { readonly flags: InspectFlags; readonly nameOf: (raftId: number) => string },
): void {
  const { tables, other } = report;
  const listOf = (ids: readonly number[] = []): string => (ids.length === 0 ? 'none' : ids.map(nameOf).join(', '));
  if (log.identity !== undefined) {
    console.log(
      `log of      member ${log.identity.raftId}, ${log.identity.starts} starts, life ${log.identity.incarnation}`,
    );
  }
  if (log.head !== undefined) {
    const { term, vote, commit, startIndex, lastIndex } = log.head;
    console.log(`hard state  term ${term}, vote ${vote === 0 ? 'none' : nameOf(vote)}, commit ${commit}`);
    const range = lastIndex === startIndex ? `empty behind ${startIndex}` : `${startIndex + 1} to ${lastIndex}`;
    const { normal, confChange, confChangeV2 } = log.log.types;
    console.log(
      `log         ${range}; ${log.log.entries} entries hold (${normal} writes, ${confChange + confChangeV2} changes of members), ${log.log.bytes} bytes`,
    );
  }
  if (log.applied !== undefined) {
    const { index, term, confState } = log.applied;
    console.log(`applied     ${index} of term ${term}`);
    console.log(`voters      ${listOf(confState.voters)}`);
    if (confState.votersOutgoing.length > 0) console.log(`outgoing    ${listOf(confState.votersOutgoing)}`);
    console.log(`learners    ${listOf([...confState.learners, ...confState.learnersNext])}`);
  }
  for (const [raftId, { term, match, starts }] of log.peers) {
    console.log(`heard of    ${nameOf(raftId)}: term ${term}, has acknowledged ${match}, ${starts} starts`);
  }
  console.log(`state       ${log.state.rows} rows hold, ${log.state.bytes} bytes`);
  const byTable = new Table({ head: ['table', 'records'], colAligns: ['left', 'right'], style });
  for (const name of Object.keys(tables).sort()) byTable.push([name, tables[name] ?? 0]);
  byTable.push(['(index entries)', other.indexEntries], ['(counters)', other.counters]);
  byTable.push(['(client tokens)', other.tokens], ['(other keys)', other.keys]);
  console.log(byTable.toString());
  if (flags.log !== undefined) {
    for (const { index, term, type, bytes, does } of report.entries) {
      console.log(`${index}  term ${term}  ${type}  ${bytes} bytes  ${does}`);
    }
    if (report.entries.length === 0) console.log(`no entry of ${flags.log} is in the log`);
  }
  if (flags.records !== undefined) {
    for (const { key, revision, content } of report.records) {
      console.log(`${key}${revision === undefined ? '' : `  revision ${revision}`}  ${JSON.stringify(content)}`);
    }
    if (report.records.length === 0) console.log(`no key begins with ${flags.records}`);
  }
  if (log.quarantined > 0) console.log(`set aside   ${log.quarantined} broken entries`);
}
