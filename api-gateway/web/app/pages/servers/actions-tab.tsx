import { useState } from 'preact/hooks';
import { get } from '../../kit/api.ts';
import { useResource } from '../../kit/resource.ts';
import { texts } from '../../kit/texts.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { Cli, Status, Time } from '../../parts/values.tsx';

interface Action {
  readonly action: string;
  readonly request_id: string;
  readonly start_time: string;
  readonly updated_at: string | null;
  readonly message: string | null;
  readonly events?: readonly Step[];
}

interface Step {
  readonly event: string;
  readonly start_time: string;
  readonly finish_time: string | null;
  readonly result: string | null;
  readonly details?: string | null;
}

type Row = Action & { readonly id: string };

/** What has been done to a server, by whom and how far it came. */
export function ActionsTab({ id }: { id: string }) {
  const [open, setOpen] = useState<string | undefined>(undefined);
  const path = `/compute/v2.1/servers/${id}/os-instance-actions`;
  const actions = useResource(
    async (signal) => {
      const { instanceActions } = await get<{ instanceActions: readonly Action[] }>(path, signal);
      return instanceActions.map((action): Row => ({ ...action, id: action.request_id }));
    },
    [id],
  );
  const columns: readonly Column<Row>[] = [
    {
      key: 'action',
      title: texts.servers.action,
      text: ({ action }) => action,
      show: ({ action, request_id: request }) => (
        <button type="button" class="plain" onClick={() => setOpen(request)}>
          {action}
        </button>
      ),
    },
    {
      key: 'start',
      title: texts.servers.started,
      text: (row) => row.start_time,
      show: (row) => <Time at={row.start_time} />,
    },
    { key: 'message', title: texts.servers.outcome, text: ({ message }) => message ?? '' },
    { key: 'request', title: texts.servers.request, text: (row) => row.request_id },
  ];
  return (
    <>
      <Loaded of={actions}>
        {(rows) => <Table name="actions-" what={texts.servers.actionsWhat} rows={rows} columns={columns} />}
      </Loaded>
      {open === undefined ? null : <Steps path={`${path}/${open}`} onClose={() => setOpen(undefined)} />}
      <Cli command={`openstack server event list ${id}`} />
    </>
  );
}

/** One action's steps, with the time that each took. */
function Steps(props: { path: string; onClose: () => void }) {
  const action = useResource(
    async (signal) => (await get<{ instanceAction: Action }>(props.path, signal)).instanceAction,
    [props.path],
    1000,
  );
  return (
    <Dialog title={action.data?.action ?? texts.servers.action} onClose={props.onClose} wide>
      <Loaded of={action}>
        {({ events = [] }) =>
          events.length === 0 ? (
            <p class="quiet">{texts.servers.noSteps}</p>
          ) : (
            <ol>
              {events.map((step) => (
                <li key={`${step.event} ${step.start_time}`}>
                  {step.event} · <Status value={step.result ?? texts.servers.running} /> · {secondsOf(step)}{' '}
                  <bdi>{step.details ?? ''}</bdi>
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </Dialog>
  );
}

function secondsOf({ start_time: start, finish_time: finish }: Step): string {
  if (finish === null) return '';
  return texts.servers.seconds((Date.parse(finish) - Date.parse(start)) / 1000);
}
