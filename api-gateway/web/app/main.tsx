/** The page begins here: the session of an earlier load, the router, the shell. */
import { render } from 'preact';
import { startRouter } from './kit/router.ts';
import { resume } from './kit/session.ts';
import { pages } from './pages.ts';
import { Shell } from './shell/shell.tsx';
import { startTheme } from './shell/theme.ts';
import './style.css';

startTheme();
startRouter();
const root = document.getElementById('app');
if (root !== null) {
  let failure: unknown;
  try {
    await resume();
  } catch (error) {
    failure = error;
  }
  render(<Shell pages={pages} failure={failure} />, root);
}
