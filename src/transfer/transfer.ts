/**
 * The port that moves files. The side that has them shares a directory with one peer, and the other side fetches it:
 * a manifest (path, size, mode, sha256) and one byte stream. A fetch verifies every hash before it reports success,
 * resumes where it was interrupted, and never writes outside its directory, whatever the manifest says.
 */
import type { Observable } from 'rxjs';
import type { Command } from '../protocol/item.js';
import type { Manifest } from '../protocol/manifest.js';

/** A directory ready to be shared. */
export interface Bundle {
  /** Absolute directory that the manifest's paths are relative to. */
  readonly root: string;
  readonly manifest: Manifest;
  /** sha256 of the manifest's bytes as they are served. */
  readonly sha256: string;
  readonly bytes: number;
  readonly count: number;
  /** Disk space it takes when written, holes left out, bytes. */
  readonly room?: number | undefined;
}

/** A bundle and the peer it is shared with. */
export interface Share {
  /** Names the share in the URL: `<owner>/<item>/<epoch>/in` or `…/out`. */
  readonly share: string;
  readonly bundle: Bundle;
  /** Public key of the one peer that may fetch it (43 characters of base64url). */
  readonly peerKey: string;
}

/** What to fetch, and where from. */
export interface FetchRequest {
  readonly share: string;
  /** `https://host:port`, in the order to try. */
  readonly urls: readonly string[];
  readonly sha256: string;
  /** Public key that the other side's certificate must carry (43 characters of base64url). */
  readonly peerKey: string;
  /** Absolute directory for the files; what an interrupted fetch left there is reused. */
  readonly directory: string;
  /** It is expected to be large: the connection for its bytes is opened while the manifest is fetched. */
  readonly isLarge?: boolean | undefined;
  /** Bytes so far and in total, at most twice a second. */
  readonly onProgress: (bytes: number, total: number) => void;
  /**
   * Called when no address took a connection, with a reason that names each address. The fetch then stays open for
   * some seconds, and for as long as its peer pushes; without this callback it fails after a few attempts.
   */
  readonly onUnreached?: ((reason: string) => void) | undefined;
}

/** A sealed bundle to open. */
export interface OpenRequest {
  readonly share: string;
  /** Base64, as received in the message. */
  readonly sealed: string;
  readonly sha256: string;
  /** Absolute directory for the files. */
  readonly directory: string;
}

/** Files and directories below a root. */
export type Contents = Pick<Manifest, 'files' | 'directories'>;

/** The result of a fetch. */
export interface Fetched {
  readonly command: Command | undefined;
  /** What is in the directory now, every hash verified. */
  readonly contents: Contents;
  readonly bytes: number;
  readonly count: number;
}

/** The result of a port's work: the value, or a reason as a sentence for people. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  /**
   * `final`: a retry cannot help (wrong hash, refused, too large). `lacksSpace`: the disk here is full or a quota
   * exhausted. `unreached`: no address of the peer took a connection.
   */
  | {
      readonly ok: false;
      readonly reason: string;
      readonly final: boolean;
      readonly lacksSpace?: boolean | undefined;
      readonly unreached?: boolean | undefined;
    };

/** Moves files between nodes. */
export interface Transfer {
  /** Its name in `info.transports` and in acks. */
  readonly name: 'https';
  /** Starts listening; `done` is called when {@link urls} is known. */
  start(done: (ended: Outcome<undefined>) => void): void;
  /** Where peers reach this node: `https://host:port`, best first. */
  urls(): readonly string[];
  /** Shares a bundle until {@link unshare}; sharing again under the same name replaces it. */
  share(share: Share): void;
  unshare(share: string): void;
  /** Fetches a share; returns a function that abandons the fetch (`done` is then not called). */
  fetch(order: FetchRequest, done: (ended: Outcome<Fetched>) => void): () => void;
  /** Pushes what is shared under this name to its peer, at `urls`; returns a function that abandons the push. */
  push(share: string, urls: readonly string[], done: (ended: Outcome<undefined>) => void): () => void;
  /** Connects to a peer and hangs up; the value is the URL that answered. */
  call(peerKey: string, urls: readonly string[], done: (ended: Outcome<string>) => void): void;
  /** This node's key that small bundles are sealed to, 43 characters of base64url. */
  readonly sealKey: string;
  /** Seals a bundle to a peer's seal key; the value is base64, or `undefined` when it is too large for a message. */
  seal(share: string, bundle: Bundle, sealKey: string, done: (ended: Outcome<string | undefined>) => void): void;
  /** Unseals a bundle; the result is the same as that of a fetch. */
  open(order: OpenRequest, done: (ended: Outcome<Fetched>) => void): void;
  close(done: () => void): void;
}

