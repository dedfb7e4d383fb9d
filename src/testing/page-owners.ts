/** Who holds the pages of a memory that were taken while it was watched, by the file that has asked for them. */

import type { Memory } from '../base/memory.ts';

export class PageOwners {
  private readonly owners: Map<number, string> = new Map();

  constructor(memory: Memory) {
    const { owners } = this;
    const allocate = memory.allocate.bind(memory);
    const free = memory.free.bind(memory);
    Object.assign(memory, {
      allocate: (pageCount: number): number => {
        const page = allocate(pageCount);
        owners.set(page, callerOf('/page-owners.ts'));
        return page;
      },
      free: (page: number, pageCount: number): void => {
        free(page, pageCount);
        owners.delete(page);
      },
    });
  }

  /** Pages that files with that in their paths hold. */
  count(part: string): number {
    let count = 0;
    for (const owner of this.owners.values()) if (owner.includes(part)) count++;
    return count;
  }
}

/** `file:///…/src/storage/heap.ts:213`, of the first frame outside of the memory and of the file that watches it. */
export function callerOf(watcher: string): string {
  const { stackTraceLimit, prepareStackTrace } = Error;
  Error.stackTraceLimit = 5;
  Error.prepareStackTrace = (_error, sites) => sites;
  const { stack } = new Error('caller') as unknown as { readonly stack: readonly NodeJS.CallSite[] };
  Object.assign(Error, { stackTraceLimit, prepareStackTrace });
  for (const site of stack) {
    const file = site.getFileName() ?? '';
    const isWatching = file.endsWith(watcher) || file.endsWith('/page-owners.ts') || file.endsWith('/memory.ts');
    if (!isWatching) return `${file}:${site.getLineNumber()}`;
  }
  return '';
}
