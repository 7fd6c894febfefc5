/** The project's own source files as the tidy tests see them: path, text, and the rooms they import. */
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = normalize(join(dirname(fileURLToPath(import.meta.url)), '..', '..'))

export interface SourceFile {
  /** Relative to the project's root, with forward slashes. */
  readonly path: string
  readonly text: string
  /** The text with comments, and the contents of strings and templates, blanked out; line breaks stay. */
  readonly code: string
  /** Import specifiers; relative ones resolved to project paths (`core/kit/time.ts`), others as written (`node:fs`, `effect`). */
  readonly imports: readonly string[]
}

const TOP_LEVEL = ['core', 'sim', 'loadgen', 'reports', 'test']

export function sourceFiles(): SourceFile[] {
  const paths = TOP_LEVEL.flatMap((folder) => typescriptFiles(folder))
  return [...paths, 'pushbench.ts'].map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8')
    return { path, text, code: withoutCommentsAndStrings(text), imports: importsOf(path, text) }
  })
}

function typescriptFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort()
}

function importsOf(path: string, text: string): string[] {
  const specifiers = [...text.matchAll(/^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm)]
  return specifiers.map((match) => {
    const specifier = (match[1] ?? match[2] ?? match[3])!
    return specifier.startsWith('.') ? normalize(join(dirname(path), specifier)).replace(/\.js$/, '.ts') : specifier
  })
}

/** A scanner good enough for our own style: it knows line and block comments, quotes, templates and regular expressions. */
export function withoutCommentsAndStrings(text: string): string {
  const pattern = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|(?<=[=(,:!&|?[{;\n]\s*)\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[dgimsuvy]*/g
  return text.replace(pattern, (match) => match.replace(/[^\n]/g, ' '))
}
