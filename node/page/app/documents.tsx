// SPDX-License-Identifier: MPL-2.0
// The documents of the meeting: what has come of each, and sending more.
import { useEffect, useRef, useState } from "preact/hooks";
import { upload, withKey } from "./link";
import type { Doc, State } from "./state";
import { Dialog, errorText, Failure, number, Said, sizeText, useAround } from "./ui";

// What the node shows in a frame is judged there, by the bytes; this only spares dead buttons.
const SHOWN = /\.(png|jpe?g|gif|webp|txt|md|csv|log)$/i;
const SHOWN_BYTES = 20_000_000;

interface Sending { number: number; name: string; part: number; failure: string }

function Row({ document, show }: { document: Doc; show(): void }) {
  const all = useAround();
  const { text, language } = all;
  const { have, size, name } = document;
  const whole = have === size;
  const part = size > 0 ? Math.floor((have / size) * 100) : 100;
  const state = whole ? "documents.whole" : have > 0 ? "documents.partial" : "documents.waiting";
  return (
    <li>
      <span class="named">
        <Said>{name}</Said>
        <span class="muted">
          {text(state, { size: sizeText(all, size), part: number(language, part, 0) })}</span>
      </span>
      {!whole && <progress max={size} value={have} aria-label={name} />}
      {whole && <span class="row">
        <a class="button" href={withKey(`documents/${document.id}`)} download={name}
          aria-label={`${text("documents.save")} ${name}`}>{text("documents.save")}</a>
        {SHOWN.test(name) && size <= SHOWN_BYTES && <button type="button" onClick={show}
          aria-label={`${text("documents.show")} ${name}`}>{text("documents.show")}</button>}
      </span>}
    </li>
  );
}

function useSending(): { sending: Sending[]; send(files: Iterable<File>): void; forget(n: number): void } {
  const all = useAround();
  const [sending, setSending] = useState<Sending[]>([]);
  const last = useRef(0);
  const change = (number: number, part: Partial<Sending>) =>
    setSending((list) => list.map((one) => one.number === number ? { ...one, ...part } : one));
  const forget = (number: number) =>
    setSending((list) => list.filter((one) => one.number !== number));
  const send = async (files: Iterable<File>) => {
    for (const file of files) {
      const number = ++last.current;
      setSending((list) => [...list, { number, name: file.name, part: 0, failure: "" }]);
      try {
        await upload(file, (part) => change(number, { part }));
        forget(number);
      } catch (error) {
        change(number, { failure: errorText(all, error) });
      }
    }
  };
  return { sending, send, forget };
}

// Files may be dropped anywhere on the page; never does the browser leave for one.
function useDrop(send: (files: Iterable<File>) => void): boolean {
  const [over, setOver] = useState(false);
  const latest = useRef(send);
  latest.current = send;
  useEffect(() => {
    const holds = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const drag = (event: DragEvent) => {
      if (!holds(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const drop = (event: DragEvent) => {
      if (!holds(event)) return;
      event.preventDefault();
      setOver(false);
      latest.current(event.dataTransfer!.files);
    };
    addEventListener("dragover", drag);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", drag);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);
  return over;
}

export function Documents({ state }: { state: State }) {
  const { text } = useAround();
  const [shown, setShown] = useState<Doc | null>(null);
  const { sending, send, forget } = useSending();
  const over = useDrop(send);
  const picker = useRef<HTMLInputElement>(null);
  return (
    <section class={`documents ${over ? "over" : ""}`} aria-labelledby="documents-title">
      <header>
        <h2 id="documents-title">{text("documents.title")}</h2>
        <button type="button" onClick={() => picker.current!.click()}>{text("documents.add")}</button>
        <input ref={picker} type="file" multiple hidden aria-label={text("documents.add")}
          onChange={({ currentTarget: at }) => {
            send([...at.files ?? []]);
            at.value = "";
          }} />
      </header>
      <p class="hint">{text(over ? "documents.dropNow" : "documents.drop")}</p>
      <ul class="scroll" tabIndex={0} aria-labelledby="documents-title">
        {sending.map((one) => (
          <li key={one.number}>
            {one.failure ? <Failure>{text("documents.failed", { name: one.name, reason: one.failure })}
              {" "}<button type="button" class="quiet" onClick={() => forget(one.number)}>
                {text("documents.close")}</button></Failure>
              : <><span>{text("documents.sending", { name: one.name })}</span>
                <progress max={1} value={one.part} aria-label={one.name} /></>}
          </li>
        ))}
        {[...state.documents].reverse().map((document) =>
          <Row key={document.id} document={document} show={() => setShown(document)} />)}
        {state.documents.length + sending.length === 0 &&
          <li class="hint">{text("documents.empty")}</li>}
      </ul>
      {shown && (
        <Dialog title={shown.name} close={() => setShown(null)} closeText={text("documents.close")}>
          <iframe sandbox="" src={withKey(`previews/${shown.id}`)} class="preview"
            title={text("documents.frame", { name: shown.name })} />
        </Dialog>
      )}
    </section>
  );
}
