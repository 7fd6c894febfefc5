/**
 * One process per folder: a listening socket whose name is made of the folder's device and inode. The system takes it
 * back when the process dies, however it dies, so there is no stale lock to clean up where such names exist
 * (Linux abstract sockets, Windows pipes); elsewhere a socket file that nobody answers on is replaced.
 */
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface FolderLock {
  release(): Promise<void>
}

/** Creates the folder where it is missing and takes it; rejects with a message for people when another holder has it. */
export async function lockFolder(folder: string): Promise<FolderLock> {
  mkdirSync(folder, { recursive: true })
  const { dev, ino } = statSync(folder)
  const name = `pushbench-store-${dev}-${ino}`
  const path = process.platform === 'linux' ? `\0${name}` : process.platform === 'win32' ? `\\\\?\\pipe\\${name}` : join(tmpdir(), name)
  const isFile = !path.startsWith('\0') && !path.startsWith('\\\\')
  if (isFile && !(await isAnswered(path))) rmSync(path, { force: true })
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE'
        ? new Error(`the store in ${folder} is in use by another gateway; stop it or choose another folder`)
        : new Error(`the store in ${folder} cannot be locked: ${error.message}`))
    })
    server.listen(path, () => {
      server.unref()
      resolve({ release: () => new Promise((released) => { server.close(() => released()) }) })
    })
  })
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
