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

/** The size that the guest sees, bytes; waits a while for `wanted`. */
export async function grownTo(inGuest: InGuest, device: string, wanted: number): Promise<number> {
  const file = `/sys/block/${device.replace('/dev/', '')}/size`;
  const sectors = wanted / 512;
  const script = `for n in $(seq 150); do [ "$(cat ${file})" = ${sectors} ] && break; sleep 0.1; done; cat ${file}`;
  return 512 * Number((await inGuest(script, 40_000)).trim());
}

/** Forty writes a tenth of a second apart, each of them synced, behind what `writing` fills; says how many failed, and how long the longest took. */
export function steadyWriting(device: string): string {
  return (
    'f=0; l=0; for n in $(seq 40); do a=$(cut -d. -f1 /proc/uptime); ' +
    `dd if=/dev/zero of=${device} bs=64k count=1 seek=$((1000+n)) conv=fsync 2>/dev/null || f=$((f+1)); ` +
    'b=$(cut -d. -f1 /proc/uptime); [ $((b-a)) -gt $l ] && l=$((b-a)); sleep 0.1; done; ' +
    'echo writes=40 failed=$f longest=$l'
  );
}
