/**
 * The content of a push as rows and machines hold it: small ones as octets, large ones by reference to a file that lies
 * beside the store and is named by rows alone. Knows sizes and names, neither files nor what reads them.
 */
import { bug } from '../kit/assert.js'

/** A content up to this size travels in memory and in its row; a larger one lies in a file. Octets. */
export const CONTENT_INLINE_MAX = 64 * 1024

/** Content in a file, whole and flushed before any row names it. It never changes. */
export interface ContentFile {
  /** The file's name within the store's content folder: letters and digits. */
  readonly id: string
  /** Octets. */
  readonly size: number
  /** SHA-1 of the whole, 40 hexadecimal digits in lower case (what RFC 5547 and RFC 4483 state of a content). */
  readonly sha1: string
}

export type Content = Buffer | ContentFile

export function isInline(content: Content): content is Buffer {
  return Buffer.isBuffer(content)
}

/** The octets of a content that goes within one SIP message; whoever chose that knew it to be small. */
export function inlineContent(content: Content): Buffer {
  return isInline(content) ? content : bug('a content in a file is not sent within a SIP message')
}

/** Octets. */
export function contentSize(content: Content): number {
  return isInline(content) ? content.length : content.size
}
