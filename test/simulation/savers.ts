/**
 * The threads that write a checkpoint's files, as actors (engine/main/checkpoint-threads.ts without threads): each has memory
 * of its own, gets one job after another from main, and does a block of it a step, when the scheduler says.
 *
 *   IDLE ── main: a job ──▶ GIVEN ── step: opens its file ──▶ WRITING ── steps: blocks, footer, sync ──▶ IDLE, answer to main
 *   WRITING ── step failed, or the savers are cancelled ──▶ IDLE, answer to main: no more jobs are given
 */

import { SqlError } from '../../src/base/errors.ts';
import type { Memory } from '../../src/base/memory.ts';
import type { PartitionSavers } from '../../src/engine/main/checkpoint.ts';
import type { Control } from '../../src/executor/control.ts';
import type { CheckpointFile } from '../../src/log/checkpoint/catalog-file.ts';
import { PartitionSaver, type SaveJob, skipSave } from '../../src/log/checkpoint/save.ts';
import type { SimulatedFiles } from '../../src/testing/simulated-files.ts';
import type { Actor } from './actors.ts';

type Work = {
  readonly jobs: readonly SaveJob[];
  readonly onSaved: (file: CheckpointFile) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  begunCount: number;
  runningCount: number;
  error: unknown;
};

export type SaverOptions = {
  readonly files: SimulatedFiles;
  /** Main's. */
  readonly memory: Memory;
  readonly control: Control;
  /** Of each thread. */
  readonly memories: readonly Memory[];
  /** Brings something to main. */
  readonly tellMain: (event: () => void) => void;
};

export class SimulatedSavers implements PartitionSavers {
  readonly actors: readonly SaverActor[];
  private readonly options: SaverOptions;
  private work: Work | undefined;
  private isCancelled = false;

  constructor(options: SaverOptions) {
    this.options = options;
    this.actors = options.memories.map((memory, index) => new SaverActor(this, options.files, memory, index));
  }

  save(jobs: readonly SaveJob[], workerCount: number, onSaved: (file: CheckpointFile) => void): Promise<void> {
    if (jobs.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.work = { jobs, onSaved, resolve, reject, begunCount: 0, runningCount: 0, error: undefined };
      for (const actor of this.actors.slice(0, Math.min(workerCount, jobs.length))) this.give(this.work, actor);
    });
  }

  cancel(): void {
    this.isCancelled = true;
  }

  get isEnding(): boolean {
    return this.isCancelled || this.work?.error !== undefined;
  }

  /** A thread is done with its job. */
  answer(
    actor: SaverActor,
    job: SaveJob,
    result: { readonly file: CheckpointFile } | { readonly error: unknown },
  ): void {
    const work = this.work!;
    this.options.tellMain(() => {
      this.options.control.wakeNode(job.node);
      work.runningCount--;
      if ('file' in result) work.onSaved(result.file);
      else work.error ??= result.error;
      if (work.error === undefined && work.begunCount < work.jobs.length) this.give(work, actor);
      else if (work.runningCount === 0) this.end(work);
    });
  }

  private give(work: Work, actor: SaverActor): void {
    work.runningCount++;
    actor.job = work.jobs[work.begunCount++];
  }

  private end(work: Work): void {
    const { memory, control } = this.options;
    this.work = undefined;
    if (work.error === undefined) {
      work.resolve();
      return;
    }
    for (const job of work.jobs.slice(work.begunCount)) skipSave(memory, job);
    for (const { node } of work.jobs) control.wakeNode(node);
    work.reject(work.error);
  }
}

export class SaverActor implements Actor {
  readonly name: string;
  isBusy = false;
  job: SaveJob | undefined;
  private readonly savers: SimulatedSavers;
  private readonly files: SimulatedFiles;
  private readonly memory: Memory;
  private saver: PartitionSaver | undefined;

  constructor(savers: SimulatedSavers, files: SimulatedFiles, memory: Memory, index: number) {
    this.savers = savers;
    this.files = files;
    this.memory = memory;
    this.name = `saver ${index}`;
  }

  isRunnable(): boolean {
    return this.job !== undefined;
  }

  step(): void {
    const job = this.job!;
    try {
      if (this.saver === undefined) {
        this.saver = new PartitionSaver(this.files, this.memory, job);
        return;
      }
      if (this.saver.step()) {
        if (!this.savers.isEnding) return;
        this.saver.abandon();
        throw new SqlError('shutting_down', 'the checkpoint is cancelled');
      }
      const file = this.saver.result();
      this.done(job, { file });
    } catch (error) {
      this.done(job, { error });
    }
  }

  private done(job: SaveJob, result: { readonly file: CheckpointFile } | { readonly error: unknown }): void {
    this.saver = undefined;
    this.job = undefined;
    this.savers.answer(this, job, result);
  }
}
