/** Completion data of a console: what can be called, and how. */

import { functionEntries } from './reference.ts';

export type FunctionCompletion = {
  readonly name: string;
  readonly signatures: readonly string[];
  /** The first sentence of the documentation. */
  readonly summary: string;
};

/** All functions by name; a name in several chapters of the reference is one completion. */
export function functionCompletions(): FunctionCompletion[] {
  const byName = Map.groupBy(functionEntries(), (entry) => entry.name);
  return [...byName]
    .map(([name, entries]) => ({
      name,
      signatures: entries.flatMap((entry) => entry.signatures),
      summary: firstSentence(entries[0].summaries[0]),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function firstSentence(text: string): string {
  const end = /[.:](?=\s|$)/.exec(text);
  return end === null ? text : `${text.slice(0, end.index)}.`;
}
