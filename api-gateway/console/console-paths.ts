/** Where consoles are, below the address of any agent's REST API. */
import type { ConsoleKind } from '../../node/services/kit/dependencies.ts';

/** Below it is all that concerns consoles. */
export const consolePrefix = '/console';

/** The page that shows a screen; its query's `path` says of which. Without a slash before it. */
export const screenPagePath = 'console/vnc_auto.html';

/** The WebSocket of one console. Without a slash before it: noVNC's pages, and programs that read their links, put it there. */
export function consolePath(kind: ConsoleKind, token: string): string {
  return `console/${kind}?token=${token}`;
}
