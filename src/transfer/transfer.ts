/**
 * The port that moves files. The side that has them shares a directory with one peer; the other side fetches it. What
 * travels is a manifest (path, size, mode, sha256) and one byte stream. A fetch verifies every hash before it says it
 * is done, resumes where it was cut, and writes nothing outside its directory whatever the manifest says.
 */
import type { Observable } from 'rxjs';
import type { Command } from '../protocol/item.js';
import type { Manifest } from '../protocol/manifest.js';

/** A directory ready to be shared. */
export interface Bundle {
  /** Absolute directory that the manifest's paths are below. */
  readonly root: string;
  readonly manifest: Manifest;
  /** sha256 of the manifest's bytes as they are served. */
  readonly sha256: string;
  readonly bytes: number;
  readonly count: number;
  /** Bytes that it takes on a disk when it is written without its holes. */
  readonly room?: number | undefined;
}

/** What is shared, and with whom. */
export interface Share {
  /** Names the share in the URL: `<owner>/<item>/<epoch>/in` or `…/out`. */
  readonly share: string;
  readonly bundle: Bundle;
  /** Public key of the one peer that may fetch it (43 characters of base64url). */
  readonly peerKey: string;
}

/** What to fetch. */
export interface FetchRequest {
  readonly share: string;
  /** `https://host:port`, in the order to try. */
  readonly urls: readonly string[];
  readonly sha256: string;
  /** Public key that the other side's certificate must carry. */
  readonly peerKey: string;
  /** Absolute directory to put the files in; what an earlier, cut fetch left there is used again. */
  readonly directory: string;
  /** Bytes so far and in all, at most twice a second. */
  readonly onProgress: (bytes: number, total: number) => void;
  /**
   * No address took a connection, and why, each address named. The fetch stays open for some seconds, and as long as
   * its peer pushes; without this it fails after a few attempts.
   */
  readonly onUnreached?: ((reason: string) => void) | undefined;
}

/** What to take out of a seal. */
export interface OpenRequest {
  readonly share: string;
  /** Base64, as the message brought it. */
  readonly sealed: string;
  readonly sha256: string;
  /** Absolute directory to put the files in. */
  readonly directory: string;
}

/** Files and directories below a root. */
export type Contents = Pick<Manifest, 'files' | 'directories'>;

/** What a fetch brought. */
export interface Fetched {
  readonly command: Command | undefined;
  /** What is there now, each file's hash checked. */
  readonly contents: Contents;
  readonly bytes: number;
  readonly count: number;
}

/** How a port's work ended: the value, or a sentence for people. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  /**
   * `final` when trying again cannot help: wrong hash, refused, too large. `lacksRoom`: the disk here, or a share of
   * it, is full. `unreached`: no address of the peer took a connection.
   */
  | {
      readonly ok: false;
      readonly reason: string;
      readonly final: boolean;
      readonly lacksRoom?: boolean | undefined;
      readonly unreached?: boolean | undefined;
    };

/** Moves files between nodes. */
export interface Transfer {
  /** Its name in `info.transports` and in acks. */
  readonly name: 'https';
  /** Starts listening; `done` comes when {@link urls} is known. */
  start(done: (ended: Outcome<undefined>) => void): void;
  /** Where peers reach this node: `https://host:port`, best first. */
  urls(): readonly string[];
  /** Shares a bundle until {@link unshare}; sharing again under the same name replaces it. */
  share(share: Share): void;
  unshare(share: string): void;
  /** Fetches; gives a function that abandons it (then `done` is not called). */
  fetch(order: FetchRequest, done: (ended: Outcome<Fetched>) => void): () => void;
  /** Brings what is shared under this name to its peer, at `urls`; gives a function that abandons it. */
  push(share: string, urls: readonly string[], done: (ended: Outcome<undefined>) => void): () => void;
  /** Connects to a peer and hangs up; gives the address that answered. */
  call(peerKey: string, urls: readonly string[], done: (ended: Outcome<string>) => void): void;
  /** This node's own key that small bundles are sealed to, 43 characters of base64url. */
  readonly sealKey: string;
  /** Seals a bundle to a peer's seal key; `undefined` when it is too large for a message. */
  seal(share: string, bundle: Bundle, sealKey: string, done: (ended: Outcome<string | undefined>) => void): void;
  /** Takes a bundle out of its seal: what comes of it is what a fetch would have brought. */
  open(order: OpenRequest, done: (ended: Outcome<Fetched>) => void): void;
  close(done: () => void): void;
}

