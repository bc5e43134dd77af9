// SPDX-License-Identifier: MPL-2.0
// The QR code in a picture someone sent. How large it would be is read in its first bytes: a small
// file may be an endless picture, and is refused before anything unpacks it.

export const PICTURE_BYTES_MAX = 30_000_000;
export const PICTURE_PIXELS_MAX = 50_000_000;
const SIDES_PX = [1000, 2000, 600]; // a code is looked for at these sizes, whatever the picture's

export interface Size { width: number; height: number }

const ascii = (bytes: Uint8Array, at: number, length: number) =>
  String.fromCharCode(...bytes.subarray(at, at + length));

function jpegSize(bytes: Uint8Array, view: DataView): Size | null {
  for (let at = 2; at + 9 <= bytes.length && bytes[at] === 0xff;) {
    const kind = bytes[at + 1];
    // Of the frames (SOF), all but DHT, JPG and DAC.
    if (kind >= 0xc0 && kind <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(kind)) {
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    }
    at += kind === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return null;
}

function webpSize(bytes: Uint8Array, view: DataView): Size | null {
  switch (ascii(bytes, 12, 4)) {
    case "VP8 ":
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return { width: (bits & 0x3fff) + 1, height: (bits >>> 14 & 0x3fff) + 1 };
    }
    case "VP8X":
      return { width: (view.getUint32(24, true) & 0xffffff) + 1,
        height: (view.getUint32(27, true) & 0xffffff) + 1 };
  }
  return null;
}

// null: no picture of a kind that is read here, or too short to be one.
export function pictureSize(bytes: Uint8Array): Size | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 32) return null;
  if (ascii(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") {
    return { width: view.getUint32(16), height: view.getUint32(20) };
  }
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return jpegSize(bytes, view);
  if (ascii(bytes, 0, 4) === "GIF8") {
    return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  }
  if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 4) === "WEBP") return webpSize(bytes, view);
  return null;
}

function pixels(picture: ImageBitmap, side: number): ImageData {
  const part = Math.min(side / Math.max(picture.width, picture.height), 1);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(Math.round(picture.width * part), 1);
  canvas.height = Math.max(Math.round(picture.height * part), 1);
  const drawn = canvas.getContext("2d", { willReadFrequently: true })!;
  drawn.fillStyle = "#fff"; // where the picture is transparent
  drawn.fillRect(0, 0, canvas.width, canvas.height);
  drawn.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return drawn.getImageData(0, 0, canvas.width, canvas.height);
}

export type Read = { text: string } | { refused: "large" | "damaged" | "empty" };

// What the code in this picture says.
export async function readPicture(file: File): Promise<Read> {
  if (file.size > PICTURE_BYTES_MAX) return { refused: "large" };
  const size = pictureSize(new Uint8Array(await file.arrayBuffer()));
  if (!size || size.width === 0 || size.height === 0) return { refused: "damaged" };
  if (size.width * size.height > PICTURE_PIXELS_MAX) return { refused: "large" };
  const { textIn } = await import("./qr.js") as typeof import("./qr");
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return { refused: "damaged" };
  try {
    for (const side of SIDES_PX) {
      const text = textIn(pixels(picture, side));
      if (text) return { text };
    }
    return { refused: "empty" };
  } finally {
    picture.close();
  }
}
