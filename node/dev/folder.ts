/** Where `npm start` keeps its cloud: `.shoal/` in the checkout, ignored by git. */
import { fileURLToPath } from 'node:url';

/** Absolute path, without a slash at its end. Removing the folder removes the development cloud with all its disks. */
export const developmentFolder = fileURLToPath(new URL('../../.shoal', import.meta.url));