/** What must stay of a state directory. */
export interface Needed {
  item(item: string): boolean;
  /** `<owner>/<item>/<epoch>`. */
  guest(name: string): boolean;
}

/** Something that was not needed: where below the state directory, and the bytes that it took on the disk. */
export interface SweptPath {
  readonly path: string;
  readonly bytes: number;
}

/** What a sweep removed, or would. */
export interface Swept {
  readonly paths: readonly SweptPath[];
  readonly bytes: number;
  /** Directories of guests whose files a person was told to fetch there: they stay. */
  readonly kept: number;
  /** What cannot be removed, and why. */
  readonly left: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * The directories of a node's items and guests. Items: what the owner staged, and what came home. Guests: where an item
 * of another owner runs.
 */
export interface Workspace {
  /**
   * Copies inputs into the item's own directory, so that later changes and deletions do not matter, and describes them.
   * With no inputs the bundle is empty. `command` goes into the manifest when it is given.
   */
  stage(
    item: string,
    inputs: readonly string[],
    command: Command | undefined,
    done: (ended: Outcome<Bundle>) => void,
  ): void;
  /**
   * Describes again what was staged or carried (after a restart of the node): the inputs, or with `image` the image.
   */
  restage(item: string, command: Command | undefined, image: boolean, done: (ended: Outcome<Bundle>) => void): void;
  /**
   * Describes an image by what a fetch or {@link adoptGuest} just found out about it: hashing gigabytes once more would
   * keep its process stopped. Fails when a file is not there with its size. Whoever fetches it checks every byte.
   */
  resealImage(
    item: string,
    contents: Contents,
    command: Command | undefined,
    done: (ended: Outcome<Bundle>) => void,
  ): void;
  /** Directory of a guest's epoch: `work/`, `stdout`, `stderr` are below. */
  guestDirectory(owner: string, item: string, epoch: number): string;
  /**
   * Describes what comes home from a guest: `stdout` and `stderr` and the files below `work/` that match the globs (as
   * `work/<path>`), or with `everything` all of `work/`, and `image/` and `carried/` where a stopped process has them;
   * `held/` of a copy always. An empty stdout or stderr is left out, but not beside an image.
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
   * Puts what came home where it belongs: files below `work/` into `destination` (if given; else they stay in the
   * item's directory), stdout and stderr into the item's directory. Each file appears whole or not at all. An existing
   * file is replaced.
   */
  place(item: string, epoch: number, destination: string | undefined, done: (ended: Outcome<undefined>) => void): void;
  /**
   * Makes what came home of a stopped run the item's new staged input; with `image` all of it, streams too, becomes the
   * item's image, in place of an earlier one.
   */
  carry(item: string, epoch: number, image: boolean, done: (ended: Outcome<undefined>) => void): void;
  /**
   * Takes a guest's directory as home without a transfer: the owner was its own receiver. What {@link collect}
   * described last in that directory comes home as a fetch of that bundle would have brought it; so collect comes
   * first. It may be called again.
   */
  adoptGuest(owner: string, item: string, epoch: number, done: (ended: Outcome<Contents>) => void): void;
  /** Removes an item's image. */
  dropImage(item: string): void;
  /** The files of a guest stay where they are, for a person to fetch. */
  keepGuest?(owner: string, item: string, epoch: number): void;
  /** Removes what is not needed; with `dryRun` it only tells. */
  sweep?(needed: Needed, dryRun: boolean, done: (ended: Outcome<Swept>) => void): void;
  /** What could not be removed, each once. */
  readonly left$?: Observable<{ readonly path: string; readonly reason: string }> | undefined;
  /** Removes a guest's directory. */
  removeGuest(owner: string, item: string, epoch: number): void;
  /** Removes what was staged of an item, keeping what came home; with `all` everything. */
  removeItem(item: string, all: boolean): void;
}
