/**
 * Every bound of the protocol, each with its unit in its name. Bounds are checked where bytes come in, so everything
 * past the codec is known to be small.
 */

/** Version of the messages; a message with a higher major number is ignored and counted. */
export const PROTOCOL_VERSION = 1;

/**
 * Longest MQTT payload that a node reads or writes. Mosquitto 2.1 stops at 2 MB, EMQX at 1 MB, small clients far below.
 */
export const MESSAGE_BYTES_MAX: number = 64 * 1024;
/** Longest topic, base included. MQTT allows 65,535 bytes, which no tool displays. */
export const TOPIC_BYTES_MAX = 512;
/** Longest base topic, in characters, and how many levels it may have. */
export const BASE_CHARS_MAX = 200;
export const BASE_LEVELS_MAX = 8;

/** Members in the member table of one node; more are ignored and counted. */
export const MEMBERS_MAX = 4096;
/** Heavy processes that `scum` lists, highest score first. */
export const SCUM_ITEMS_MAX = 10;
/** Receivers named in `mesh/state`: the seed's three. */
export const RECEIVERS_SHOWN_MAX = 3;
/** How many members a status lists with the reason why they do not take the item. */
export const BLOCKED_SHOWN_MAX = 16;
/** Bytes of items in one answer to `items`; the rest is requested page by page. */
export const ITEMS_PAGE_BYTES_MAX: number = 40 * 1024;
/** Phases that a status keeps in its history, newest last. */
export const HISTORY_MAX = 24;
/** Open offers of other nodes that a node remembers. */
export const OFFERS_REMEMBERED_MAX = 2048;

/** Arguments of one command, and the bytes of all of them with the environment. */
export const ARGV_MAX = 4096;
export const COMMAND_BYTES_MAX: number = 32 * 1024;
/** A command up to this many bytes travels in the ack; a longer one is fetched with the manifest. */
export const COMMAND_INLINE_BYTES_MAX: number = 4 * 1024;
/** Globs and input paths of one item. */
export const PATHS_MAX = 1024;
/** Longest text of one log message, in bytes, and log bytes per second and item; anything beyond stays in the file. */
export const LOG_TEXT_BYTES_MAX: number = 8 * 1024;
export const LOG_BYTES_PER_S_MAX: number = 64 * 1024;
/** How deep JSON may be nested; the messages themselves need six levels. */
export const DEPTH_MAX = 64;
/** Longest field name in a refusal, in characters. */
export const FIELD_CHARS_MAX = 200;
/** How old a signed request may be, and how far the clock of its writer may be ahead, in milliseconds. */
export const REQUEST_AGE_MS_MAX: number = 5 * 60 * 1000;
/** Longest sentence for people (a reason, an error), in characters. */
export const REASON_CHARS_MAX = 500;

/** Files of one transfer, characters of one path in it, and bytes of its manifest. */
export const MANIFEST_FILES_MAX = 100_000;
export const MANIFEST_PATH_CHARS_MAX = 1024;
export const MANIFEST_BYTES_MAX: number = 32 * 1024 * 1024;

/**
 * Bytes of the outputs that may travel sealed inside a result, without and with their manifest. Base64 makes them a
 * third longer, and the rest of the message must still fit.
 */
export const SEALED_OUTPUTS_BYTES_MAX: number = 32 * 1024;
export const SEALED_BUNDLE_BYTES_MAX: number = 38 * 1024;

/** Most addresses that one `call` may name. */
export const CALL_URLS_MAX = 16;

/** Highest epoch, renewal and sequence number: JSON numbers stay exact up to here. */
export const COUNTER_MAX: number = Number.MAX_SAFE_INTEGER;
/** Most cpus that an item may ask for and a node may have. */
export const CPUS_MAX = 4096;
/** Longest lease, in milliseconds: one day. */
export const LEASE_MS_MAX: number = 24 * 60 * 60 * 1000;
/** Most times that an item may be started before it is given up. */
export const ATTEMPTS_MAX = 100;
/** How often a running item is moved on without a person asking for it. */
export const HOPS_MAX = 2;
/** Retained statuses that one owner keeps on the bus; aedes scans all retained topics for every subscription. */
export const STATUSES_RETAINED_MAX = 100;
