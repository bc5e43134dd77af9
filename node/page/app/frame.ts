// SPDX-License-Identifier: MPL-2.0
// What the node sends of a camera or a screen: read, judged before a decoder sees it, and put in
// order. Nothing here draws, and no clock is read.

export interface Picture {
  source: number; // as this page calls it
  stream: number; // numbers begin anew with another
  number: number;
  time_ms: number;
  age_ms: number; // not 0: it was kept for whoever comes late
  keyframe: boolean; // needs no earlier one
  still: boolean; // and what follows does not need it either
  data: Uint8Array; // VP8
}

const VERSION = 1;
const HEADER = 28;
const VP8 = 1;
const WEBP = 2;
const PIXELS_MAX = 1920 * 1080; // what a decoder would set aside memory for
const BOX = 20; // RIFF, length, WEBP, "VP8 ", length

const text = (bytes: Uint8Array, at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));

// RFC 6386 section 9.1: what it claims of itself.
function isVp8(data: Uint8Array, keyframe: boolean): boolean {
  if (data.length <= 3 || (data[0] & 1) === (keyframe ? 1 : 0)) return false;
  if (!keyframe) return true;
  if (data.length < 10 || data[3] !== 0x9d || data[4] !== 0x01 || data[5] !== 0x2a) return false;
  const width = (data[6] | data[7] << 8) & 0x3fff;
  const height = (data[8] | data[9] << 8) & 0x3fff;
  return width > 0 && height > 0 && width * height <= PIXELS_MAX;
}

// A WebP file with one lossy picture and nothing else is a keyframe of VP8 in a box: no other
// decoder of pictures is needed.
function unboxed(file: Uint8Array): Uint8Array | null {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (file.length <= BOX || text(file, 0) !== "RIFF" || text(file, 8) !== "WEBP" ||
    text(file, 12) !== "VP8 ") return null;
  const size = view.getUint32(16, true);
  if (view.getUint32(4, true) !== file.length - 8 || BOX + size + size % 2 !== file.length) {
    return null;
  }
  return file.subarray(BOX, BOX + size);
}

// null: it makes no sense.
export function readPicture(message: ArrayBuffer): Picture | null {
  if (message.byteLength <= HEADER) return null;
  const view = new DataView(message);
  const [codec, flags] = [view.getUint8(1), view.getUint8(2)];
  const at = (index: number) => view.getUint32(4 + 4 * index, true);
  const still = codec === WEBP;
  const keyframe = (flags & 1) === 1;
  if (view.getUint8(0) !== VERSION || (codec !== VP8 && !still) || (still && !keyframe) ||
    at(5) !== message.byteLength - HEADER) return null;
  const payload = new Uint8Array(message, HEADER);
  const data = still ? unboxed(payload) : payload;
  if (!data || !isVp8(data, keyframe)) return null;
  return { source: at(0), stream: at(1), number: at(2), time_ms: at(3), age_ms: at(4), keyframe,
    still, data };
}

// ---- order ----

const HOLD_MS = 1000; // the network gives a picture no longer: what is missing then never comes
const HELD_MAX = 64;

// Pictures come as the network brings them. What refers to one that never came would only smear.
export class Order {
  blind = true; // until a picture that needs no earlier one
  private stream = -1;
  private last = 0;
  private had = false;
  private held = new Map<number, Picture>();
  private since_ms = 0; // that the next one is missing

  // What is to be decoded now, in this order.
  put(picture: Picture, now_ms: number): Picture[] {
    if (picture.stream !== this.stream) this.begin(picture.stream);
    if (this.had && ((picture.number - this.last) | 0) <= 0) return []; // late, or twice
    if (picture.keyframe) {
      const first = this.next(picture);
      this.blind = picture.still || picture.age_ms > 0;
      this.forget();
      return this.blind ? first : [...first, ...this.follow(now_ms)];
    }
    if (this.blind) return [];
    this.held.set(picture.number, picture);
    const ready = this.follow(now_ms);
    if (this.held.size > HELD_MAX) this.lose();
    return ready;
  }

  // Whether it was waited in vain: from now on a keyframe is needed.
  late(now_ms: number): boolean {
    if (this.held.size === 0 || now_ms - this.since_ms < HOLD_MS) return false;
    this.lose();
    return true;
  }

  lose(): void {
    this.blind = true;
    this.held.clear();
  }

  private begin(stream: number): void {
    this.lose();
    this.stream = stream;
    this.had = false;
  }

  private next(picture: Picture): Picture[] {
    this.last = picture.number;
    this.had = true;
    return [picture];
  }

  // What a keyframe made needless.
  private forget(): void {
    for (const number of this.held.keys()) {
      if (((number - this.last) | 0) <= 0) this.held.delete(number);
    }
  }

  private follow(now_ms: number): Picture[] {
    const ready: Picture[] = [];
    for (;;) {
      const number = (this.last + 1) >>> 0;
      const picture = this.held.get(number);
      if (!picture) break;
      this.held.delete(number);
      ready.push(...this.next(picture));
    }
    if (ready.length > 0 || this.held.size === 1) this.since_ms = now_ms;
    return ready;
  }
}
