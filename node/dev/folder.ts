/** Where `npm start` keeps its cloud: `.shoal/` in the checkout, ignored by git. */
import { fileURLToPath } from 'node:url';

export const developmentFolder = fileURLToPath(new URL('../../.shoal', import.meta.url));
