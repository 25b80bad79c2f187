/** The names of guests, `<owner>/<item>/<epoch>`, as used in directories, shares and journal keys. */

/** The parts of a guest's name. */
export interface GuestName {
  readonly owner: string;
  readonly item: string;
  readonly epoch: number;
}

/** Names a guest: `<owner>/<item>/<epoch>`. */
export function guestName({ owner, item, epoch }: GuestName): string {
  return `${owner}/${item}/${epoch}`;
}

/** Journal key of a guest. */
export function guestKey(guest: GuestName): string {
  return `guest/${guestName(guest)}`;
}

/** Parses `<owner>/<item>/<epoch>`. */
export function splitGuest(guest: string): GuestName {
  const [owner = '', item = '', epoch = '0'] = guest.split('/');
  return { owner, item, epoch: Number(epoch) };
}
