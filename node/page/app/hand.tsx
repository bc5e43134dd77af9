// SPDX-License-Identifier: MPL-2.0
// Joining by hand, where no line leads to a member yet: one code goes there, one comes back, by
// whatever carries text or a picture.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { isStillAt, offerFocus } from "./focus";
import { QrCode } from "./qrcode";
import type { Meeting } from "./state";
import { Take } from "./take";
import { Failure, Form, keep, useAround, useAsking } from "./ui";

export const clean = (code: string) => code.replace(/\s+/g, "").toLowerCase();

// Text to be carried away: copied, shown to a telephone, or as a file. Whoever asked for it and has
// waited is on it, selected as it is.
export function Carried({ label, value, file, picture, asker }: {
  label: string; value: string; file: string; picture: string; asker: { current: Element | null };
}) {
  const { text } = useAround();
  const [copied, setCopied] = useState(false);
  const place = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    setCopied(false);
    if (isStillAt(asker.current)) place.current!.select();
  }, [value]);
  const copy = async () => {
    await navigator.clipboard.writeText(value).catch(() => {
      place.current!.select();
      document.execCommand("copy");
    });
    setCopied(true);
  };
  return (
    <div class="carried">
      <div class="grow">
        <label class="field"><span>{label}</span>
          <textarea class="code" ref={place} readOnly rows={5} value={value} spellcheck={false} /></label>
        <div class="row">
          <button type="button" class="main" onClick={copy}>{text("invite.copy")}</button>
          <button type="button" onClick={() => keep(file, "text/plain", `${value}\n`)}>
            {text("invite.file")}</button>
          <span role="status">{copied && text("invite.copied")}</span>
        </div>
      </div>
      <QrCode value={value} label={picture} />
    </div>
  );
}

function Code({ label, value, set }: { label: string; value: string; set(code: string): void }) {
  return (
    <label class="field"><span>{label}</span>
      <textarea class="code" required rows={4} value={value} spellcheck={false} autocapitalize="none"
        onInput={(event) => set(event.currentTarget.value)} /></label>
  );
}

const membersOf = (meetings: Meeting[]) => new Set(meetings
  .filter((one) => one.state === "member").map((one) => one.id));

// A meeting this node came into since the code was made, by its answer or by a line found meanwhile.
function useEntered(meetings: Meeting[], waits: boolean, done: () => void): void {
  const { model } = useAround();
  const before = useRef(membersOf(meetings));
  if (!waits) before.current = membersOf(meetings);
  const entered = waits
    ? meetings.find((one) => one.state === "member" && !before.current.has(one.id)) : undefined;
  useEffect(() => {
    if (!entered) return;
    // Refused or not, it is in the list now: what was asked beside this ends by itself.
    model.ask("meeting use", { id: entered.id }).catch(() => {}).finally(done);
  }, [entered?.id]);
}

// The side that wants in. The second step also serves a page that was opened again since the first.
export function ByHand({ ticket, answer, setAnswer, open, setOpen, meetings, before, done }: {
  ticket: string; answer: string; setAnswer(code: string): void; open: boolean;
  setOpen(open: boolean): void; meetings: Meeting[]; before(): Promise<void>; done(): void;
}) {
  const { model, text } = useAround();
  const [code, setCode] = useState("");
  const [waits, setWaits] = useState(false);
  const first = useAsking();
  const second = useAsking();
  const begin = () => first.run(async () => {
    await before();
    setWaits(true);
    setCode((await model.ask("join", { ticket: clean(ticket), "by-hand": true })).code);
  });
  const accept = () => second.run(async () => {
    setWaits(true);
    await model.ask("accept", { code: clean(answer) });
    done();
  });
  const summary = useRef<HTMLElement>(null);
  useLayoutEffect(() => { // the button that opened it is gone
    if (open) offerFocus(summary.current);
  }, [open]);
  useEntered(meetings, waits, done);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary ref={summary}>{text("hand.title")}</summary>
      <p class="hint">{text("hand.text")}</p>
      <ol class="steps">
        <li aria-current={code ? undefined : "step"}>
          <Form label={text("hand.first")} submit={begin}>
            <p>{text(code ? "hand.first.done" : "hand.first.text")}</p>
            {code && <Carried label={text("hand.code")} value={code} file="maillon-code.txt"
              asker={first.asker} picture={text("hand.code.qr")} />}
            <button type="submit" class={code ? "quiet" : ""} aria-disabled={first.busy}>
              {text(code ? "hand.first.again" : "hand.first")}</button>
            {first.failure && <Failure>{first.failure}</Failure>}
          </Form>
        </li>
        <li aria-current={code ? "step" : undefined}>
          <Form label={text("hand.second")} submit={accept}>
            <p>{text("hand.second.text")}</p>
            <Code label={text("hand.second.label")} value={answer} set={setAnswer} />
            <button type="submit" class={code ? "main" : ""} aria-disabled={second.busy}>
              {text(second.busy ? "hand.second.busy" : "hand.second")}</button>
            {second.failure && <Failure>{second.failure}</Failure>}
          </Form>
        </li>
      </ol>
    </details>
  );
}

// The side of a member.
export function Answer() {
  const { model, text } = useAround();
  const [code, setCode] = useState("");
  const [answer, setAnswer] = useState("");
  const [open, setOpen] = useState(false);
  const { busy, failure, asker, run } = useAsking();
  const submit = () => run(async () => {
    setAnswer("");
    setAnswer((await model.ask("answer", { code: clean(code) })).code);
  });
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{text("hand.answer.title")}</summary>
      <Form label={text("hand.answer.title")} submit={submit}>
        <p class="hint">{text("hand.answer.text")}</p>
        <Code label={text("hand.answer.label")} value={code} set={setCode} />
        {open && <Take takes={["maillon-join"]} found={(_, found) => setCode(found)} />}
        <button type="submit" class={answer ? "" : "main"} aria-disabled={busy}>
          {text("hand.answer")}</button>
        {answer && <>
          <Carried label={text("hand.answer.code")} value={answer} file="maillon-reponse.txt"
            asker={asker} picture={text("hand.answer.qr")} />
          <p class="hint">{text("hand.answer.next")}</p>
        </>}
        {failure && <Failure>{failure}</Failure>}
      </Form>
    </details>
  );
}
