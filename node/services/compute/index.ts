/** The compute service: what both gateways call. */

import { Aggregates } from './aggregates.ts';
import { Consoles } from './consoles.ts';
import type { ComputeDependencies, ComputeOptions } from './dependencies.ts';
import { HostDrains } from './drains/host-drains.ts';
import { Flavors } from './flavors.ts';
import { Migrations } from './history/migrations.ts';
import { Hosts } from './hosts.ts';
import { ServerInterfaces } from './interfaces/server-interfaces.ts';
import { Keypairs } from './keypairs.ts';
import { UserQuotas } from './kit/user-quotas.ts';
import { LiveMigrations } from './moves/live-migrations.ts';
import { ServerPasswords } from './passwords/server-passwords.ts';
import { ServerImages } from './saved/server-images.ts';
import { ServerGroups } from './server-groups.ts';
import { ServerMoves } from './server-moves.ts';
import { ServerRebuild } from './server-rebuild.ts';
import { ServerRescue } from './server-rescue.ts';
import { ServerShelve } from './server-shelve.ts';
import { Servers } from './servers.ts';

export type { ComputeDependencies, ComputeOptions } from './dependencies.ts';

/** Nova's resources, each by its own class. Reads take a reader; changes commit one transaction each. */
export class ComputeService {
  readonly flavors: Flavors;
  readonly keypairs: Keypairs;
  readonly serverGroups: ServerGroups;
  readonly servers: Servers;
  readonly images: ServerImages;
  readonly rebuild: ServerRebuild;
  readonly rescue: ServerRescue;
  readonly shelve: ServerShelve;
  readonly interfaces: ServerInterfaces;
  readonly moves: ServerMoves;
  readonly liveMigrations: LiveMigrations;
  readonly migrations: Migrations;
  readonly consoles: Consoles;
  readonly hosts: Hosts;
  readonly drains: HostDrains;
  readonly aggregates: Aggregates;
  readonly userQuotas: UserQuotas;
  readonly passwords: ServerPasswords;

  constructor(deps: ComputeDependencies, options: ComputeOptions = { storage: 'local' }) {
    this.flavors = new Flavors(deps);
    this.keypairs = new Keypairs(deps);
    this.serverGroups = new ServerGroups(deps);
    this.servers = new Servers(deps, options);
    this.images = new ServerImages(deps);
    this.rebuild = new ServerRebuild(deps, options);
    this.rescue = new ServerRescue(deps);
    this.shelve = new ServerShelve(deps);
    this.interfaces = new ServerInterfaces(deps);
    this.moves = new ServerMoves(deps, options);
    this.liveMigrations = new LiveMigrations(deps);
    this.migrations = new Migrations();
    this.consoles = new Consoles(deps);
    this.hosts = new Hosts(deps);
    this.drains = new HostDrains(deps);
    this.aggregates = new Aggregates(deps);
    this.userQuotas = new UserQuotas(deps);
    this.passwords = new ServerPasswords(deps);
  }
}
