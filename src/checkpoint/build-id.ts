/**
 * Reads the build id of an ELF file: the note that CRIU compares to decide whether a program or library is the same
 * build. Reads only the headers and the notes, never the whole file. Like criu, it considers only notes in segments,
 * not those in sections.
 */
import { closeSync, openSync, readSync } from 'node:fs';

const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;
/** Maximum number of program headers that are read, 56 bytes each; no linker writes as many. */
const HEADERS_MAX = 256;
const NOTES_BYTES_MAX = 64 * 1024;

/**
 * Returns the build id in lowercase hex, or `null` when the file is not an ELF file, has no build id or cannot be
 * read.
 */
export function readBuildId(path: string): string | null {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    return findBuildId((offset, length) => readBytes(handle, offset, length));
  } catch {
    // Corrupt headers: their offsets and lengths can be anything.
    return null;
  } finally {
    closeSync(handle);
  }
}

type Read = (offset: number, length: number) => DataView;

function findBuildId(read: Read): string | null {
  const header = read(0, 64);
  if (header.byteLength < 64 || header.getUint32(0) !== 0x7f454c46) return null;
  const is64 = header.getUint8(4) === 2;
  const little = header.getUint8(5) === 1;
  const [table, entry, count] = is64
    ? [Number(header.getBigUint64(32, little)), header.getUint16(54, little), header.getUint16(56, little)]
    : [header.getUint32(28, little), header.getUint16(42, little), header.getUint16(44, little)];
  const headers = read(table, entry * Math.min(count, HEADERS_MAX));
  for (let at = 0; at + entry <= headers.byteLength; at += entry) {
    if (headers.getUint32(at, little) !== PT_NOTE) continue;
    const [offset, length] = is64
      ? [Number(headers.getBigUint64(at + 8, little)), Number(headers.getBigUint64(at + 32, little))]
      : [headers.getUint32(at + 4, little), headers.getUint32(at + 16, little)];
    const found = findNote(read(offset, Math.min(length, NOTES_BYTES_MAX)), little);
    if (found !== null) return found;
  }
  return null;
}

/** A note consists of name length, content length, type, name and content; the last two are padded to four bytes. */
function findNote(notes: DataView, little: boolean): string | null {
  let at = 0;
  while (at + 12 <= notes.byteLength) {
    const nameLength = notes.getUint32(at, little);
    const length = notes.getUint32(at + 4, little);
    const type = notes.getUint32(at + 8, little);
    const content = at + 12 + pad(nameLength);
    if (type === NT_GNU_BUILD_ID && nameLength === 4 && notes.getUint32(at + 12) === 0x474e5500) {
      return Buffer.from(notes.buffer, notes.byteOffset + content, length).toString('hex');
    }
    at = content + pad(length);
  }
  return null;
}

function pad(length: number): number {
  return Math.ceil(length / 4) * 4;
}

function readBytes(handle: number, offset: number, length: number): DataView {
  const bytes = Buffer.alloc(length);
  const count = readSync(handle, bytes, 0, length, offset);
  return new DataView(bytes.buffer, bytes.byteOffset, count);
}
