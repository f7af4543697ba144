/** Where the tools run: the driver's own network namespace, or a named one. */
import { ShoalError } from '../../../node/base/errors.ts';
import type { CommandOptions, CommandResult, CommandRunner } from '../../command.ts';
import { type RuleFound, readNeighbours, readRoutes, readRules } from './address.ts';
import { type FdbEntry, readFdb } from './forwarding.ts';
import { list, readJson, record, text } from './json.ts';
import { type Links, readLinks } from './link.ts';
import { type NftTable, readTables, type TableFound, tableHash, tableText } from './nft.ts';

/** No tool that the driver runs works longer than this on a sane host. */
const toolTimeoutMs = 15_000;
/** Each attempt deletes all flows up to one that vanished meanwhile, so a few are plenty. */
const conntrackAttemptsMax = 20;

/** One namespace and the tools in it. Reading throws `CANNOT_TELL` when the kernel could not be asked. */
export class Netns {
  readonly #run: CommandRunner;
  /** Undefined: the namespace of this process. */
  readonly name: string | undefined;

  constructor(run: CommandRunner, name: string | undefined) {
    this.#run = run;
    this.name = name;
  }

  /** How to run a program in there, as the beginning of an argument list. */
  get prefix(): readonly string[] {
    return this.name === undefined ? [] : ['ip', 'netns', 'exec', this.name];
  }

  /** Runs a program in there. */
  exec(argv: readonly string[], options: CommandOptions): Promise<CommandResult> {
    return this.#run([...this.prefix, ...argv], { timeoutMs: toolTimeoutMs, ...options });
  }

  /** Runs lines of `ip -batch`; none: runs nothing. Stops at the first that fails, and throws. */
  async ipBatch(lines: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    await this.#batch('ip', lines, signal);
  }

  /** Runs lines of `bridge -batch`; none: runs nothing. */
  async bridgeBatch(lines: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    await this.#batch('bridge', lines, signal);
  }