/** What must be kept in a state directory. */
export interface Needed {
  item(item: string): boolean;
  /** `<owner>/<item>/<epoch>`. */
  guest(name: string): boolean;
}

/** Something that was not needed: its path below the state directory, and the bytes it took on disk. */
export interface SweptPath {
  readonly path: string;
  readonly bytes: number;
}

/** What a sweep removed, or would remove. */
export interface Swept {
  readonly paths: readonly SweptPath[];
  readonly bytes: number;
  /** Directories of guests that were kept because a person was told to fetch files there. */
  readonly kept: number;
  /** What cannot be removed, and why. */
  readonly left: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * The directories of a node's items and guests. Items: what the owner staged, and what came home. Guests: where items
 * of other owners run, one directory for each epoch.
 */
export interface Workspace {
  /**
   * Copies inputs into the item's own directory, where later changes and deletions cannot affect them, and describes
   * them. Without inputs the bundle is empty. `command`, if given, goes into the manifest.
   */
  stage(
    item: string,
    inputs: readonly string[],
    command: Command | undefined,
    done: (ended: Outcome<Bundle>) => void,
  ): void;
  /** Describes again what was staged or carried, after a restart of the node: the inputs, or with `image` the image. */
  restage(item: string, command: Command | undefined, image: boolean, done: (ended: Outcome<Bundle>) => void): void;
  /**
   * Describes an image by the result of the fetch or {@link adoptGuest} that brought it: hashing gigabytes again
   * would keep its process stopped. Fails if a file is missing or of another size. The node that fetches it later
   * checks all bytes.
   */
  resealImage(
    item: string,
    contents: Contents,
    command: Command | undefined,
    done: (ended: Outcome<Bundle>) => void,
  ): void;
  /** Directory of a guest's epoch; it contains `work/`, `stdout` and `stderr`. */
  guestDirectory(owner: string, item: string, epoch: number): string;
  /**
   * The process of a guest's directory is about to be frozen: reads its image while it is written, so that less is
   * left to read for {@link collect}.
   */
  follow?(directory: string): void;
  /**
   * Describes what comes home from a guest: `stdout`, `stderr` and the files below `work/` that match the globs (as
   * `work/<path>`). With `everything` it includes all of `work/`, and `image/` and `carried/` of a stopped process.
   * The `held/` of a copy is always included. An empty stdout or stderr is left out, except next to an image.
   */
  collect(
    directory: string,
    globs: readonly string[],
    everything: boolean,
    done: (ended: Outcome<Bundle>) => void,
  ): void;
  /** Directory that an item's outputs of one epoch are fetched into. */
  homeDirectory(item: string, epoch: number): string;
  /**
   * Puts what came home into place: files below `work/` into `destination` (without one they stay in the item's
   * directory), stdout and stderr into the item's directory. Each file appears whole or not at all. An existing file
   * is replaced in a single step.
   */
  place(item: string, epoch: number, destination: string | undefined, done: (ended: Outcome<undefined>) => void): void;
  /**
   * Makes what came home of a stopped run the item's new staged input. With `image` all of it, including the streams,
   * becomes the item's image and replaces an earlier one.
   */
  carry(item: string, epoch: number, image: boolean, done: (ended: Outcome<undefined>) => void): void;
  /**
   * Brings a guest's files home without a transfer, when the owner was its own receiver. What {@link collect}
   * described last in that directory comes home as a fetch would have brought it, so collect comes first. It may be
   * called again, for example after a crash.
   */
  adoptGuest(owner: string, item: string, epoch: number, done: (ended: Outcome<Contents>) => void): void;
  /** Removes an item's image. */
  dropImage(item: string): void;
  /**
   * Keeps the files of a guest where they are, for a person to fetch: no {@link sweep} removes them. On failure that
   * holds only until the node stops.
   */
  keepGuest?(owner: string, item: string, epoch: number, done: (ended: Outcome<void>) => void): void;
  /** Removes what is not needed; with `dryRun` it only reports. */
  sweep?(needed: Needed, dryRun: boolean, done: (ended: Outcome<Swept>) => void): void;
  /** What could not be removed, each once. */
  readonly left$?: Observable<{ readonly path: string; readonly reason: string }> | undefined;
  /** Removes a guest's directory. */
  removeGuest(owner: string, item: string, epoch: number): void;
  /** Removes what was staged for an item and keeps what came home; with `all` it removes everything. */
  removeItem(item: string, all: boolean): void;
}
