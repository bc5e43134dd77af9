// SPDX-License-Identifier: MPL-2.0
// Pictures as the node sends them: read, refused when they make no sense, and put in order.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { modules, need } from "./harness/browser.mjs";
import { end, step } from "./harness/tap.mjs";

need("esbuild");
const tree = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../../node/page");
const place = mkdtempSync(join(tmpdir(), "maillon-frame-"));
const outfile = join(place, "frame.mjs");
createRequire(join(modules, "x"))("esbuild").buildSync(
  { entryPoints: [join(tree, "app/frame.ts")], outfile, format: "esm", bundle: true });
const { Order, readPicture } = await import(pathToFileURL(outfile).href);

// A keyframe of VP8 as far as its header goes, and a picture that refers to another.
const key = (width = 640, height = 360) => [0x10, 2, 0, 0x9d, 1, 0x2a, width & 255, width >> 8,
  height & 255, height >> 8, 7];
const DELTA = [0x11, 2, 0, 9];
const u32 = (value) => [value & 255, value >>> 8 & 255, value >>> 16 & 255, value >>> 24];
const tag = (word) => [...word].map((letter) => letter.charCodeAt(0));
const box = (data) => {
  const padded = data.length % 2 ? [...data, 0] : data;
  return [...tag("RIFF"), ...u32(padded.length + 12), ...tag("WEBPVP8 "), ...u32(data.length),
    ...padded];
};
const bytes = (codec, flags, payload, { version = 1, length = payload.length, age = 0 } = {}) =>
  new Uint8Array([version, codec, flags, 0, ...u32(3), ...u32(4), ...u32(0xfffffffe), ...u32(6),
    ...u32(age), ...u32(length), ...payload]);
const read = (...words) => readPicture(bytes(...words).buffer);

await step("what the node sends is read", () => {
  const { data, ...picture } = read(1, 1, key(), { age: 9 });
  assert.deepEqual(picture, { source: 3, stream: 4, number: 0xfffffffe, time_ms: 6, age_ms: 9,
    keyframe: true, still: false });
  assert.deepEqual([...data], key());
  assert.equal(read(1, 0, DELTA).keyframe, false);
  const still = read(2, 1, box(key(320, 180)));
  assert.ok(still.still && still.keyframe);
  assert.deepEqual([...still.data], key(320, 180)); // a decoder of video shows it
});

const changed = (bytes, at, value) => bytes.map((byte, i) => (i === at ? value : byte));

await step("what makes no sense is nothing", () => {
  for (const senseless of [
    read(1, 1, key(), { version: 2 }), read(3, 1, key()), read(0, 1, key()), read(1, 1, DELTA),
    read(1, 0, key()), read(1, 1, key(), { length: 5 }), read(1, 1, key(0, 360)),
    read(1, 1, key(16383, 16383)), read(1, 1, changed(key(), 3, 0)), read(1, 1, key().slice(0, 9)),
    read(1, 0, [1]), read(2, 1, key()), read(2, 0, box(key())), read(2, 1, box(DELTA)),
    read(2, 1, changed(box(key()), 12, 0)), read(2, 1, [...box(key()), 0, 0]),
    read(2, 1, box(key()).slice(0, -2)), read(2, 1, changed(box(key()), 16, 255)),
    readPicture(new ArrayBuffer(0)), readPicture(new ArrayBuffer(28)),
  ]) assert.equal(senseless, null);
});

await step("bytes of any kind are no error", () => {
  let seed = 1;
  const random = () => (seed = Math.imul(seed, 1103515245) + 12345 >>> 0) >>> 16;
  const good = [bytes(1, 1, key()), bytes(2, 1, box(key())), bytes(1, 0, DELTA)];
  for (let count = 0; count < 20_000; count++) {
    const one = good[random() % good.length].slice(0, random() % 3 ? 80 : random() % 60);
    for (let flips = random() % 4; flips > 0 && one.length > 0; flips--) {
      one[random() % one.length] = random();
    }
    const picture = readPicture(one.slice().buffer);
    assert.ok(picture === null || picture.data.length > 3);
  }
});

const put = (order, number, what, now = 0, stream = 1) => order.put({ number, stream,
  keyframe: what !== "delta", still: what === "still", age_ms: what === "kept" ? 5 : 0 }, now)
  .map((picture) => picture.number);

await step("pictures come in order, each once, from a keyframe on", () => {
  const order = new Order();
  assert.deepEqual(put(order, 7, "delta"), []);
  assert.deepEqual(put(order, 8, "key"), [8]);
  assert.deepEqual(put(order, 9, "delta"), [9]);
  assert.deepEqual(put(order, 9, "delta"), []);
  assert.deepEqual(put(order, 11, "delta", 10), []);
  assert.deepEqual(put(order, 12, "delta", 20), []);
  assert.deepEqual(put(order, 10, "delta", 900), [10, 11, 12]);
  assert.equal(order.late(5000), false);
  assert.deepEqual(put(order, 1, "delta", 0, 2), []); // another stream
  assert.ok(order.blind);
  assert.deepEqual(put(order, 2, "key", 0, 2), [2]);
});

await step("numbers go on past the last", () => {
  const order = new Order();
  assert.deepEqual(put(order, 0xffffffff, "key"), [0xffffffff]);
  assert.deepEqual(put(order, 1, "delta"), []);
  assert.deepEqual(put(order, 0, "delta"), [0, 1]);
});

await step("what never comes is waited for a second, and then needs a keyframe", () => {
  const order = new Order();
  put(order, 1, "key");
  put(order, 3, "delta", 100);
  put(order, 4, "delta", 900);
  assert.equal(order.late(1000), false);
  assert.equal(order.late(1100), true);
  assert.ok(order.blind);
  assert.deepEqual(put(order, 2, "delta", 1200), []);
  assert.deepEqual(put(order, 5, "key", 1300), [5]);
  assert.ok(!order.blind);
});

await step("a keyframe need not wait, and makes what was before it needless", () => {
  const order = new Order();
  put(order, 1, "key");
  put(order, 3, "delta");
  put(order, 6, "delta");
  assert.deepEqual(put(order, 5, "key"), [5, 6]);
  assert.deepEqual(put(order, 3, "delta"), []);
});

await step("what follows a still, or what was kept, does not refer to it", () => {
  for (const what of ["still", "kept"]) {
    const order = new Order();
    assert.deepEqual(put(order, 1, what), [1]);
    assert.deepEqual(put(order, 2, "delta"), []);
    assert.ok(order.blind);
    assert.deepEqual(put(order, 3, "key"), [3]);
    assert.deepEqual(put(order, 4, "delta"), [4]);
  }
});

await step("what waits is bounded", () => {
  const order = new Order();
  put(order, 0, "key");
  for (let number = 2; number < 100_000 && !order.blind; number++) put(order, number, "delta");
  assert.ok(order.blind);
});

rmSync(place, { recursive: true });
end();
