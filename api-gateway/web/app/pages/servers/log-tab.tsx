import { ask } from '../../kit/api.ts';
import { useResource } from '../../kit/resource.ts';
import { place, setQuery } from '../../kit/router.ts';
import { texts } from '../../kit/texts.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { Cli } from '../../parts/values.tsx';

/** Lines that are shown when the address does not say. */
const linesDefault = 100;
const choices = [100, 500, 2000];

/** What a server has written on its serial line. */
export function LogTab({ id }: { id: string }) {
  const asked = Number(place.value.query.get('lines'));
  const lines = choices.find((one) => one === asked) ?? linesDefault;
  const log = useResource(
    async (signal) => {
      const body = { 'os-getConsoleOutput': { length: lines } };
      const path = `/compute/v2.1/servers/${id}/action`;
      return (await ask<{ output: string }>('POST', path, { body, signal })).output;
    },
    [id, lines],
  );
  return (
    <>
      <p class="buttons">
        {choices.map((one) => (
          <button key={one} type="button" aria-pressed={one === lines} onClick={() => setQuery('lines', String(one))}>
            {texts.servers.lastLines(one)}
          </button>
        ))}
      </p>
      <Loaded of={log}>
        {(text) =>
          text === '' ? (
            <p class="quiet">{texts.servers.noLog}</p>
          ) : (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by the keyboard
            <pre class="log" tabIndex={0}>
              {text}
            </pre>
          )
        }
      </Loaded>
      <Cli command={`openstack console log show --lines ${lines} ${id}`} />
    </>
  );
}
