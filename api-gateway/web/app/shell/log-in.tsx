import { useState } from 'preact/hooks';
import { wordsOf } from '../kit/api-error.ts';
import { logIn } from '../kit/session.ts';
import { texts } from '../kit/texts.ts';
import { Form, TextField } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';

/** Asks who it is. @param hasEnded a session was there, and the API takes its token no more. */
export function LogIn(props: { hasEnded: boolean; failure: unknown }) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [domain, setDomain] = useState('Default');
  return (
    <main class="log-in" id="content">
      <Page title={texts.login.title}>
        {props.hasEnded ? <p role="status">{texts.login.ended}</p> : null}
        {props.failure === undefined ? null : <p role="alert">{wordsOf(props.failure)}</p>}
        <Form submit={texts.login.submit} onSubmit={() => logIn(name, password, domain)}>
          <TextField
            label={texts.login.user}
            value={name}
            onChange={setName}
            required
            autocomplete="username"
            autofocus
          />
          <TextField
            label={texts.login.password}
            type="password"
            value={password}
            onChange={setPassword}
            required
            autocomplete="current-password"
          />
          <TextField label={texts.login.domain} value={domain} onChange={setDomain} required />
        </Form>
      </Page>
    </main>
  );
}
