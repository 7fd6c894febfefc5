#!/usr/bin/env node
/** The command's entry: everything is in loadgen/live/cli. */
import { main } from './loadgen/live/cli.js'

process.exitCode = await main(process.argv)
