// SPDX-License-Identifier: MPL-2.0
// Loaded when a picture is looked at, and not before: it reads a QR code in pixels.
import decodeQR from "qr/decode.js";

// The text of the code in the picture; "" when there is none. Light on dark is read too.
export function textIn(picture: ImageData): string {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      return decodeQR(picture);
    } catch {
      const { data } = picture;
      for (let at = 0; at < data.length; at++) if (at % 4 !== 3) data[at] = 255 - data[at];
    }
  }
  return "";
}
