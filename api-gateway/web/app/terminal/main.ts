/**
 * A serial console: xterm.js over the WebSocket that the address's fragment names, on the same agent and on no other. It is a
 * document by itself, which the page frames, for xterm.js writes style elements that the page's own policy refuses.
 */
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import './terminal.css';
import { texts } from '../kit/texts.ts';

const status = document.getElementById('status');
const screen = document.getElementById('terminal');

function say(text: string): void {
  if (status !== null) status.textContent = text;
}

function connect(parent: HTMLElement): void {
  // Only the path is taken: whatever a link says, it is this agent that is connected to.
  const path = decodeURIComponent(location.hash.slice(1));
  const target = new URL(`/${path.replace(/^\/+/, '')}`, location.origin);
  target.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  if (target.host !== location.host) {
    say(texts.console.foreign);
    return;
  }
  // The token in it is good for one session: what stays in the address opens nothing.
  history.replaceState(null, '', location.pathname);
  const terminal = new Terminal({ cursorBlink: false, screenReaderMode: true, scrollback: 5000, fontSize: 14 });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(parent);
  fit.fit();
  addEventListener('resize', () => fit.fit());
  const socket = new WebSocket(target, ['binary']);
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('open', () => {
    say(texts.console.connected);
    terminal.focus();
  });
  socket.addEventListener('message', ({ data }) => {
    terminal.write(data instanceof ArrayBuffer ? new Uint8Array(data) : String(data));
  });
  socket.addEventListener('close', () => say(texts.console.disconnected));
  const encoder = new TextEncoder();
  terminal.onData((text) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(encoder.encode(text));
  });
}

if (screen !== null) connect(screen);
