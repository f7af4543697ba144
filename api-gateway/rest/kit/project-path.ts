/**
 * As Cinder tells a project's id from the name of a collection. No collection that stands there is written in these
 * characters alone.
 */
const projectIdAndRest = /^\/([0-9a-f-]{1,64})(?=[/?#]|$)/;

/**
 * The project's id that stands right below a path of a target, if one does.
 * @param path without a slash at the end: `/volume/v3`.
 * @param target the request's, as it was sent: `/volume/v3/0123abcd/volumes?limit=1`.
 */
export function projectOfPath(path: string, target: string): string | undefined {
  if (!target.startsWith(`${path}/`)) return undefined;
  return projectIdAndRest.exec(target.slice(path.length))?.[1];
}
