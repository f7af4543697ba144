/** Talks to the demo guest over its web server, as seen from this machine. */

/** Runs a shell script in the guest and returns what it printed. */
export async function runInGuest(address: string, script: string, timeoutMs = 20_000): Promise<string> {
  const response = await fetch(`http://${address}/cgi-bin/run`, {
    method: 'POST',
    body: script,
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw new Error(`the guest at ${address} answered ${response.status}`);
  return response.text();
}
