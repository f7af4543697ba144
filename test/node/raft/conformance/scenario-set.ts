import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ScenarioKind } from './replay.ts';

/** The checkout, four folders up from here. */
const root = resolve(import.meta.dirname, '../../../..');

/** Where etcd-io/raft's files are expected: beside the checkout, as they are not ours to keep in it. */
const etcdRaftDefault = resolve(root, '../shared/data/raft-testdata');

/** Our own stories. */
const ownFolder = join(root, 'test/data/raft');

/** How many cases etcd-io/raft's files have, and how many of those pass at least. */
export const etcdRaftCases = 743;
export const etcdRaftGate = 669;

export interface ScenarioSource {
  readonly name: string;
  readonly path: string;
  readonly kind: ScenarioKind;
  readonly text: string;
}

/** Where etcd-io/raft's files are: `folder`, else `SHOAL_RAFT_TESTDATA`, else beside the checkout. */
export function etcdRaftFolder(folder?: string): string {
  return resolve(folder ?? process.env['SHOAL_RAFT_TESTDATA'] ?? etcdRaftDefault);
}

/** etcd-io/raft's files; undefined when they are not there. */
export function etcdRaftScenarios(folder?: string): ScenarioSource[] | undefined {
  const base = etcdRaftFolder(folder);
  if (!existsSync(join(base, 'testdata'))) return undefined;
  return [
    ...filesIn(join(base, 'quorum/testdata'), 'quorum'),
    ...filesIn(join(base, 'confchange/testdata'), 'confchange'),
    ...filesIn(join(base, 'testdata'), 'interaction'),
  ];
}

/** Our own files. */
export function ownScenarios(): ScenarioSource[] {
  return filesIn(ownFolder, 'interaction');
}

function filesIn(folder: string, kind: ScenarioKind): ScenarioSource[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => {
      const path = join(folder, name);
      return { name, path, kind, text: readFileSync(path, 'utf8') };
    });
}
