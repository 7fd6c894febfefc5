/** The JSON Schema of scenario files, for editors: made from the schema, with each key's default as it would be written. */
import { JSONSchema, Schema } from 'effect'
import { Scenario, encodeScenario } from './scenario.js'

type JsonObject = Record<string, unknown>

export function scenarioJsonSchema(): JsonObject {
  const root = JSONSchema.make(Scenario) as unknown as JsonObject
  const definitions = (root['$defs'] ?? {}) as JsonObject
  // Each key's own default: a row that a traffic set does not name has no share.
  const defaults = encodeScenario(Schema.decodeSync(Scenario)({ traffic: {} }))
  fillDefaults(resolve(root, definitions), defaults as JsonObject, definitions)
  return root
}

function fillDefaults(schema: JsonObject, written: JsonObject, definitions: JsonObject): void {
  const properties = (schema['properties'] ?? {}) as Record<string, JsonObject>
  for (const [name, property] of Object.entries(properties)) {
    const value = written[name]
    if (value === undefined) continue
    const target = resolve(property, definitions)
    if (isObject(value) && target['properties'] !== undefined) fillDefaults(target, value, definitions)
    else if (property['$ref'] === undefined) property['default'] = value
    // Draft 7 lets nothing stand beside a $ref.
    else properties[name] = { allOf: [{ $ref: property['$ref'] }], description: property['description'], default: value }
  }
}

function resolve(schema: JsonObject, definitions: JsonObject): JsonObject {
  const reference = schema['$ref'] ?? (schema['allOf'] as JsonObject[] | undefined)?.[0]?.['$ref']
  return typeof reference === 'string' ? (definitions[reference.replace('#/$defs/', '')] as JsonObject) : schema
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null
}
