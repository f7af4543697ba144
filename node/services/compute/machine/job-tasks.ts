/** Nova's tasks of a server that a job carries out and ends. Pure. */

const jobTasks: ReadonlySet<string> = new Set([
  'image_snapshot',
  'image_backup',
  'image_pending_upload',
  'image_uploading',
  'shelving',
  'shelving_image_pending_upload',
  'shelving_image_uploading',
  'migrating',
]);

/**
 * Whether a job is at work on the server: the host keeps the guest as it is wanted meanwhile, and no report of the guest ends
 * the task.
 */
export function isJobTask(task: string): boolean {
  return jobTasks.has(task);
}
