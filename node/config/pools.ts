/** The storage pools of a host, as the settings name them. */
import { posix } from 'node:path';
import { localPool } from '../../drivers/local/pool-name.ts';
import { isRecord } from '../base/json-value.ts';
import type { Config } from './options.ts';

/** The pool that the settings `ceph` name. */
const rbdPool = 'rbd';

/** A pool of this host. */
export type PoolSetting =
  | { readonly name: string; readonly driver: 'local'; readonly path: string }
  | {
      readonly name: string;
      readonly driver: 'rbd';
      readonly cephPool: string;
      readonly imagePool: string;
      readonly user: string;
      readonly confPath: string;
    };

/** All of them: `local`, `rbd` where Ceph is set, and those of `pools`. Of settings that have no mistakes. */
export function poolSettings(config: Pick<Config, 'dataDir' | 'ceph' | 'pools'>): readonly PoolSetting[] {
  const { dataDir, ceph } = config;
  const implicit: PoolSetting[] = [{ name: localPool, driver: 'local', path: posix.join(dataDir, 'disks') }];
  if (ceph.confPath !== '') {
    const { confPath, user, imagePool, diskPool } = ceph;
    implicit.push({ name: rbdPool, driver: 'rbd', cephPool: diskPool, imagePool, user, confPath });
  }
  return [...implicit, ...config.pools.map((pool) => furtherPool(pool, ceph))];
}

function furtherPool(pool: Config['pools'][number], ceph: Config['ceph']): PoolSetting {
  const { name, driver, path = '', cephPool = '', cephImagePool, cephUser, cephConfPath } = pool;
  if (driver === 'local') return { name, driver, path: trimmed(path) };
  return {
    name,
    driver,
    cephPool,
    imagePool: cephImagePool ?? ceph.imagePool,
    user: cephUser ?? ceph.user,
    confPath: cephConfPath ?? ceph.confPath,
  };
}

/** Without a slash at its end, and without `//`, `.` and `..`. */
function trimmed(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** What is wrong with `pools`, for people; empty when nothing is. */
export function poolMistakes(config: Pick<Config, 'dataDir' | 'ceph' | 'pools'>): readonly string[] {
  const mistakes = config.pools.flatMap((pool, at) => mistakesOfOne(pool, `pools.${at}`, config.ceph));
  if (mistakes.length > 0) return mistakes;
  const all = poolSettings(config);
  const further = all.slice(all.length - config.pools.length);
  for (const [at, pool] of further.entries()) {
    for (const other of all) {
      if (other === pool) break;
      const wrong = clash(pool, other);
      if (wrong !== undefined) mistakes.push(`pools.${at}: ${wrong}`);
    }
    if (pool.driver === 'rbd' && pool.cephPool === pool.imagePool) {
      mistakes.push(`pools.${at}: cephPool and cephImagePool must be two pools`);
    }
    if (pool.driver === 'local' && isWithin(trimmed(config.dataDir), pool.path)) {
      mistakes.push(`pools.${at}: path ${pool.path} holds the data folder of the agent; name a folder of its own`);
    }
  }
  return mistakes;
}

/** What a setting of one driver, or the lack of one, makes wrong. */
function mistakesOfOne(pool: Config['pools'][number], at: string, ceph: Config['ceph']): readonly string[] {
  const { name, driver, path, cephPool, cephConfPath, cephImagePool, cephUser } = pool;
  const mistakes: string[] = [];
  if (name === localPool || name === rbdPool) {
    mistakes.push(`${at}.name: "${name}" is a pool that needs no setting here; choose another name`);
  }
  if (driver === 'local') {
    if (path === undefined) mistakes.push(`${at}.path: needed when driver is "local"`);
    else if (trimmed(path) === '/') mistakes.push(`${at}.path: name a folder of its own, not "/"`);
    for (const [key, value] of Object.entries({ cephPool, cephImagePool, cephUser, cephConfPath })) {
      if (value !== undefined) mistakes.push(`${at}.${key}: only when driver is "rbd"`);
    }
    return mistakes;
  }
  if (path !== undefined) mistakes.push(`${at}.path: only when driver is "local"`);
  if (cephPool === undefined) mistakes.push(`${at}.cephPool: needed when driver is "rbd"`);
  if (cephConfPath === undefined && ceph.confPath === '') {
    mistakes.push(`${at}.cephConfPath: needed when driver is "rbd" and ceph.confPath is empty`);
  }
  return mistakes;
}

/** Why both cannot be pools of one host; undefined: they can. */
function clash(pool: PoolSetting, other: PoolSetting): string | undefined {
  if (pool.name === other.name) return `the name "${pool.name}" is used twice`;
  if (pool.driver === 'local' && other.driver === 'local') {
    if (!isWithin(pool.path, other.path) && !isWithin(other.path, pool.path)) return undefined;
    return `path ${pool.path} is, holds or lies in that of pool "${other.name}" (${other.path}): each needs a folder of its own`;
  }
  if (pool.driver === 'local' || other.driver === 'local' || pool.confPath !== other.confPath) return undefined;
  if (pool.cephPool === other.cephPool) return `Ceph pool ${pool.cephPool} is that of pool "${other.name}"`;
  if (pool.cephPool === other.imagePool || pool.imagePool === other.cephPool) {
    return `a Ceph pool of disks cannot hold images too: compare it with pool "${other.name}"`;
  }
  return undefined;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** What is wrong with `storage`; of settings of any form. */
export function storageMistakes({ storage, pools }: Readonly<Record<string, unknown>>): readonly string[] {
  const further = Array.isArray(pools) ? pools.flatMap((pool: unknown) => (isRecord(pool) ? [pool['name']] : [])) : [];
  const names = [localPool, rbdPool, ...further.filter((name) => typeof name === 'string')];
  if (typeof storage !== 'string' || names.includes(storage)) return [];
  return [`storage: must be ${names.map((name) => JSON.stringify(name)).join(' or ')}`];
}
