/** Search over what there is, by name, id or address: asked of the API, for nothing of it is kept here. */
import { get } from './api.ts';
import { pathOf } from './router-paths.ts';
import { texts } from './texts.ts';

/** Something that was found. */
export interface Found {
  /** What it is. */
  readonly kind: string;
  readonly name: string;
  readonly id: string;
  /** Its page. */
  readonly path: string;
}

interface Named {
  readonly id: string;
  readonly name?: string | null;
  readonly device_id?: string;
  readonly floating_ip_address?: string;
}

/** Fewer characters match too much to be of use. */
const charactersMin = 2;
/** Most of one kind. */
const foundMax = 8;

/** Of these, those whose name or id has every word. */
export function foundIn(things: readonly Found[], text: string): readonly Found[] {
  const words = text.toLowerCase().split(/\s+/u);
  return things.filter(({ name, id }) => words.every((word) => `${name} ${id}`.toLowerCase().includes(word)));
}

/** Asks every service at once; one that fails finds nothing. */
export async function search(text: string, signal: AbortSignal): Promise<readonly Found[]> {
  const wanted = text.trim();
  if (wanted.length < charactersMin) return [];
  const asked = sources(wanted).map(async ({ kind, path, key, page }) => {
    const body = new Map(Object.entries(await get<Readonly<Record<string, readonly Named[]>>>(path, signal)));
    const all = (body.get(key) ?? []).map((thing) => page(thing, kind));
    return foundIn(all, /^[0-9a-f.:]+$/iu.test(wanted) && key !== 'servers' ? '' : wanted).slice(0, foundMax);
  });
  const outcomes = await Promise.allSettled(asked);
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
}

interface Source {
  readonly kind: string;
  readonly path: string;
  readonly key: string;
  readonly page: (thing: Named, kind: string) => Found;
}

function sources(text: string): readonly Source[] {
  const at =
    (...parts: readonly string[]) =>
    (thing: Named, kind: string): Found => ({
      kind,
      name: thing.name ?? '',
      id: thing.id,
      path: pathOf([...parts, thing.id]),
    });
  const { kinds } = texts;
  const pattern = encodeURIComponent(text.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&'));
  const isAddress = /^\d+\.\d+\.\d+\.\d+$|^[0-9a-f]*:[0-9a-f:]+$/iu.test(text);
  const isId = /^[0-9a-f-]{8,36}$/iu.test(text);
  const address = encodeURIComponent(text);
  if (isAddress) {
    return [
      {
        kind: kinds.port,
        path: `/networking/v2.0/ports?fixed_ips=${encodeURIComponent(`ip_address=${text}`)}`,
        key: 'ports',
        page: (thing, kind) => ({ ...at('ports')(thing, kind), name: `${text} ${thing.name ?? ''}` }),
      },
      {
        kind: kinds.floatingIp,
        path: `/networking/v2.0/floatingips?floating_ip_address=${address}`,
        key: 'floatingips',
        page: (thing, kind) => ({ kind, name: text, id: thing.id, path: pathOf(['floating-ips'], { filter: text }) }),
      },
    ];
  }
  const id = encodeURIComponent(text);
  return [
    {
      kind: kinds.server,
      path: `/compute/v2.1/servers?${isId ? `uuid=${id}` : `name=${pattern}`}&limit=${foundMax}`,
      key: 'servers',
      page: at('servers'),
    },
    {
      kind: kinds.volume,
      path: `/volume/v3/volumes?limit=1000${isId ? `&id=${id}` : ''}`,
      key: 'volumes',
      page: at('volumes'),
    },
    {
      kind: kinds.image,
      path: `/image/v2/images?limit=1000${isId ? `&id=${id}` : ''}`,
      key: 'images',
      page: at('images'),
    },
    {
      kind: kinds.network,
      path: `/networking/v2.0/networks${isId ? `?id=${id}` : ''}`,
      key: 'networks',
      page: at('networks'),
    },
    {
      kind: kinds.router,
      path: `/networking/v2.0/routers${isId ? `?id=${id}` : ''}`,
      key: 'routers',
      page: at('routers'),
    },
    {
      kind: kinds.securityGroup,
      path: `/networking/v2.0/security-groups${isId ? `?id=${id}` : ''}`,
      key: 'security_groups',
      page: at('security-groups'),
    },
  ];
}
