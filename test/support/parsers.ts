/** Finds the code that reads bytes or text which others wrote. */
import ts from 'typescript';
import type { Source } from '../../node/dev/house/source.ts';

/** What parsers are called here. */
const names = /^(parse|decode|decoded|read|open|unseal|unsealed|inspect|verify)([A-Z0-9].*)?$/;
/** What they are given. */
const takes = /\b(string|Uint8Array|Buffer|unknown)\b/;

/**
 * The exported functions, and the public methods of exported classes, of a file that are called like a parser and are given
 * text, bytes or a value of unknown form: `name` or `Class.name`.
 */
export function parsersIn({ path, text }: Source): readonly string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found = new Set<string>();
  for (const statement of file.statements) {
    if (!isExported(statement)) continue;
    if (ts.isFunctionDeclaration(statement) && statement.name !== undefined) {
      if (isParser(statement.name.text, statement, file)) found.add(statement.name.text);
    } else if (ts.isClassDeclaration(statement) && statement.name !== undefined) {
      for (const member of statement.members) {
        if (!ts.isMethodDeclaration(member) || !ts.isIdentifier(member.name)) continue;
        if (isParser(member.name.text, member, file)) found.add(`${statement.name.text}.${member.name.text}`);
      }
    }
  }
  return [...found];
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  return modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}

function isParser(name: string, signature: ts.FunctionLikeDeclaration, file: ts.SourceFile): boolean {
  return names.test(name) && signature.parameters.some((parameter) => takes.test(parameter.type?.getText(file) ?? ''));
}
