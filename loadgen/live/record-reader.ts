/**
 * Reads run records back, one or a folder of them. A file that is torn, foreign or newer is named with the place and what would be right;
 * nothing is ever written. Knows files and the record's schema, not what a record is read for.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Either, ParseResult, Schema } from 'effect'
import { parse } from 'yaml'
import { RunRecord, SCHEMA_VERSION } from '../../reports/record.js'
import type { ReadRun, Side } from '../compare/sides.js'
import { encodeScenario, Scenario } from '../scenario.js'
import { messageOf } from './command-failure.js'

const RECORD = 'run.json'
const ISSUES_SHOWN = 3

/** A record cannot be had from where it was said to be; the message names the file, the place in it and what would be right. */
export class RecordError extends Error {
  override readonly name = 'RecordError'
}

/** The one run at `path`: a run's folder, or its run.json. */
export async function readRun(path: string): Promise<ReadRun> {
  const file = await isFolder(path) ? join(path, RECORD) : path
  return runOf(file, recordOf(await textOf(file), file))
}

/** One run, or every run in a folder of them (its `trials`, where it has such a folder), in the order of their names. */
export async function readSide(path: string): Promise<Side> {
  if (!await isFolder(path)) return { name: path, runs: [await readRun(path)] }
  if (await exists(join(path, RECORD))) return { name: path, runs: [await readRun(path)] }
  const parent = await exists(join(path, 'trials')) ? join(path, 'trials') : path
  const names = (await readdir(parent)).sort((x, y) => x.localeCompare(y, 'en', { numeric: true }))
  const runs: ReadRun[] = []
  for (const name of names) if (await exists(join(parent, name, RECORD))) runs.push(await readRun(join(parent, name)))
  if (runs.length === 0) throw new RecordError(`${path} holds no run: neither ${RECORD} nor a folder with one`)
  return { name: path, runs }
}

/** With the scenario's keys as they would be written today: what an older record does not name has its default. */
export function runOf(file: string, record: RunRecord): ReadRun {
  return { file, record, scenario: scenarioKeys(record.scenarioYaml) }
}

/** Throws a RecordError. */
export function recordOf(text: string, file: string): RunRecord {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (error) {
    const { line, column, atEnd } = placeOf(text, messageOf(error))
    throw new RecordError(`${file}:${line}:${column} ${atEnd ? 'the record is torn: the file ends in the middle of it; repeat the run' : 'this is no JSON; give the folder of a run, or its run.json'}`)
  }
  if (typeof data !== 'object' || data === null || !('schemaVersion' in data) || 'kind' in data) {
    throw new RecordError(`${file}: this is no run record of pushbench${typeof data === 'object' && data !== null && 'kind' in data ? `, but an answer of the kind ${String(data.kind)}` : ''}; give the folder of a run, or its run.json`)
  }
  if (typeof data.schemaVersion === 'number' && data.schemaVersion > SCHEMA_VERSION) {
    throw new RecordError(`${file}: schemaVersion: the record has version ${data.schemaVersion} and was written by a newer pushbench; this one reads versions up to ${SCHEMA_VERSION}`)
  }
  const decoded = Schema.decodeUnknownEither(RunRecord, { errors: 'all' })(data)
  if (Either.isRight(decoded)) return decoded.right
  const issues = ParseResult.ArrayFormatter.formatErrorSync(decoded.left)
  const shown = issues.slice(0, ISSUES_SHOWN).map(({ path, message }) => `${file}: ${path.map(String).join('.') || 'the record'}: ${message}`)
  throw new RecordError([...shown, ...(issues.length > ISSUES_SHOWN ? [`${file}: and ${issues.length - ISSUES_SHOWN} more; docs/run.schema.json says what a record holds`] : [])].join('\n'))
}

/** Where the text stops being JSON. The parser tells an offset, that the text was over, or neither. */
function placeOf(text: string, message: string): { readonly line: number; readonly column: number; readonly atEnd: boolean } {
  const atEnd = endsTooEarly(text, message)
  const offset = atEnd ? text.length : toldOffset(message) ?? firstWrong(text)
  const before = text.slice(0, offset)
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n'), atEnd }
}

function toldOffset(message: string): number | undefined {
  const told = /position (\d+)/.exec(message)?.[1]
  return told === undefined ? undefined : Number(told)
}

function endsTooEarly(text: string, message: string): boolean {
  return /Unterminated|end of JSON/i.test(message) || text.slice(toldOffset(message) ?? 0).trim() === ''
}

/** Cut off before it, the text is only too short; after it, it is wrong. */
function firstWrong(text: string): number {
  let [right, wrong] = [0, text.length]
  while (wrong - right > 1) {
    const middle = (right + wrong) >>> 1
    const prefix = text.slice(0, middle)
    try {
      JSON.parse(prefix)
      right = middle
    } catch (error) {
      if (endsTooEarly(prefix, messageOf(error))) right = middle
      else wrong = middle
    }
  }
  return right
}

function scenarioKeys(yaml: string): ReadonlyMap<string, string> {
  const keys = new Map<string, string>()
  let written: unknown
  try {
    written = parse(yaml)
  } catch {
    // Of a scenario nobody can read only its text can be compared.
    return new Map([['scenario', yaml]])
  }
  const decoded = Schema.decodeUnknownEither(Scenario)(written)
  flatten(Either.isRight(decoded) ? encodeScenario(decoded.right) : written, '', keys)
  return keys
}

function flatten(value: unknown, path: string, into: Map<string, string>): void {
  if (typeof value !== 'object' || value === null) {
    into.set(path, String(value))
    return
  }
  for (const [key, inner] of Object.entries(value)) flatten(inner, path === '' ? key : `${path}.${key}`, into)
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new RecordError(`${file} cannot be read: ${messageOf(error)}; give the folder of a run, its run.json, or a folder of runs`)
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}
