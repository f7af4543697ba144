/** Remote consoles: asked for as at each microversion, and what the link in the answer lets in to. */
import { hostsAct } from '../../../../node/services/compute-world.ts';
import type { Answer, Effect, EffectCloud, Effects } from '../../effects/effects.ts';
import { act, at, made } from '../server-effects.ts';

/** Where bodies of consoles go. */
export const consoleRoutes = {
  remoteConsoleBody: ['POST /v2.1/servers/:id/remote-consoles'],
  vncConsoleBody: ['POST /v2.1/servers/:id/action#os-getVNCConsole'],
  spiceConsoleBody: ['POST /v2.1/servers/:id/action#os-getSPICEConsole'],
  rdpConsoleBody: ['POST /v2.1/servers/:id/action#os-getRDPConsole'],
  serialConsoleBody: ['POST /v2.1/servers/:id/action#os-getSerialConsole'],
} as const;

async function running(cloud: EffectCloud): Promise<string> {
  const { id } = await made(cloud);
  await hostsAct(cloud.world);
  return id;
}

const ask = (
  cloud: EffectCloud,
  id: string,
  protocol: string,
  type: string,
  { minor = 79, status = 200 } = {},
): Promise<Answer> =>
  cloud.ask('POST', `/compute/v2.1/servers/${id}/remote-consoles`, {
    body: { remote_console: { protocol, type } },
    headers: at(minor),
    status,
  });

/** The link's token, as any agent reads it. */
async function kindOf(cloud: EffectCloud, url: string): Promise<string> {
  const { searchParams } = new URL(url);
  const path = searchParams.get('path') ?? url;
  const token = /token=([0-9a-f]{64})$/.exec(path)?.[1] ?? '';
  const { kind } = await cloud.world.compute.consoles.look(token, new AbortController().signal);
  return kind;
}

const servedAlike: Effect = async (t, cloud) => {
  const id = await running(cloud);
  for (const [protocol, type, kind, scheme] of [
    ['vnc', 'novnc', 'vnc', 'http:'],
    ['serial', 'serial', 'serial', 'ws:'],
  ] as const) {
    const { remote_console: console } = await ask(cloud, id, protocol, type);
    t.match(console, { protocol, type });
    t.equal(new URL(console.url).protocol, scheme);
    t.equal(await kindOf(cloud, console.url), kind);
  }
  for (const [protocol, type] of [
    ['spice', 'spice-html5'],
    ['rdp', 'rdp-html5'],
    ['mks', 'webmks'],
    ['vnc', 'serial'],
    ['serial', 'novnc'],
    ['vnc', 'xvpvnc'],
  ] as const) {
    t.match((await ask(cloud, id, protocol, type, { status: 400 })).badRequest.message, /console type/);
  }
  await ask(cloud, id, 'mks', 'webmks', { minor: 7, status: 400 });
  await ask(cloud, id, 'spice', 'spice-direct', { status: 400 });
  await ask(cloud, id, 'vnc', 'novnc', { minor: 5, status: 404 });
  await ask(cloud, id, 'vnc', 'novnc', { minor: 6 });
};

const older =
  (action: string, type: string, kind: string): Effect =>
  async (t, cloud) => {
    const id = await running(cloud);
    const body = { [action]: { type } };
    for (const minor of [1, 5]) {
      const { console } = await act(cloud, id, body, 200, minor);
      t.equal(console.type, type);
      t.equal(await kindOf(cloud, console.url), kind);
    }
    await act(cloud, id, body, 404, 6);
    await act(cloud, id, { [action]: { type: 'xvpvnc' } }, 400, 1);
  };

const unavailable =
  (action: string, type: string): Effect =>
  async (t, cloud) => {
    const id = await running(cloud);
    t.match((await act(cloud, id, { [action]: { type } }, 400, 1)).badRequest.message, /Unavailable console type/);
    await act(cloud, id, { [action]: { type: 'other' } }, 400, 1);
    await act(cloud, id, { [action]: { type } }, 404, 6);
  };

/** By row. */
export const consoleEffects: Effects = {
  'remoteConsoleBody: remote_console.protocol': servedAlike,
  'remoteConsoleBody: remote_console.type': servedAlike,
  'vncConsoleBody: type': older('os-getVNCConsole', 'novnc', 'vnc'),
  'spiceConsoleBody: type': unavailable('os-getSPICEConsole', 'spice-html5'),
  'rdpConsoleBody: type': unavailable('os-getRDPConsole', 'rdp-html5'),
  'serialConsoleBody: type': older('os-getSerialConsole', 'serial', 'serial'),
};
