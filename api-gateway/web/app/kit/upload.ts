/** Content of images, sent with its progress: `fetch` tells none of what it sends. */
import { ApiError, messageIn } from './api-error.ts';
import { texts } from './texts.ts';
import { token } from './token.ts';

/** Sends a file's content. Rejects with `ApiError`. @param onProgress hears how many bytes are sent. */
export function upload(
  path: string,
  content: Blob,
  options: { readonly onProgress: (bytes: number) => void; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', path);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.setRequestHeader('x-auth-token', token.value ?? '');
    request.upload.addEventListener('progress', ({ loaded }) => options.onProgress(loaded));
    request.addEventListener('load', () => {
      if (request.status >= 200 && request.status < 300) {
        resolve();
        return;
      }
      const requestId = request.getResponseHeader('x-openstack-request-id') ?? '';
      reject(new ApiError(request.status, reasonOf(request), requestId));
    });
    request.addEventListener('error', () => reject(new ApiError(0, texts.errors.unreachable, '')));
    request.addEventListener('abort', () => reject(new ApiError(0, texts.images.cancelled, '')));
    options.signal.addEventListener('abort', () => request.abort());
    request.send(content);
  });
}

function reasonOf({ status, responseText }: XMLHttpRequest): string {
  try {
    return messageIn(JSON.parse(responseText)) ?? texts.errors.status(status);
  } catch (error) {
    if (error instanceof SyntaxError) return texts.errors.status(status);
    throw error;
  }
}
