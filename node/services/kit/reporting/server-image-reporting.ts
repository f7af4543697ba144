import type { shoal } from '../../../../proto/messages.ts';
import type { StoredImage } from '../dependencies.ts';

/** What has become of the disk, and the format that it was stored in. */
export interface StoredServerImage extends StoredImage {
  readonly diskFormat: string;
}

/** How far the making of an image is. */
export type ServerImageStage = 'pending-upload' | 'uploading';

/**
 * How the job that makes an image of a server tells the records what has come of it. Each is one transaction that looks whether the
 * records still wait for this: the same word twice changes nothing the second time.
 */
export interface ServerImageReports {
  /** The server's task says how far it is. */
  stage(job: shoal.v1.Job, stage: ServerImageStage): Promise<void>;
  /**
   * The image has its content, on this host, and the server's task has ended; backups beyond the number that is kept go. An image
   * that was deleted meanwhile is left alone, with the server's task.
   */
  made(job: shoal.v1.Job, stored: StoredServerImage): Promise<void>;
  /** There is no image; the server's task has ended, and its owner reads why in the server's actions. */
  failed(job: shoal.v1.Job, fault: { readonly message: string; readonly details: string }): Promise<void>;
}
