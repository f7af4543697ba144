// The page of one screen: noVNC over the WebSocket that the link's `path` names, on the same agent and on no other.
// Served from noVNC's package.
const { default: RFB } = await import(new URL('novnc/core/rfb.js', import.meta.url).href);

const status = document.getElementById('status');
const keys = document.getElementById('keys');
const path = new URLSearchParams(location.search).get('path') ?? '';
// The page lies one folder below the agent's address. Only that address is connected to, whatever a link says.
const target = new URL(`../${path.replace(/^\/+/, '')}`, location.href);
target.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';

if (target.host !== location.host) {
  status.textContent = 'This link is not of this cloud.';
} else {
  // A token is good for one session: what stays in the address and in the history opens nothing.
  history.replaceState(null, '', location.pathname);
  const screen = new RFB(document.getElementById('screen'), target.href, { wsProtocols: ['binary'] });
  screen.scaleViewport = true;
  screen.addEventListener('connect', () => {
    status.textContent = 'Connected';
    keys.disabled = false;
    screen.focus();
  });
  screen.addEventListener('disconnect', () => {
    status.textContent = 'Disconnected. Each link is good for one session: ask for another one.';
    keys.disabled = true;
  });
  keys.addEventListener('click', () => screen.sendCtrlAltDel());
}
