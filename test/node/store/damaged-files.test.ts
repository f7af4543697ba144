/**
 * The table of node/store/README.md: every file of the log's LevelDB folder, in every way that it can be other than it was
 * left, with one member that votes alone and with three. Never is the outcome a log that is trusted and lacks something.
 */
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import { emptyConfState } from '../../../node/raft/index.ts';
import { decodeCommand, encodeCommand } from '../../../node/state/command.ts';
import { type OpenedLog, openLevelLogStore } from '../../../node/store/index.ts';
import {
  damageFile,
  damages,
  flipBit,
  type LevelFile,
  levelFiles,
  type OtherFolders,
} from '../../support/store/damaged-folder.ts';

t.setTimeout(180_000);
/** Places at which a bit is inverted, spread over the file. */
const flipCount = 50;
const base = await mkdtemp(join(tmpdir(), 'shoal-damaged-'));
t.teardown(() => rm(base, { recursive: true, force: true }));

type Group = 'one' | 'three';
const voters: Readonly<Record<Group, readonly number[]>> = { one: [1], three: [1, 2, 3] };
/** What is right: `found` is a refusal of the only voter, and a quarantine of one among three. */
type Outcome = 'found' | 'whole' | 'found-or-whole';

/** Files without content: LevelDB's diary and its lock. */
const harmless: ReadonlySet<LevelFile> = new Set(['LOG', 'LOCK']);

function expected(file: LevelFile, damage: (typeof damages)[number]): Outcome {
  if (harmless.has(file)) return 'whole';
  // The end of a table has room that means nothing.
  return file === '.ldb' && damage === 'flipped' ? 'found-or-whole' : 'found';
}

async function write(folder: string, group: Group, count: number): Promise<void> {
  const log = await openLevelLogStore({ folder, raftId: 1, bootstrap: true });
  const { store, machine } = log;
  const confState = { ...emptyConfState, voters: voters[group] };
  for (let n = 0; n < count; n += 1) {
    const index = store.lastIndex() + 1;
    const value = Buffer.alloc(2_000, `${folder.length}/${index}`);
    const data = encodeCommand({
      clientToken: '',
      transaction: { compares: [], thenOps: [{ kind: 'put', key: `k${index}`, value }], elseOps: [] },
    });
    await store.append({
      hardState: { term: 1, vote: 1, commit: index },
      entries: [{ index, term: 1, type: 'normal', data }],
    });
    while (machine.appliedIndex < index - 1) machine.skip(machine.appliedIndex + 1);
    const { rows } = machine.apply(index, decodeCommand(data));
    store.apply({ rows, index, term: 1, confState, digest: machine.digest });
  }
  await store.close();
}

/** Everything that a log holds, as text. */
function contentOf({ store, machine }: OpenedLog): string {
  const entries = store.entries(store.firstIndex(), store.lastIndex() + 1, Number.POSITIVE_INFINITY);
  const rows = [...machine.view().rows()].map(({ key, value }) => `${key}=${Buffer.from(value).toString('base64')}`);
  const log =
    typeof entries === 'string' ? entries : entries.map(({ index, data }) => `${index}:${data.length}`).join();
  return `${store.firstIndex()} ${log} ${rows.join()}`;
}

/** The bytes of everything in a folder that a start must not change when it refuses. */
async function bytesOf(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name !== 'LOCK' && !name.startsWith('LOG')).sort();
  const contents = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return names.map((name, at) => `${name} ${contents[at]?.toString('base64')}`).join('\n');
}

async function outcomeOf(folder: string, content: string): Promise<string> {
  const before = await bytesOf(join(folder, 'db')).catch(() => '');
  let log: OpenedLog;
  try {
    log = await openLevelLogStore({ folder, raftId: 1, bootstrap: true });
  } catch (caught) {
    if (!ShoalError.is(caught, 'LOG_CORRUPT', 'IDENTITY_MISMATCH')) throw caught;
    const after = await bytesOf(join(folder, 'db')).catch(() => '');
    if (after !== before) return 'refused, and changed';
    return caught.code === 'LOG_CORRUPT' && !/shoal recover/.test(caught.message)
      ? 'refused without a way on'
      : 'refused';
  }
  try {
    if (log.store.quarantine !== undefined)
      return log.findings.length > 0 ? 'quarantined' : 'quarantined, and no finding';
    return contentOf(log) === content ? 'whole' : 'HEALTH WITH RECORDS MISSING';
  } finally {
    await log.store.abandon();
  }
}

