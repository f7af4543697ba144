/** Volumes as a guest has them: found by their serial, written, and summed. */

/** Runs a shell script in a guest, and tells what it printed. */
export type InGuest = (script: string, timeoutMs?: number) => Promise<string>;

/** Fills the first 8 MiB with a pattern of its own, and waits until it is on the disk. */
export function writing(device: string, word: string): string {
  return `yes ${word} | head -c 8388608 | dd of=${device} bs=1M conv=fsync 2>&1`;
}

/** Of the first 8 MiB. */
export async function sumOf(inGuest: InGuest, device: string): Promise<string> {
  return (await inGuest(`dd if=${device} bs=1M count=8 iflag=direct 2>/dev/null | md5sum`, 60_000)).trim();
}

/** Where the guest has the volume, which it knows by the first 20 characters of its id. Waits until it has found it. */
export async function deviceOf(inGuest: InGuest, id: string): Promise<string> {
  const script = `for n in $(seq 200); do for d in /sys/block/vd*; do [ "$(cat $d/serial)" = ${id.slice(0, 20)} ] && echo \${d##*/} && exit; done; sleep 0.1; done`;
  const name = (await inGuest(script, 40_000)).trim();
  if (!/^vd[a-z]$/.test(name)) throw new Error(`the guest does not find volume ${id}: ${name}`);
  return `/dev/${name}`;
}
