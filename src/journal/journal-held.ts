/** Another process holds the journal: two nodes were started on one state directory. */
export class JournalHeld extends Error {
  override readonly name = 'JournalHeld';
  /** The journal's directory. */
  readonly directory: string;

  constructor(directory: string, options?: ErrorOptions) {
    super(`the journal in ${directory} is in use by another process`, options);
    this.directory = directory;
  }
}
