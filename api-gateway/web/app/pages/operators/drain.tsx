import { useState } from 'preact/hooks';
import { native } from '../../api/client.ts';
import { useResource } from '../../kit/resource.ts';
import { navigate } from '../../kit/router.ts';
import { texts } from '../../kit/texts.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { CheckField, Form } from '../../parts/form.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import type { HostRow } from './hosts.ts';

const words = texts.operators;

/** Shows what emptying a host would do to each of its servers, before it is begun. */
export function DrainDialog(props: { host: HostRow; onClose: () => void; onDone: () => void }) {
  const { host, onClose, onDone } = props;
  const [stops, setStops] = useState(false);
  const asked = { host: host.id, stop_running: stops };
  const plan = useResource((signal) => native('JobService/PlanDrain', asked, signal), [host.id, stops], 0);
  const begin = async (): Promise<void> => {
    await native('JobService/DrainHost', asked);
    onDone();
    navigate('/jobs');
  };
  return (
    <Dialog title={words.drainTitle(host.name)} onClose={onClose} wide>
      <Form submit={words.drain} isDanger onSubmit={begin} onCancel={onClose}>
        <CheckField label={words.drainStops} checked={stops} onChange={setStops} />
        <Loaded of={plan}>
          {({ steps, warnings, refusal }) => (
            <>
              {refusal === '' ? null : <p class="problem">{refusal}</p>}
              <ul>
                {warnings.map((warning) => (
                  <li key={warning}>{warning}</li>
                ))}
              </ul>
              {steps.length === 0 ? <p>{words.drainNothing}</p> : null}
              <ul>
                {steps.map(({ server_id: id, server_name: name, how, reason, target_host_name: target }) => (
                  <li key={id} dir="auto">
                    {words.drainStep(name === '' ? id : name, how, target, reason)}
                  </li>
                ))}
              </ul>
            </>
          )}
        </Loaded>
      </Form>
    </Dialog>
  );
}
