// SPDX-License-Identifier: MPL-2.0
// What the page and the frame that shows a PDF say to each other. The frame is of no origin and
// reaches nothing: all it knows is said here, and what it says is a hint, never markup.

export type ToViewer =
  | { kind: "open"; bytes: ArrayBuffer; label: string; language: string }
  | { kind: "show"; page: number; zoom: number }
  | { kind: "part"; name: string; bytes: ArrayBuffer | null }; // of a decoder it wanted

export type FromViewer =
  | { kind: "ready" }
  | { kind: "opened"; pages: number }
  | { kind: "shown"; page: number }
  | { kind: "failed"; reason: "damaged" | "locked" | "page" }
  | { kind: "want"; name: string }
  | { kind: "key"; key: string };

export const PAGES_MAX = 100_000;
export const ZOOMS = [0.5, 0.75, 1, 1.5, 2, 3, 4]; // times the width of the frame
// What few documents need: decoders of scanned pages, fonts where none is inside. The names are
// those of pdf.js, which asks for more than there is, and does without.
export const PART = /^(jbig2\.wasm|openjpeg\.wasm|(LiberationSans|Foxit)[A-Za-z-]+\.(ttf|pfb))$/;
