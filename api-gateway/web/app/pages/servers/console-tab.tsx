import { useState } from 'preact/hooks';
import { ask } from '../../kit/api.ts';
import { wordsOf } from '../../kit/api-error.ts';
import { texts } from '../../kit/texts.ts';
import { Cli } from '../../parts/values.tsx';
import type { Server } from './server.ts';

type Kind = 'novnc' | 'serial';

/** A server's screen by noVNC, or its serial line by xterm.js. Each opening asks for a link of its own: links are single-use. */
export function ConsoleTab({ server }: { server: Server }) {
  const [opened, setOpened] = useState<{ kind: Kind; url: string } | undefined>(undefined);
  const [failure, setFailure] = useState('');
  const open = async (kind: Kind): Promise<void> => {
    setFailure('');
    setOpened(undefined);
    try {
      setOpened({ kind, url: await consoleOf(server.id, kind) });
    } catch (error) {
      setFailure(wordsOf(error));
    }
  };
  return (
    <>
      <div class="buttons">
        <button type="button" onClick={() => void open('novnc')}>
          {texts.console.screen}
        </button>
        <button type="button" onClick={() => void open('serial')}>
          {texts.console.serial}
        </button>
      </div>
      <p class="failure" role="alert">
        {failure}
      </p>
      {opened === undefined ? (
        <p class="quiet">{texts.console.hint}</p>
      ) : (
        <iframe
          key={opened.url}
          class="screen"
          title={opened.kind === 'novnc' ? texts.console.screenOf(server.name) : texts.console.serialOf(server.name)}
          src={opened.url}
        />
      )}
      <Cli command={`openstack console url show ${server.id}`} />
    </>
  );
}

/** The address of a new console, on the agent that served the page: whatever name the API gives itself, it is asked here. */
async function consoleOf(id: string, type: Kind): Promise<string> {
  const protocol = type === 'novnc' ? 'vnc' : 'serial';
  const body = { remote_console: { protocol, type } };
  const path = `/compute/v2.1/servers/${id}/remote-consoles`;
  const { remote_console: made } = await ask<{ remote_console: { url: string } }>('POST', path, { body });
  const { pathname, search } = new URL(made.url);
  return type === 'novnc' ? pathname + search : `/ui/terminal#${encodeURIComponent(pathname + search)}`;
}
