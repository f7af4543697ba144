const { simulate } = await import('./simulator.ts');
const seed = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 1);
for (let s = seed; s < seed + count; s++) {
  const t0 = performance.now();
  const r = await simulate(s, {
    overrides: process.argv[4] ? JSON.parse(process.argv[4]) : {},
    ...(process.env.TR ? { write: (l: string) => process.stderr.write(l) } : {}),
  });
  console.log(
    s,
    r.verdict,
    r.violated ?? '',
    r.detail,
    (r.simulatedMs / 1000).toFixed(0) + 's sim',
    ((performance.now() - t0) / 1000).toFixed(1) + 's wall',
    r.events,
    r.traceDigest.slice(0, 8),
    count === 1 ? JSON.stringify(r.reached) : '',
  );
}