  async #batch(tool: 'ip' | 'bridge', lines: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    if (lines.length === 0) return;
    const input = `${lines.join('\n')}\n`;
    try {
      await this.#tool(tool, ['-batch', '-'], { stdin: input, ...(signal === undefined ? {} : { signal }) });
    } catch (caught) {
      const error = ShoalError.from(caught, 'COMMAND_FAILED');
      throw new ShoalError(error.code, error.message, { facts: { ...error.facts, batch: lines }, cause: caught });
    }
  }

  /** Applies native nftables text as one transaction; empty: runs nothing. Not JSON: nft cannot read that from a pipe. */
  async nft(input: string, signal: AbortSignal | undefined): Promise<void> {
    if (input === '') return;
    try {
      await this.exec(['nft', '-f', '-'], { stdin: input, ...(signal === undefined ? {} : { signal }) });
    } catch (caught) {
      const error = ShoalError.from(caught, 'COMMAND_FAILED');
      throw new ShoalError(error.code, error.message, { facts: { ...error.facts, nft: input }, cause: caught });
    }
  }

  /** Every table of the namespace, by `family name`. */
  async tables(signal: AbortSignal): Promise<ReadonlyMap<string, TableFound>> {
    return readTables(await this.#ask(this.exec(['nft', '-j', 'list', 'ruleset'], { signal })));
  }

  /** One table; undefined when the kernel has none of that name. */
  async table(table: NftTable, signal: AbortSignal): Promise<TableFound | undefined> {
    const place = [table.family, table.name];
    try {
      const { stdout } = await this.exec(['nft', '-j', 'list', 'table', ...place], { signal });
      return readTables(stdout).get(place.join(' '));
    } catch (caught) {
      if (!ShoalError.is(caught, 'COMMAND_FAILED')) throw caught;
      // nft ends alike for "no such table" and for every other trouble: the list of tables tells them apart.
      const names = readJson(await this.#ask(this.exec(['nft', '-j', 'list', 'tables'], { signal })), 'nft');
      const there = list(record(names).nftables)
        .map((item) => record(record(item)['table']))
        .some((item) => item['family'] === table.family && item['name'] === table.name);
      if (!there) return undefined;
      throw new ShoalError('CANNOT_TELL', `table ${place.join(' ')} could not be read: ${caught.message}`, {
        facts: caught.facts,
        cause: caught,
      });
    }
  }

  /** Makes the table as given unless its hash says that it is. True when something was written. */
  async ensureTable(table: NftTable, found: TableFound | undefined, signal: AbortSignal): Promise<boolean> {
    if (found?.hash === tableHash(table)) return false;
    await this.nft(tableText(table), signal);
    return true;
  }

  /** Every interface with its addresses. */
  async links(signal: AbortSignal): Promise<Links> {
    return readLinks(await this.#ask(this.#tool('ip', ['-json', '-details', 'addr', 'show'], { signal })));
  }

  /** Static forwarding entries of a bridge and its ports. */
  async fdb(bridge: string, signal: AbortSignal): Promise<FdbEntry[]> {
    return readFdb(await this.#ask(this.#tool('bridge', ['-json', 'fdb', 'show', 'br', bridge], { signal })));
  }

  /** Permanent neighbours on an interface. */
  async neighbours(dev: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const argv = ['-json', 'neigh', 'show', 'dev', dev, 'nud', 'permanent'];
    return readNeighbours(await this.#ask(this.#tool('ip', argv, { signal })));
  }

  /** Routes of one family, of all tables, besides the kernel's own. */
  async routes(signal: AbortSignal, family: 4 | 6 = 4): Promise<ReturnType<typeof readRoutes>> {
    const argv = ['-json', `-${family}`, 'route', 'show', 'table', 'all'];
    return readRoutes(await this.#ask(this.#tool('ip', argv, { signal })));
  }

  /** Policy rules besides those that are always there. */
  async rules(signal: AbortSignal): Promise<RuleFound[]> {
    return readRules(await this.#ask(this.#tool('ip', ['-json', '-4', 'rule', 'show'], { signal })));
  }

  /** Sets those of `wanted` (name to value) that are not set already. */
  async ensureSysctls(wanted: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    const names = Object.keys(wanted);
    const output = await this.#ask(this.exec(['sysctl', '-n', ...names], { signal }));
    const values = output.trim().split('\n');
    const changes = names.filter((name, at) => values[at]?.trim() !== wanted[name]);
    if (changes.length === 0) return;
    await this.exec(['sysctl', '-qw', ...changes.map((name) => `${name}=${wanted[name]}`)], { signal });
  }

  /** Forgets tracked connections; how many is not told. None there is success. */
  async dropConnections(filter: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const { status, stderr } = await this.exec(['conntrack', '-D', ...filter], {
        okStatus: [0, 1],
        ...(signal === undefined ? {} : { signal }),
      });
      if (status === 0 || saysNoFlow(stderr)) return;
      if (saysFlowVanished(stderr) && attempt < conntrackAttemptsMax) continue;
      throw new ShoalError('COMMAND_FAILED', `conntrack: ${stderr.trim()}`, { facts: { filter, attempt } });
    }
  }

  #tool(tool: 'ip' | 'bridge', args: readonly string[], options: CommandOptions): Promise<CommandResult> {
    const where = this.name === undefined ? [] : ['-n', this.name];
    return this.#run([tool, ...where, ...args], { timeoutMs: toolTimeoutMs, ...options });
  }

  /** A failed question is not an answer. */
  async #ask(question: Promise<CommandResult>): Promise<string> {
    try {
      return (await question).stdout;
    } catch (caught) {
      if (ShoalError.is(caught, 'CANCELLED', 'COMMAND_MISSING')) throw caught;
      const where = this.name === undefined ? 'the host' : `namespace ${this.name}`;
      const why = caught instanceof Error ? caught.message : String(caught);
      throw new ShoalError('CANNOT_TELL', `the network of ${where} could not be read: ${why}`, {
        ...(caught instanceof ShoalError ? { facts: caught.facts } : {}),
        cause: caught,
      });
    }
  }
}

/** What conntrack 1.4 prints when nothing matched; it ends with 1 then, as for an error. */
export function saysNoFlow(stderr: string): boolean {
  return /\b0 flow entries have been deleted/.test(stderr);
}

/** What it prints when a flow ended by itself between being listed and being deleted: it stops there, so do it again. */
export function saysFlowVanished(stderr: string): boolean {
  return /such conntrack doesn't exist/.test(stderr);
}

/** Names of all named namespaces of the machine. */
export async function namespaceNames(run: CommandRunner, signal: AbortSignal): Promise<ReadonlySet<string>> {
  let output: string;
  try {
    output = (await run(['ip', '-json', 'netns', 'list'], { signal, timeoutMs: toolTimeoutMs })).stdout;
  } catch (caught) {
    if (ShoalError.is(caught, 'CANCELLED', 'COMMAND_MISSING')) throw caught;
    throw new ShoalError('CANNOT_TELL', 'the list of network namespaces could not be read', { cause: caught });
  }
  const names = list(readJson(output, 'ip netns list')).map((item) => text(record(item)['name']));
  return new Set(names.filter((name) => name !== undefined));
}
