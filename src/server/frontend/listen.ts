/** Listening on the addresses of the settings. */

import type { Listener } from '../../engine/settings.ts';
import type { HttpServer } from '../http/server.ts';

/**
 * Makes a frontend listen on every address: ports together with the other frontends, Unix sockets only where
 * `takesPaths`. Gives the addresses as texts. Fails with the system's error.
 */
export async function listenOn(
  server: HttpServer,
  listeners: readonly Listener[],
  takesPaths: boolean,
): Promise<string[]> {
  const addresses: string[] = [];
  for (const { host, port, path, path_mode: pathMode } of listeners) {
    if (path !== undefined) {
      if (!takesPaths) continue;
      await server.listen({ path, ...(pathMode === undefined ? {} : { pathMode: Number.parseInt(pathMode, 8) }) });
      addresses.push(`unix:${path}`);
    } else if (port !== undefined) {
      await server.listen({ ...(host === undefined ? {} : { host }), port, reusePort: true });
      addresses.push(`http://${urlHost(host)}:${port}`);
    }
  }
  return addresses;
}

function urlHost(host: string | undefined): string {
  if (host === undefined || host === '*') return '0.0.0.0';
  return host.includes(':') ? `[${host}]` : host;
}
