/** A scenario file to start from: every key with its default and a comment from the schema, as YAML text. */
import { scenarioJsonSchema } from './scenario-json-schema.js'
import { DEFAULT_SCENARIO, encodeScenario } from './scenario.js'

export interface SchemaNode {
  readonly description?: string
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly allOf?: readonly SchemaNode[]
}

/** @param schemaUrl where editors find the JSON Schema; `name` of the scenario */
export function scenarioTemplate(schemaUrl: string, name: string): string {
  const values = { ...encodeScenario(DEFAULT_SCENARIO), name }
  const schema = scenarioJsonSchema() as { readonly $defs: { readonly Scenario: SchemaNode } }
  const head = [
    `# yaml-language-server: $schema=${schemaUrl}`,
    '# A pushbench scenario. Every key may be left out; the values here are the defaults.',
    '# Explain it with "pushbench check", run it with "pushbench run".',
  ]
  return `${[...head, ...commentedYaml(values, schema.$defs.Scenario, '')].join('\n')}\n`
}

/** Keys with their values, each with its description from the schema; the groups apart. @param indent of every line */
export function commentedYaml(values: object, schema: SchemaNode, indent: string): string[] {
  const lines: string[] = []
  for (const [key, value] of Object.entries(values) as [string, unknown][]) {
    const node = schema.properties?.[key]
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
      if (indent === '') lines.push('')
      if (node?.description !== undefined) lines.push(`${indent}# ${node.description}`)
      lines.push(`${indent}${key}:`, ...commentedYaml(value, node ?? {}, `${indent}  `))
    } else {
      // A short comment stands behind its value, a long one above.
      const comment = node?.description
      const assignment = `${indent}${key}: ${written(value)}`
      if (lines.at(-1)?.startsWith(`${indent} `) === true) lines.push('')
      if (comment === undefined) lines.push(assignment)
      else if (assignment.length + comment.length <= 96) lines.push(`${assignment.padEnd(28)} # ${comment}`)
      else lines.push(`${indent}# ${comment}`, assignment)
    }
  }
  return lines
}

/** A list in one line, as YAML and JSON both have it. */
function written(value: unknown): string {
  if (Array.isArray(value)) return JSON.stringify(value)
  return typeof value === 'object' ? '{}' : String(value)
}
