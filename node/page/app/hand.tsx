// SPDX-License-Identifier: MPL-2.0
// Joining by hand, where no line leads to a member yet: one code goes there, one comes back, by
// whatever carries text.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Meeting } from "./state";
import { Failure, Form, keep, useAround, useAsking } from "./ui";

const clean = (code: string) => code.replace(/\s+/g, "").toLowerCase();

// Text to be carried away: copied, or as a file.
export function Carried({ label, value, file, select }: {
  label: string; value: string; file: string; select?: boolean;
}) {
  const { text } = useAround();
  const [copied, setCopied] = useState(false);
  const place = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    setCopied(false);
    if (select) place.current!.select();
  }, [value]);
  const copy = async () => {
    place.current!.select();
    await navigator.clipboard.writeText(value).catch(() => document.execCommand("copy"));
    setCopied(true);
  };
  return (
    <>
      <label class="field"><span>{label}</span>
        <textarea class="code" ref={place} readOnly rows={5} value={value} spellcheck={false} /></label>
      <div class="row">
        <button type="button" class="main" onClick={copy}>{text("invite.copy")}</button>
        <button type="button" onClick={() => keep(file, "text/plain", `${value}\n`)}>
          {text("invite.file")}</button>
        <span role="status">{copied && text("invite.copied")}</span>
      </div>
    </>
  );
}

function Code({ label, value, set }: { label: string; value: string; set(code: string): void }) {
  return (
    <label class="field"><span>{label}</span>
      <textarea class="code" required rows={4} value={value} spellcheck={false} autocapitalize="none"
        onInput={(event) => set(event.currentTarget.value)} /></label>
  );
}

// The side that wants in. The second step also serves a page that was opened again since the first.
export function ByHand({ ticket, meetings, before, done }: {
  ticket: string; meetings: Meeting[]; before(): Promise<void>; done(): void;
}) {
  const { model, text } = useAround();
  const [code, setCode] = useState("");
  const [answer, setAnswer] = useState("");
  const known = useRef<string[]>([]);
  const first = useAsking();
  const second = useAsking();
  const begin = () => first.run(async () => {
    await before();
    known.current = meetings.map((meeting) => meeting.id);
    setCode((await model.ask("join", { ticket: clean(ticket), "by-hand": true })).code);
  });
  const accept = () => second.run(async () => {
    await model.ask("accept", { code: clean(answer) });
    done();
  });
  // A line was found after all, without the answer.
  const entered = code ? meetings.find((one) =>
    one.state === "member" && !known.current.includes(one.id)) : undefined;
  useEffect(() => {
    if (entered) void second.run(async () => {
      await model.ask("meeting use", { id: entered.id });
      done();
    });
  }, [entered?.id]);
  return (
    <details>
      <summary>{text("hand.title")}</summary>
      <ol class="steps">
        <li>
          <Form label={text("hand.first")} submit={begin}>
            <p>{text("hand.first.text")}</p>
            <button type="submit" aria-disabled={first.busy}>{text("hand.first")}</button>
            {code && <Carried label={text("hand.code")} value={code} file="maillon-code.txt" select />}
            {first.failure && <Failure>{first.failure}</Failure>}
          </Form>
        </li>
        <li>
          <Form label={text("hand.second")} submit={accept}>
            <Code label={text("hand.second.label")} value={answer} set={setAnswer} />
            <button type="submit" aria-disabled={second.busy}>
              {text(second.busy ? "join.busy" : "hand.second")}</button>
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
  const { busy, failure, run } = useAsking();
  const submit = () => run(async () => {
    setAnswer("");
    setAnswer((await model.ask("answer", { code: clean(code) })).code);
  });
  return (
    <details>
      <summary>{text("hand.answer.title")}</summary>
      <Form label={text("hand.answer.title")} submit={submit}>
        <p class="hint">{text("hand.answer.text")}</p>
        <Code label={text("hand.answer.label")} value={code} set={setCode} />
        <button type="submit" aria-disabled={busy}>{text("hand.answer")}</button>
        {answer && <Carried label={text("hand.answer.code")} value={answer}
          file="maillon-reponse.txt" select />}
        {failure && <Failure>{failure}</Failure>}
      </Form>
    </details>
  );
}
