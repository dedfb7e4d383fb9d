/**
 * Where the file of a worker thread is.
 *
 * In the repository Node runs the `.ts` sources; in the published package it runs the `.js` files that tsc made, because
 * Node takes no `.ts` below node_modules. tsc rewrites imports but not `new URL('./entry.ts')`, so worker files are named
 * without extension, and get the extension of this file.
 *
 * The compile cache needs nothing here: the launcher sets NODE_COMPILE_CACHE, which every thread takes over.
 */

const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

/**
 * The URL for `new Worker(url)`.
 *
 * @param base import.meta.url of the caller
 * @param entry path relative to the caller, without extension: `./backend-entry`
 */
export function workerEntry(base: string, entry: string): URL {
  return new URL(entry + EXTENSION, base);
}
