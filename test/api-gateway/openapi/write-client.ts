/** Writes the types of the page's client: `npm run client`, after a route or a message has changed. */
import { writeFileSync } from 'node:fs';
import { startWholeCloud } from '../../security/support/whole-cloud.ts';
import { clientFile, clientText } from './client-file.ts';

const whole = await startWholeCloud();
writeFileSync(clientFile, await clientText(whole));
await whole.stop();
