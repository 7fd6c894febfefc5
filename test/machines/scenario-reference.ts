/** docs/scenario-keys.md, printed from the schema: every key with what it takes, its default and what it is for. */
import { scenarioJsonSchema } from '../../loadgen/scenario-json-schema.js'

interface Node {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Node>>
  readonly allOf?: readonly Node[]
  readonly $ref?: string
}

/** What the named kinds of value look like in YAML. */
const KINDS: Readonly<Record<string, string>> = { Rate: 'rate', Duration: 'time', Share: 'share', Size: 'size', Int: 'number' }

export function scenarioReference(): string {
  const { $defs } = scenarioJsonSchema() as { readonly $defs: Readonly<Record<string, Node>> }
  const rows: string[] = []
  const walk = (node: Node, path: string): void => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const at = path === '' ? key : `${path}.${key}`
      const target = resolve(child, $defs)
      const description = child.description ?? target.description ?? ''
      if (target.properties !== undefined) {
        rows.push(`| **\`${at}\`** | | | ${cell(description)} |`)
        walk(target, at)
      } else rows.push(`| \`${at}\` | ${cell(kindOf(child, target))} | ${cell(defaultOf(child, target))} | ${cell(description)} |`)
    }
  }
  walk($defs['Scenario']!, '')
  return `# Every key of a scenario\n\nPrinted from the schema by a test. \`pushbench init\` writes a file with all of them; \`pushbench check\` explains one. A rate is written\n\`200/s\`, a time \`1500ms\`, \`30s\`, \`5m\` or \`24h\`, a share \`10%\`, a size \`300 B\` or \`1 KiB\`.\n\n| key | takes | default | |\n|---|---|---|---|\n${rows.join('\n')}\n`
}

function resolve(node: Node, definitions: Readonly<Record<string, Node>>): Node {
  const name = nameOf(node)
  return name === undefined ? node : definitions[name] ?? node
}

function nameOf({ $ref, allOf }: Node): string | undefined {
  return ($ref ?? allOf?.[0]?.$ref)?.replace('#/$defs/', '')
}

function kindOf(node: Node, target: Node): string {
  const name = nameOf(node)
  if (name !== undefined && KINDS[name] !== undefined) return KINDS[name]
  const choices = node.enum ?? target.enum
  if (choices !== undefined) return choices.map((choice) => `\`${String(choice)}\``).join(', ')
  return node.type ?? target.type ?? ''
}

function defaultOf(node: Node, target: Node): string {
  const value = node.default ?? target.default
  return value === undefined ? '' : `\`${typeof value === 'object' ? JSON.stringify(value) : String(value)}\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
