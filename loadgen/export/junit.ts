/** A run as JUnit XML, which every CI system shows: its validity and each threshold as a test case. Knows a record and the format. */
import { thresholdText } from '../../reports/format.js'
import type { RunRecord } from '../../reports/record.js'

/** Validity comes first: a threshold of an invalid run is neither kept nor broken, but skipped. */
export function junitXml(record: RunRecord): string {
  const { verdict, thresholds = [] } = record
  const cases = [
    testCase('the run is valid', verdict.valid ? '' : failure('the run is invalid', verdict.reasons.join('\n'))),
    ...thresholds.map((threshold) => testCase(threshold.name, !verdict.valid ? '<skipped message="the run is invalid"/>' : threshold.passed ? '' : failure(thresholdText(threshold), thresholdText(threshold)))),
  ]
  const failures = verdict.valid ? thresholds.filter(({ passed }) => !passed).length : 1
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="${verdict.valid ? 0 : thresholds.length}"`
  const { durations } = record
  const time = `time="${(durations.warmUpSeconds + durations.loadSeconds + durations.drainSeconds).toFixed(3)}"`
  // JUnit's timestamp has no zone; a run's is UTC.
  const timestamp = `timestamp="${record.startedAt.slice(0, 19)}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>', `<testsuites name="pushbench" ${counts} ${time}>`, `  <testsuite name="${attribute(record.scenario)}" ${counts} ${time} ${timestamp}>`,
    '    <properties>', ...properties(record).map(([name, value]) => `      <property name="${name}" value="${attribute(value)}"/>`), '    </properties>',
    ...cases.map((each) => `    ${each}`), '  </testsuite>', '</testsuites>', '',
  ].join('\n')

  function testCase(name: string, inner: string): string {
    const head = `<testcase classname="pushbench.${attribute(record.scenario)}" name="${attribute(name)}" time="0"`
    return inner === '' ? `${head}/>` : `${head}>${inner}</testcase>`
  }
}

function properties({ seed, disclosure }: RunRecord): [string, string][] {
  return [['seed', String(seed)], ['commit', disclosure.commit], ['node', disclosure.node], ['cpu', disclosure.cpu], ['scenarioHash', disclosure.scenarioHash]]
}

function failure(message: string, text: string): string {
  return `<failure message="${attribute(message)}">${escaped(text)}</failure>`
}

/** XML 1.0 section 2.2: other control characters cannot be written at all. */
function escaped(text: string): string {
  return text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** XML 1.0 section 3.3.3: a line break in an attribute becomes a space unless it is written as a reference. */
function attribute(text: string): string {
  return escaped(text).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\r', '&#13;').replaceAll('\t', '&#9;')
}
