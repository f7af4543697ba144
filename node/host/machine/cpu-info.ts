/** What the processors of a machine are, by /proc/cpuinfo. */
export interface CpuInfo {
  /** Such as `GenuineIntel`; empty where the kernel does not tell. */
  readonly vendor: string;
  readonly model: string;
  /** As the kernel names them: `avx2`, `sha_ni`, `vmx`. */
  readonly flags: readonly string[];
  /** Processor packages; at least 1. */
  readonly sockets: number;
  /** Cores of one package; at least 1. */
  readonly cores: number;
  /** Logical CPUs of one core; at least 1. */
  readonly threads: number;
}

/** Reads the text of /proc/cpuinfo (x86 and ARM). What is not there is empty, or 1; no text is too odd for it. */
export function parseCpuInfo(text: string): CpuInfo {
  const blocks = text
    .split(/\n\s*\n/)
    .map(fieldsOf)
    .filter((fields) => fields.has('processor'));
  const first = blocks[0] ?? new Map<string, string>();
  const field = (...names: string[]): string => names.map((name) => first.get(name)).find((value) => value) ?? '';
  const packages = new Set(blocks.map((fields) => fields.get('physical id') ?? '0'));
  const sockets = Math.max(1, packages.size);
  const cores = countOf(field('cpu cores')) || Math.max(1, Math.floor(blocks.length / sockets));
  const siblings = countOf(field('siblings')) || cores;
  return {
    vendor: field('vendor_id', 'CPU implementer'),
    model: field('model name', 'CPU part'),
    flags: field('flags', 'Features')
      .split(/\s+/)
      .filter((flag) => flag !== ''),
    sockets,
    cores,
    threads: Math.max(1, Math.floor(siblings / cores)),
  };
}

function fieldsOf(block: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) fields.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return fields;
}

/** 0 for what is no count. */
function countOf(text: string): number {
  return /^\d{1,6}$/.test(text) ? Number(text) : 0;
}
