/** What a schedule is to do. */

import type { Fault, SimulatedFiles } from '../../src/testing/simulated-files.ts';
import type { Broken } from './machine.ts';
import type { Focus } from './workload.ts';

export type SimulationOptions = {
  readonly seed: number;
  /** Requests of one life of the database. */
  readonly requestCount: number;
  /** What requests are about, where it is not left to chance. */
  readonly focus?: Focus;
  /** What happens, where it is not left to chance: then there is one life before the last start. */
  readonly plan?: Plan;
  /** For canaries. */
  readonly broken?: Broken;
  readonly breakFault?: (name: string, path: string, operation: number) => Fault | undefined;
  /** Changes the disk before a start. */
  readonly breakDisk?: (files: SimulatedFiles) => void;
};

export type Plan = {
  readonly nodeCount: number;
  readonly syncOnWrite: boolean;
  readonly rotateBytes: number;
  readonly end: End;
  /** The operation of the disk, counted from the first request on, at which the life ends; undefined: behind the last. */
  readonly endOperation?: number;
  /** Decides what a power loss keeps of what was not synced. */
  readonly endSeed?: number;
  /** The operation that fails, and how; behind a 'short' one the next one fails. */
  readonly faultOperation?: number;
  readonly fault?: PlannedFault;
  /** So many power losses are tried at each operation, beside the life. */
  readonly lossesEach?: number;
};

/** 'delayed': the operation takes so long that the others have all done what they can do. */
export type PlannedFault = Fault | 'delayed';

/** How a life ends: the server is stopped, its process killed, or the power goes. */
export type End = 'clean' | 'kill' | 'power';
