import { useState } from 'preact/hooks';
import { native } from '../../api/client.ts';
import { texts } from '../../kit/texts.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Form, SelectField } from '../../parts/form.tsx';
import { Copyable, Time } from '../../parts/values.tsx';

const words = texts.operators;

/** Makes a single-use ticket, and shows the command by which a new host joins. It is shown once and kept nowhere. */
export function TicketDialog(props: { onClose: () => void }) {
  const [ttl, setTtl] = useState('3600');
  const [made, setMade] = useState<{ readonly ticket: string; readonly expires: string } | undefined>(undefined);
  const make = async (): Promise<void> => {
    const answer = await native('ClusterService/CreateTicket', { ttl_seconds: Number(ttl) });
    setMade({ ticket: answer.ticket, expires: new Date(answer.expires_ms).toISOString() });
  };
  return (
    <Dialog title={words.addHost} onClose={props.onClose} wide>
      {made === undefined ? (
        <Form submit={words.makeTicket} onSubmit={make} onCancel={props.onClose}>
          <p>{words.ticketIs}</p>
          <SelectField label={words.ticketLasts} value={ttl} onChange={setTtl} choices={words.ticketTimes} />
        </Form>
      ) : (
        <>
          <p>{words.runThere}</p>
          <Copyable text={`shoal agent --join ${made.ticket}`} label={words.joinCommand} />
          <p>
            {words.ticketEnds} <Time at={made.expires} />.
          </p>
        </>
      )}
    </Dialog>
  );
}
