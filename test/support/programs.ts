/** Why a test that runs programs cannot run here. */
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';

/** Which of these programs is not installed, as a reason to skip; false when all are. */
export async function whyNoProgram(...programs: readonly string[]): Promise<string | false> {
  const folders = (process.env['PATH'] ?? '').split(':').concat('/usr/sbin', '/sbin');
  for (const program of programs) {
    const found = await Promise.all(
      folders.map((folder) =>
        access(join(folder, program), constants.X_OK).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (!found.includes(true)) return `${program} is not installed`;
  }
  return false;
}
