/** Indexes agree with tables: the same question, once by the index and once by a scan, has the same answer. */

import assert from 'node:assert/strict';

/** Runs SQL; the text of its result. */
export type Ask = (sql: string) => Promise<string>;

type Question = {
  readonly index: string;
  readonly table: string;
  /** What is asked for each value of it. */
  readonly key: string;
  readonly byIndex: string;
  readonly byScan: string;
  readonly aggregates: string;
};

/** `clientCount`, `tagCount`: hash indexes are asked for each value. `isByAccount`: there is an index of account (v). */
export async function checkIndexes(
  ask: Ask,
  clientCount: number,
  tagCount: number,
  isByAccount: boolean,
): Promise<void> {
  const marks = 'count(*), sum(client * 10 + part), sum(tag), sum(length(filler))';
  const questions: Question[] = [
    { index: 'marks_n', table: 'marks', key: 'n', byIndex: 'n >= 0', byScan: 'n + 0 >= 0', aggregates: marks },
    ...Array.from({ length: tagCount }, (_, tag) => ({
      index: 'marks_tag',
      table: 'marks',
      key: 'n',
      byIndex: `tag = ${tag}`,
      byScan: `tag + 0 = ${tag}`,
      aggregates: marks,
    })),
    ...Array.from({ length: clientCount }, (_, client) =>
      [
        { table: 'marks', aggregates: marks, key: 'n' },
        { table: 'latest', aggregates: 'count(*), sum(n)', key: 'n' },
      ].map((question) => ({
        ...question,
        index: 'primary',
        byIndex: `client = ${client}`,
        byScan: `client + 0 = ${client}`,
      })),
    ).flat(),
    {
      index: 'numbered_label',
      table: 'numbered',
      key: 'client',
      byIndex: "label >= ''",
      byScan: "label || '' >= ''",
      aggregates: 'count(*), sum(n), sum(id)',
    },
    {
      index: 'primary',
      table: 'numbered',
      key: 'client',
      byIndex: 'id >= 0',
      byScan: 'id + 0 >= 0',
      aggregates: 'count(*), sum(n), sum(id)',
    },
  ];
  if (isByAccount) {
    questions.push({
      index: 'account_v',
      table: 'account',
      key: 'v',
      byIndex: 'v >= 0',
      byScan: 'v + 0 >= 0',
      aggregates: 'count(*), sum(id)',
    });
  }
  for (const { index, table, key, byIndex, byScan, aggregates } of questions) {
    const asking = (condition: string): string =>
      `select ${key}, ${aggregates} from ${table} where ${condition} group by ${key} order by ${key}`;
    assert.match(await ask(`explain ${asking(byIndex)}`), new RegExp(`"index": "${index}"`));
    assert.match(await ask(`explain ${asking(byScan)}`), /"node": "scan"/);
    assert.equal(await ask(asking(byIndex)), await ask(asking(byScan)), `index ${index} of ${table}, ${byIndex}`);
  }
}
