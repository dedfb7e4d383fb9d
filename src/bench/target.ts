/** Where a server is: a host and port, or a Unix socket. */

import { resolve } from 'node:path';

export const DEFAULT_PORT = 3485;

export type Target = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * The server that connection options mean. A Unix socket wins over a URI; without both it is the default port on this
 * machine. The URI may leave out `http://` and the port. A URI that is none, or https, is an Error.
 */
export function resolveTarget(uri: string | undefined, path: string | undefined): Target {
  if (path !== undefined && path !== '') return { path: resolve(path) };
  if (uri === undefined || uri === '') return { host: '127.0.0.1', port: DEFAULT_PORT };
  const text = uri.includes('://') ? uri : `http://${uri}`;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error(`'${uri}' is not a URI of a server; it looks like http://localhost:${DEFAULT_PORT}`);
  }
  if (url.protocol === 'https:') throw new Error('not supported yet: https');
  if (url.protocol !== 'http:') throw new Error(`'${uri}': only http:// is understood`);
  // The URL drops a port that is the scheme's own, so 80 has to be looked up in the text.
  const port = url.port !== '' ? Number(url.port) : /:80(?:\/|$)/.test(text) ? 80 : DEFAULT_PORT;
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

/** A target for messages: `localhost:3485`, or the path of the socket. */
export function describeTarget(target: Target): string {
  return 'path' in target ? target.path : `${target.host}:${target.port}`;
}
