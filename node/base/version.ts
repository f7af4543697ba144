/** This agent's version, as package.json says. */
import packageJson from '../../package.json' with { type: 'json' };

/** Semantic version. In the first line of the log, in `shoal --version`, and in what the agent tells of itself. */
export const agentVersion: string = packageJson.version;

/** Grows when agents learn something that hosts must share to use; N and N - 1 work together. */
export const featureLevel = 1;
