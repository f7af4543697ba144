// Only the rules that need types; layout and the rest are biome's (.biome.json).
import tseslint from 'typescript-eslint';
import bytesSlice from './node/dev/bytes-slice-rule.mjs';
import ownKeys from './node/dev/own-keys-rule.mjs';

export default tseslint.config(
  { ignores: ['proto/gen/**', 'api-gateway/web/app/api/gen/**', 'node_modules/**', '.shoal/**', '.tap/**', '.web/**'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: ['./tsconfig.json', './api-gateway/web/app/tsconfig.json'] },
    },
    plugins: { '@typescript-eslint': tseslint.plugin, bytes: { rules: { slice: bytesSlice } } },
    rules: {
      'bytes/slice': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
    },
  },
  {
    // Subtests of tap run in the order in which they were made, awaited or not, and report their own failures.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafePromises: [{ from: 'package', package: '@tapjs/core', name: 'PromiseWithSubtest' }] },
      ],
    },
  },
  {
    // Where keys come from callers.
    files: [
      'api-gateway/**/*.ts',
      'api-gateway/**/*.tsx',
      'node/services/**/*.ts',
      'node/state/**/*.ts',
      'node/*.ts',
      'placement/**/*.ts',
    ],
    ignores: ['**/bench/**'],
    plugins: { shoal: { rules: { 'own-keys': ownKeys } } },
    rules: { 'shoal/own-keys': 'error' },
  },
  {
    // Standard output belongs to the command line, the benches and the set-up scripts.
    files: ['node/**/*.ts', 'placement/**/*.ts', 'drivers/**/*.ts', 'api-gateway/**/*.ts', 'sim/**/*.ts'],
    ignores: ['node/cli/**', 'node/dev/**', '**/bench/**', 'sim/main.ts'],
    rules: { 'no-console': 'error' },
  },
);
