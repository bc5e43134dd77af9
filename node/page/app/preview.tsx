// SPDX-License-Identifier: MPL-2.0
// A document looked at without leaving the page. Pictures and plain text are shown by the browser,
// PDF by a script of ours, each in a frame of no origin that reaches nothing.
import { useEffect, useRef, useState } from "preact/hooks";
import { withKey } from "./link";
import type { Doc } from "./state";
import { Dialog, Failure, shownName, useAround } from "./ui";
import { PAGES_MAX, PART, ZOOMS, type FromViewer, type ToViewer } from "./viewing";

// What the node shows in a frame is judged there, by the bytes; this only spares dead buttons.
const PLAIN = /\.(png|jpe?g|gif|webp|txt|md|csv|log)$/i;
const PDF = /\.pdf$/i;
const PLAIN_BYTES = 20_000_000;
const PDF_BYTES = 60_000_000;
const SLOW_MS = 10_000; // then it is said that it takes long; it goes on

export const isShown = ({ name, size }: Doc) =>
  (PLAIN.test(name) && size <= PLAIN_BYTES) || (PDF.test(name) && size <= PDF_BYTES);

type Reason = "" | "damaged" | "locked" | "broken" | "lost"; // broken: one page of it

interface Paged { pages: number; page: number; zoom: number; shown: number }

interface Viewer {
  frame: { current: HTMLIFrameElement | null };
  paged: Paged;
  reason: Reason;
  slow: boolean;
  show(page: number, zoom: number): void;
}

const bytesOf = async (path: string): Promise<ArrayBuffer | null> => {
  const answer = await fetch(path).catch(() => null);
  return answer?.ok ? answer.arrayBuffer().catch(() => null) : null;
};

// The frame of a PDF: given the bytes and told what to show. What it says is a hint, and judged.
function useViewer(doc: Doc): Viewer {
  const { text, language } = useAround();
  const frame = useRef<HTMLIFrameElement>(null);
  const [paged, setPaged] = useState<Paged>({ pages: 0, page: 1, zoom: 1, shown: 0 });
  const [reason, setReason] = useState<Reason>("");
  const [slow, setSlow] = useState(false);
  const send = (said: ToViewer, ...given: ArrayBuffer[]) =>
    frame.current?.contentWindow?.postMessage(said, "*", given);
  const show = (page: number, zoom: number) => {
    if (!(page >= 1 && page <= paged.pages)) return;
    setPaged((before) => ({ ...before, page, zoom }));
    setReason("");
    send({ kind: "show", page, zoom });
  };
  const begin = async () => {
    const bytes = await bytesOf(withKey(`documents/${doc.id}`));
    if (!bytes) return setReason("lost");
    send({ kind: "open", bytes, language,
      label: text("documents.frame", { name: shownName(doc.name) }) }, bytes);
  };
  const give = async (name: string) => {
    const bytes = await bytesOf(`viewer/${name}`);
    send({ kind: "part", name, bytes }, ...bytes ? [bytes] : []);
  };
  const heard = (said: FromViewer) => {
    switch (said.kind) {
      case "ready":
        return void begin();
      case "opened": {
        const pages = Math.floor(Number(said.pages));
        if (!(pages >= 1 && pages <= PAGES_MAX)) return setReason("damaged");
        setPaged((before) => ({ ...before, pages }));
        return send({ kind: "show", page: 1, zoom: 1 });
      }
      case "shown":
        return setPaged((before) => ({ ...before, shown: Number(said.page) || 0 }));
      case "failed":
        return setReason(said.reason === "locked" ? "locked" : said.reason === "page" ? "broken"
          : "damaged");
      case "want":
        return void (PART.test(said.name) && give(said.name));
      case "key":
        return pressed(said.key);
    }
  };
  const pressed = (key: string) => {
    // As by a key of the page's own: the focus leaves the frame before the frame is taken away.
    if (key === "Escape") return frame.current?.closest("dialog")?.close();
    const { page, pages, zoom } = paged;
    const at = ZOOMS.indexOf(zoom);
    if (key === "PageDown" || key === "ArrowRight") show(page + 1, zoom);
    if (key === "PageUp" || key === "ArrowLeft") show(page - 1, zoom);
    if (key === "Home") show(1, zoom);
    if (key === "End") show(pages, zoom);
    if (key === "+" && at < ZOOMS.length - 1) show(page, ZOOMS[at + 1]);
    if (key === "-" && at > 0) show(page, ZOOMS[at - 1]);
  };
  const latest = useRef(heard);
  latest.current = heard;
  useEffect(() => {
    const hear = (event: MessageEvent) => {
      if (frame.current && event.source === frame.current.contentWindow) latest.current(event.data);
    };
    addEventListener("message", hear);
    const timer = setTimeout(() => setSlow(true), SLOW_MS);
    return () => {
      removeEventListener("message", hear);
      clearTimeout(timer);
    };
  }, []);
  return { frame, paged, reason, slow: slow && paged.shown === 0 && !reason, show };
}

function Pdf({ document: doc }: { document: Doc }) {
  const { text } = useAround();
  const { frame, paged: { pages, page, zoom, shown }, reason, slow, show } = useViewer(doc);
  const at = ZOOMS.indexOf(zoom);
  return (
    <>
      <div role="status">
        {pages === 0 && !reason && <p>{text(slow ? "preview.slow" : "preview.wait")}</p>}
        {pages > 0 && shown > 0 && <p class="unseen">{text("preview.at", { page: shown, pages })}</p>}
      </div>
      {reason && <Failure>{text(`preview.${reason}`)}</Failure>}
      {pages > 0 && (
        <div class="row pages" role="group" aria-label={text("preview.pages")}>
          <button type="button" aria-disabled={page <= 1} onClick={() => show(page - 1, zoom)}>
            {text("preview.previous")}</button>
          <label class="field">
            <span>{text("preview.page", { pages })}</span>
            <input type="number" min={1} max={pages} value={page}
              onChange={(event) => show(event.currentTarget.valueAsNumber, zoom)} />
          </label>
          <button type="button" aria-disabled={page >= pages} onClick={() => show(page + 1, zoom)}>
            {text("preview.next")}</button>
          <button type="button" aria-disabled={at <= 0} aria-label={text("preview.smaller")}
            onClick={() => at > 0 && show(page, ZOOMS[at - 1])}>−</button>
          <button type="button" aria-disabled={at >= ZOOMS.length - 1}
            aria-label={text("preview.larger")}
            onClick={() => at < ZOOMS.length - 1 && show(page, ZOOMS[at + 1])}>+</button>
        </div>
      )}
      {(reason === "" || reason === "broken") && (
        <iframe ref={frame} sandbox="allow-scripts" src="viewer.html" class="preview"
          aria-busy={shown === 0} title={text("documents.frame", { name: shownName(doc.name) })} />
      )}
    </>
  );
}

export function Preview({ document: doc, close }: { document: Doc; close(): void }) {
  const { text } = useAround();
  const title = shownName(doc.name);
  return (
    <Dialog title={title} close={close} closeText={text("documents.close")} wide>
      {PDF.test(doc.name) ? <Pdf document={doc} />
        : <iframe sandbox="" src={withKey(`previews/${doc.id}`)} class="preview"
            title={text("documents.frame", { name: title })} />}
      <p class="row">
        <a class="button" href={withKey(`documents/${doc.id}`)} download={doc.name}>
          {text("documents.save")}</a>
        <span class="hint">{text("preview.save")}</span>
      </p>
    </Dialog>
  );
}
