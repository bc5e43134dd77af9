// SPDX-License-Identifier: MPL-2.0
// Runs in the frame that shows a PDF: of no origin, without network, without eval. It draws one page
// at a time with pdf.js, whose parser runs in a worker of this frame, and puts the words above it.
import { AnnotationMode, getDocument, GlobalWorkerOptions, PDFWorker, TextLayer, type PDFDocumentProxy,
  type RenderTask } from "pdfjs-dist/legacy/build/pdf.mjs";
import { PART, type FromViewer, type ToViewer } from "./viewing";

const PIXELS_MAX = 16_000_000; // of a page drawn, whatever it says its size is
const IMAGE_PIXELS_MAX = 100_000_000; // of a picture inside
const SIDE_MIN = 1; // points: a page that has none is drawn as nothing
const GAP_PX = 16;

const place = document.querySelector("main")!;
const tell = (said: FromViewer) => parent.postMessage(said, "*");

let file: PDFDocumentProxy | null = null;
let drawing: RenderTask | null = null;
let wanted = 0; // the newest that is to be shown
let shown = { page: 1, zoom: 1 };
const parts = new Map<string, (bytes: ArrayBuffer | null) => void>();

// pdf.js asks here for what it has not in itself; most of it is not there, and it does without.
class Parts {
  fetch({ filename }: { filename: string }): Promise<Uint8Array> {
    if (!PART.test(filename)) return Promise.reject(new Error(`no ${filename}`));
    tell({ kind: "want", name: filename });
    return new Promise((done, failed) => parts.set(filename, (bytes) =>
      bytes ? done(new Uint8Array(bytes)) : failed(new Error(`no ${filename}`))));
  }
}

function worker(): PDFWorker {
  const code = document.getElementById("worker")!.textContent!;
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  GlobalWorkerOptions.workerSrc = address;
  return PDFWorker.create({ port: new Worker(address) });
}

async function open(bytes: ArrayBuffer): Promise<void> {
  const task = getDocument({ data: bytes, worker: worker(), BinaryDataFactory: Parts,
    useWorkerFetch: false, wasmUrl: "viewer/", standardFontDataUrl: "viewer/", useSystemFonts: false,
    enableXfa: false, stopAtErrors: false, maxImageSize: IMAGE_PIXELS_MAX,
    disableAutoFetch: true, disableStream: true, verbosity: 0 });
  file = await task.promise;
  tell({ kind: "opened", pages: file.numPages });
}

async function show(number: number, zoom: number): Promise<void> {
  const turn = ++wanted;
  drawing?.cancel();
  shown = { page: number, zoom };
  const page = await file!.getPage(number);
  if (turn !== wanted) return;
  const size = page.getViewport({ scale: 1 });
  const width = Math.max(place.clientWidth - GAP_PX, SIDE_MIN);
  const scale = width / Math.max(size.width, SIDE_MIN) * zoom;
  const viewport = page.getViewport({ scale });
  const sharp = Math.min(devicePixelRatio,
    Math.sqrt(PIXELS_MAX / Math.max(viewport.width * viewport.height, 1)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(Math.floor(viewport.width * sharp), 1);
  canvas.height = Math.max(Math.floor(viewport.height * sharp), 1);
  canvas.style.width = `${viewport.width}px`;
  canvas.style.height = `${viewport.height}px`;
  const words = document.createElement("div");
  words.className = "words";
  words.style.setProperty("--total-scale-factor", String(scale));
  drawing = page.render({ canvas, viewport, annotationMode: AnnotationMode.ENABLE,
    transform: sharp === 1 ? undefined : [sharp, 0, 0, sharp, 0, 0] });
  await drawing.promise;
  const text = new TextLayer({ textContentSource: page.streamTextContent(), container: words, viewport });
  await text.render();
  if (turn !== wanted) return;
  const sheet = document.createElement("div");
  sheet.className = "sheet";
  sheet.append(canvas, words);
  place.replaceChildren(sheet);
  place.scrollTop = 0;
  tell({ kind: "shown", page: number });
}

// A password is not asked for: it would be typed into what others made.
const failed = (reason: "damaged" | "page") => (error: Error) => {
  if (error.name === "PasswordException") tell({ kind: "failed", reason: "locked" });
  else if (error.name !== "RenderingCancelledException") tell({ kind: "failed", reason });
};

addEventListener("message", ({ source, data }: MessageEvent<ToViewer>) => {
  if (source !== parent) return;
  if (data.kind === "open") {
    document.documentElement.lang = data.language;
    place.setAttribute("aria-label", data.label);
    open(data.bytes).catch(failed("damaged"));
  } else if (data.kind === "show") {
    show(data.page, data.zoom).catch(failed("page"));
  } else if (data.kind === "part") {
    parts.get(data.name)?.(data.bytes);
    parts.delete(data.name);
  }
});
// The key that ends this frame is told when it is let go of, and all is done with it: a frame that is
// taken away under a key leaves the browser waiting for what comes of it.
let leaves = false;
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  leaves = event.key === "Escape";
  if (!leaves) tell({ kind: "key", key: event.key });
});
addEventListener("keyup", (event) => {
  if (!leaves || event.key !== "Escape") return;
  leaves = false;
  setTimeout(() => tell({ kind: "key", key: "Escape" }), 0);
});
let resized = 0;
addEventListener("resize", () => {
  clearTimeout(resized);
  if (file) resized = window.setTimeout(() => show(shown.page, shown.zoom).catch(failed("page")), 200);
});
tell({ kind: "ready" });
