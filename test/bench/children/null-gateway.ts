/** A gateway that takes every submission at once and does nothing with it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from './serve.js'

const ANSWER = '<?xml version="1.0"?><pap><push-response push-id="x"><response-result code="1001" desc="Accepted for Processing"/></push-response></pap>'
const HEADERS = ['Content-Type', 'application/xml', 'Content-Length', String(ANSWER.length)]

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume()
  request.on('end', () => {
    response.writeHead(202, HEADERS)
    response.end(ANSWER)
  })
})

serve({ open: () => new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))) })
