/**
 * Everything that reaches outside of the process, as interfaces: production, tests and simulation run the same code with
 * other implementations of these.
 */

/** Time. */
export interface Clock {
  /** Wall clock: microseconds since 1970 in UTC; a safe integer. */
  nowMicroseconds(): number;
  /** Time that never goes back, in milliseconds from an origin that all threads of the process have in common. */
  monotonicMilliseconds(): number;
}

/** Randomness. */
export interface Random {
  /** 32 random bits as an int32. */
  int32(): number;
  fill(bytes: Uint8Array): void;
}

/** An open file, from 0. */
export type FileHandle = number;

/**
 * Files, as the log uses them: blocking calls. Every one throws an Error with a `code` (ENOSPC, EIO …) when it fails.
 * Reads and writes may be short.
 */
export interface Files {
  /** Opens for reading and writing; `create` makes an empty file where there is none. */
  open(path: string, create: boolean): FileHandle;
  openRead(path: string): FileHandle;
  close(handle: FileHandle): void;
  /** Returns the bytes written, which may be fewer. `bytes` must not be shared memory. */
  write(handle: FileHandle, bytes: Uint8Array, offset: number, byteCount: number, position: number): number;
  /** Returns the bytes read: 0 at the end. */
  read(handle: FileHandle, bytes: Uint8Array, offset: number, byteCount: number, position: number): number;
  size(handle: FileHandle): number;
  truncate(handle: FileHandle, byteCount: number): void;
  /** Makes data and size durable (fdatasync). */
  sync(handle: FileHandle): void;
  /** Makes creations, removals and renames in that directory durable. */
  syncDirectory(directory: string): void;
  /** Names in a directory, sorted; empty where there is no such directory. */
  list(directory: string): string[];
  makeDirectory(directory: string): void;
  remove(path: string): void;
  /** Removes an empty directory. */
  removeDirectory(directory: string): void;
  /** Gives a file or a directory another name, in one step. syncDirectory of its directory makes that durable. */
  rename(from: string, to: string): void;
}