interface Scene {
  readonly group: Group;
  readonly folder: string;
  readonly content: string;
  readonly others: OtherFolders;
}

async function sceneOf(group: Group): Promise<Scene> {
  const [folder, yesterday, another] = ['today', 'yesterday', 'another'].map((name) => join(base, group, name));
  if (!folder || !yesterday || !another) throw new Error('three folders');
  await write(folder, group, 20);
  await write(folder, group, 20);
  await cp(folder, yesterday, { recursive: true });
  await write(folder, group, 60);
  await write(another, group, 30);
  await write(another, group, 30);
  await cp(folder, join(base, group, 'whole'), { recursive: true });
  const log = await openLevelLogStore({ folder: join(base, group, 'whole'), raftId: 1 });
  const content = contentOf(log);
  await log.store.close();
  return { group, folder, content, others: { yesterday: join(yesterday, 'db'), another: join(another, 'db') } };
}

let cases = 0;
/** A copy of the scene's folder for one case. */
async function copyOf(scene: Scene): Promise<string> {
  cases += 1;
  const copy = join(base, `case-${cases}`);
  await cp(scene.folder, copy, { recursive: true });
  return copy;
}

function isRight(outcome: string, group: Group, right: Outcome): boolean {
  const found = outcome === (group === 'one' ? 'refused' : 'quarantined');
  return right === 'found' ? found : right === 'whole' ? outcome === 'whole' : found || outcome === 'whole';
}

const scenes = [await sceneOf('one'), await sceneOf('three')];
for (const scene of scenes) {
  const { group } = scene;
  for (const file of levelFiles) {
    await t.test(`${group}: ${file}`, async (t) => {
      for (const damage of damages) {
        const right = expected(file, damage);
        if (damage === 'flipped') {
          const counts = new Map<string, number>();
          const places = harmless.has(file) ? 3 : flipCount;
          for (let n = 0; n < places; n += 1) {
            const copy = await copyOf(scene);
            const at = await flipBit(join(copy, 'db'), file, (n + 0.5) / places);
            if (at === undefined) break;
            const outcome = await outcomeOf(copy, scene.content);
            counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
            if (!isRight(outcome, group, right)) t.fail(`a bit of byte ${at}: ${outcome}`);
            await rm(copy, { recursive: true });
          }
          t.comment(`flipped: ${JSON.stringify([...counts])}`);
          if (right !== 'whole')
            t.ok(!counts.has('whole') || (counts.get('whole') ?? 0) < flipCount / 10, 'nearly every bit is found');
          continue;
        }
        const copy = await copyOf(scene);
        const isOther = await damageFile(join(copy, 'db'), file, damage, scene.others);
        const outcome = await outcomeOf(copy, scene.content);
        t.ok(isRight(outcome, group, isOther ? right : 'whole'), `${damage}: ${outcome}`);
        await rm(copy, { recursive: true });
      }
    });
  }
  await t.test(`${group}: the whole database`, async (t) => {
    for (const what of ['missing', 'yesterday', 'another'] as const) {
      const copy = await copyOf(scene);
      await rm(join(copy, 'db'), { recursive: true });
      if (what !== 'missing') await cp(scene.others[what], join(copy, 'db'), { recursive: true });
      const outcome = await outcomeOf(copy, scene.content);
      t.ok(isRight(outcome, group, 'found'), `${what}: ${outcome}`);
      await rm(copy, { recursive: true });
    }
  });
  await t.test(`${group}: a mark that is lost or old raises no alarm`, async (t) => {
    for (const what of ['missing', 'yesterday'] as const) {
      const copy = await copyOf(scene);
      if (what === 'missing') await rm(join(copy, 'db.mark'));
      else await cp(join(scene.others.yesterday, '../db.mark'), join(copy, 'db.mark'));
      t.equal(await outcomeOf(copy, scene.content), 'whole', what);
      await rm(copy, { recursive: true });
    }
  });
}
