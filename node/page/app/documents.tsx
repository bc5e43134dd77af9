// SPDX-License-Identifier: MPL-2.0
// The documents of the meeting: what has come of each, and sending more.
import { useRef, useState } from "preact/hooks";
import { useDrop } from "./drop";
import { Refused, upload, withKey } from "./link";
import { isShown } from "./preview";
import type { Doc, State } from "./state";
import { errorText, Failure, number, Said, shownName, sizeText, useAround } from "./ui";

interface Sending {
  number: number; name: string; part: number; state: "waits" | "sent"; failure: string;
}

function Row({ document, show }: { document: Doc; show(): void }) {
  const all = useAround();
  const { text, language } = all;
  const { have, size, name } = document;
  const shown = shownName(name);
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
      {!whole && <progress max={size} value={have} aria-label={shown} />}
      {whole && <span class="row">
        <a class="button" href={withKey(`documents/${document.id}`)} download={name}
          aria-label={`${text("documents.save")} ${shown}`}>{text("documents.save")}</a>
        {isShown(document) && <button type="button" onClick={show}
          aria-label={`${text("documents.show")} ${shown}`}>{text("documents.show")}</button>}
      </span>}
    </li>
  );
}

// One after the other, so that each is there as soon as can be; what waits can be taken back too.
function useSending(): { sending: Sending[]; send(files: File[]): void; cancel(one: Sending): void } {
  const all = useAround();
  const [sending, setSending] = useState<Sending[]>([]);
  const queue = useRef<{ number: number; file: File; request: XMLHttpRequest }[]>([]);
  const last = useRef(0);
  const change = (number: number, part: Partial<Sending>) =>
    setSending((list) => list.map((one) => one.number === number ? { ...one, ...part } : one));
  const forget = (number: number) =>
    setSending((list) => list.filter((one) => one.number !== number));
  const go = async () => {
    for (let next; (next = queue.current[0]);) {
      const { number, file, request } = next;
      change(number, { state: "sent" });
      try {
        await upload(file, request, (part) => change(number, { part }));
        forget(number);
      } catch (error) {
        if (error instanceof Refused && error.code === "cancelled") forget(number);
        else change(number, { failure: errorText(all, error) });
      }
      queue.current = queue.current.filter((one) => one !== next);
    }
  };
  const send = (files: File[]) => {
    const idle = queue.current.length === 0;
    const fresh = files.map((file) => ({ number: ++last.current, file, request: new XMLHttpRequest() }));
    queue.current.push(...fresh);
    setSending((list) => [...list, ...fresh.map(({ number, file }) =>
      ({ number, name: file.name, part: 0, state: "waits" as const, failure: "" }))]);
    if (idle) void go();
  };
  const cancel = ({ number, state }: Sending) => {
    const own = queue.current.find((one) => one.number === number);
    if (own && state === "sent") return own.request.abort();
    queue.current = queue.current.filter((one) => one !== own);
    forget(number);
  };
  return { sending, send, cancel };
}

function Outgoing({ one, cancel }: { one: Sending; cancel(): void }) {
  const { text } = useAround();
  const name = shownName(one.name);
  const close = (word: string) => <button type="button" class="quiet" onClick={cancel}
    aria-label={`${text(word)} ${name}`}>{text(word)}</button>;
  if (one.failure) {
    return <li><Failure>{text("documents.failed", { name, reason: one.failure })}
      {" "}{close("documents.forget")}</Failure></li>;
  }
  return (
    <li>
      <span class="named">{text(one.state === "sent" ? "documents.sending" : "documents.queued",
        { name })}</span>
      {one.state === "sent" && <progress max={1} value={one.part} aria-label={name} />}
      {close("documents.cancel")}
    </li>
  );
}

export function Documents({ state, show }: { state: State; show(document: Doc): void }) {
  const { text } = useAround();
  const { sending, send, cancel } = useSending();
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
        {sending.map((one) => <Outgoing key={one.number} one={one} cancel={() => cancel(one)} />)}
        {[...state.documents].reverse().map((document) =>
          <Row key={document.id} document={document} show={() => show(document)} />)}
        {state.documents.length + sending.length === 0 &&
          <li class="hint">{text("documents.empty")}</li>}
      </ul>
    </section>
  );
}
