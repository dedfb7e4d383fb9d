/** How both sides of the expressions section are timed. */

export type Runs = { readonly rowsPerSecond: number; readonly answer: readonly unknown[] };

/** Runs the query again and again for that many seconds, at least once; the answer is that of the last run. */
export async function runRepeatedly(
  seconds: number,
  rowCount: number,
  run: () => Promise<readonly unknown[]>,
): Promise<Runs> {
  const startMs = performance.now();
  let runCount = 0;
  let answer: readonly unknown[] = [];
  let elapsedMs = 0;
  do {
    answer = await run();
    runCount++;
    elapsedMs = performance.now() - startMs;
  } while (elapsedMs < seconds * 1000);
  return { rowsPerSecond: (rowCount * runCount * 1000) / elapsedMs, answer };
}
