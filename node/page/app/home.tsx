// SPDX-License-Identifier: MPL-2.0
// Outside a meeting: who one is, and the ways in.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Word } from "./calendar";
import { DeviceTest } from "./devices";
import { offerFocus } from "./focus";
import { ByHand, clean } from "./hand";
import type { Meeting, State } from "./state";
import { Take } from "./take";
import { languages } from "./texts";
import { Failure, Form, Said, useAround, useAsking } from "./ui";

export function LanguageChoice({ set }: { set(code: string): void }) {
  const { text, language } = useAround();
  return (
    <label class="field">
      <span>{text("language.label")}</span>
      <select value={language} onChange={(event) => set(event.currentTarget.value)}>
        {languages.map(({ code, name }) => <option key={code} value={code} lang={code}>{name}</option>)}
      </select>
    </label>
  );
}

interface Naming {
  name: string;
  wanted: string; // what is typed
  want(name: string): void;
  // What is typed counts from now on, saved by its button or not.
  save(): Promise<void>;
}

export function useNaming(name: string): Naming {
  const { model } = useAround();
  const [wanted, want] = useState(name);
  useEffect(() => want(name), [name]);
  const save = async () => {
    if (wanted.trim() !== name) await model.ask("name", { name: wanted.trim() });
  };
  return { name, wanted, want, save };
}

export function NameForm({ naming: { name, wanted, want, save } }: { naming: Naming }) {
  const { text } = useAround();
  const [saved, setSaved] = useState(false);
  const { busy, failure, run } = useAsking();
  const same = wanted.trim() === name;
  const submit = () => !same && run(async () => {
    await save();
    setSaved(true);
  });
  return (
    <Form label={text("name.title")} submit={submit}>
      <label class="field">
        <span>{text("name.label")}</span>
        <input required maxLength={64} autocomplete="name" value={wanted}
          aria-describedby="name-hint" onInput={(event) => {
            want(event.currentTarget.value);
            setSaved(false);
          }} />
      </label>
      <p class="hint" id="name-hint">{text("name.hint")}</p>
      <div class="row">
        <button type="submit" aria-disabled={busy || same}>{text("name.save")}</button>
        <span role="status">{saved && text("name.saved")}</span>
      </div>
      {failure && <Failure>{failure}</Failure>}
    </Form>
  );
}

function Create({ before, wait, done }: {
  before(): Promise<void>; wait(): () => void; done(): void;
}) {
  const { model, text } = useAround();
  const [title, setTitle] = useState("");
  const { busy, failure, run } = useAsking();
  const submit = () => run(async () => {
    const failed = wait(); // it is there before that is answered: what is shown first is its invitation
    try {
      await before();
      await model.ask("meeting create", { title: title.trim() });
      done();
    } catch (error) {
      failed();
      throw error;
    }
  });
  return (
    <section class="card" aria-labelledby="create-title">
      <h2 id="create-title">{text("create.title")}</h2>
      <Form labelledby="create-title" submit={submit}>
        <label class="field">
          <span>{text("create.label")}</span>
          <input required maxLength={200} value={title}
            onInput={(event) => setTitle(event.currentTarget.value)} />
        </label>
        <button type="submit" class="main" aria-disabled={busy}>
          {text(busy ? "create.busy" : "create.button")}
        </button>
        {failure && <Failure>{failure}</Failure>}
      </Form>
    </section>
  );
}

function Join({ meetings, before, done }: {
  meetings: Meeting[]; before(): Promise<void>; done(): void;
}) {
  const { model, text } = useAround();
  const [ticket, setTicket] = useState("");
  const [answer, setAnswer] = useState("");
  const [byHand, setByHand] = useState(false);
  const { busy, failure, reason, run } = useAsking();
  const submit = () => run(async () => {
    await before();
    await model.ask("join", { ticket: clean(ticket) });
    done();
  });
  const found = (word: Word, carried: string) => {
    if (word === "maillon") return setTicket(carried);
    setAnswer(carried);
    setByHand(true);
  };
  return (
    <section class="card" aria-labelledby="join-title">
      <h2 id="join-title">{text("join.title")}</h2>
      <Form labelledby="join-title" submit={submit}>
        <label class="field">
          <span>{text("join.label")}</span>
          <textarea class="code" required rows={4} value={ticket} spellcheck={false}
            autocapitalize="none" aria-describedby="join-hint"
            onInput={(event) => setTicket(event.currentTarget.value)} />
        </label>
        <p class="hint" id="join-hint">{text("join.hint")}</p>
        <Take takes={["maillon", "maillon-answer"]} found={found} />
        <button type="submit" class="main" aria-disabled={busy}>
          {text(busy ? "join.busy" : "join.button")}
        </button>
        {failure && <Failure>{failure}</Failure>}
        {reason === "unreachable" && !byHand && <button type="button"
          onClick={() => setByHand(true)}>{text("join.byHand")}</button>}
      </Form>
      <ByHand ticket={ticket} answer={answer} setAnswer={setAnswer} open={byHand} setOpen={setByHand}
        meetings={meetings} before={before} done={done} />
    </section>
  );
}

function MeetingRow({ meeting, enter }: { meeting: Meeting; enter(): void }) {
  const { model, text } = useAround();
  const { failure, run } = useAsking();
  const verb = text(meeting.state === "left" ? "home.return" : "home.open");
  const open = () => run(async () => {
    if (!meeting.current || meeting.state !== "member") await model.ask("meeting use", { id: meeting.id });
    enter();
  });
  return (
    <li>
      <span class="grow"><Said>{meeting.title}</Said><br />
        <span class="muted">{text("members", { n: meeting.members })}
          {meeting.state !== "member" && `, ${text(`home.${meeting.state}`)}`}</span></span>
      {meeting.state !== "expelled" && <button type="button" class="main" onClick={open}
        aria-label={`${verb} ${meeting.title}`}>{verb}</button>}
      {failure && <Failure>{failure}</Failure>}
    </li>
  );
}

// wait(): a meeting that appears is not gone into, until enter() or what is returned is called.
export function Home({ state, enter, wait, setLanguage }: {
  state: State; enter(created: boolean): void; wait(): () => void; setLanguage(code: string): void;
}) {
  const { text } = useAround();
  const title = useRef<HTMLHeadingElement>(null);
  const first = state.meetings.length === 0;
  const naming = useNaming(state.name);
  useLayoutEffect(() => offerFocus(title.current), []); // before anything can be typed
  return (
    <main class="home">
      <header class="masthead">
        <p class="brand">Maillon</p>
        <LanguageChoice set={setLanguage} />
      </header>
      <h1 ref={title} tabIndex={-1}>{text(first ? "home.first" : "home.title")}</h1>
      <p>{text(first ? "home.intro" : "home.stays")}</p>
      {!state.locked && <p class="banner notice">{text("home.unlocked")}</p>}
      {!first && (
        <ul class="card meetings">
          {state.meetings.map((meeting) => (
            <MeetingRow key={meeting.id} meeting={meeting} enter={() => enter(false)} />
          ))}
        </ul>
      )}
      <div class="card"><DeviceTest /></div>
      <div class="cards">
        <section class="card" aria-labelledby="you-title">
          <h2 id="you-title">{text("name.title")}</h2>
          <NameForm naming={naming} />
        </section>
        <Create before={naming.save} wait={wait} done={() => enter(true)} />
        <Join meetings={state.meetings} before={naming.save} done={() => enter(false)} />
      </div>
    </main>
  );
}
