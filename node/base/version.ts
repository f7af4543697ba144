/** This agent's version, as package.json says. */
import packageJson from '../../package.json' with { type: 'json' };

/** Semantic version. In the first line of the log, in `shoal --version`, and in what the agent tells of itself. */
export const agentVersion: string = packageJson.version;

/**
 * The highest feature level that this agent can do: it grows when agents learn something that all members must know before one of
 * them uses it. What needs a level is refused until that level is in force (`shoal upgrade finalize`), so that N and N - 1 work
 * together, and N can go back to N - 1.
 */
export const featureLevel = 2;

/** From which level on something may be used, each with what an agent that does not know it would do wrong. */
export const featureLevels = {
  /** It would not seal the key of the backups again when the mesh key changes, and drop the key that opens it. */
  cloudBackups: 2,
} as const;
