// SPDX-License-Identifier: MPL-2.0
// The frame around every screen: which one is shown, how the line to the node is, what is announced.
import { render } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { Home } from "./home";
import { Model } from "./model";
import { Room } from "./room";
import { say, Spoken } from "./spoken";
import { current, type State } from "./state";
import "./style.css";
import "./documents.css";
import "./join.css";
import { chosenLanguage, keepLanguage } from "./texts";
import { around, Said, Surroundings, useAround } from "./ui";

const model = new Model();

function useModel(): State {
  const [state, setState] = useState(model.state);
  useEffect(() => {
    setState(model.state); // it may have changed since the first drawing
    return model.subscribe(() => setState(model.state));
  }, []);
  return state;
}

function Line({ state }: { state: State }) {
  const { text } = useAround();
  const shown = (state.link !== "live" || !state.known) && (state.known || state.link !== "refused");
  return (
    <div class="line" role="status">
      {shown && <p class={`banner ${state.link}`}>{text(state.link === "live"
        ? "link.connecting" : `link.${state.link}`)}</p>}
    </div>
  );
}

function Waiting({ refused }: { refused: boolean }) {
  const { text } = useAround();
  return (
    <main class="home">
      <h1 class="brand">Maillon</h1>
      {refused && <p class="card" role="alert">{text("link.refused")}</p>}
    </main>
  );
}

function Notices({ state }: { state: State }) {
  const { text, language } = useAround();
  return (
    <div class="notices" role="status">
      {state.notices.map((notice) => ({ ...notice, text: notice.texts?.[language] ?? notice.text }))
        .map((notice) => (
        <p class="banner notice" key={notice.number}>
          <Said>{notice.text}</Said>
          <button type="button" class="quiet" aria-label={text("pair", { name: text("notice.close"), value: notice.text })}
            onClick={() => model.forget(notice.number)}>×</button>
        </p>
      ))}
    </div>
  );
}

function App() {
  const state = useModel();
  const [language, setLanguage] = useState(chosenLanguage);
  const [entered, setEntered] = useState(true); // the current meeting is looked at, or is to be
  const [created, setCreated] = useState(""); // the meeting that was just created
  const all = useMemo(() => around(model, language, say), [language]);
  const meeting = current(state);
  const inside = entered && meeting !== undefined && meeting.state === "member";

  useEffect(() => {
    document.documentElement.lang = language;
    model.language = language;
    keepLanguage(language);
  }, [language]);
  useEffect(() => {
    document.title = inside ? `${meeting.title} – Maillon` : "Maillon";
  }, [inside, meeting?.title]);

  return (
    <Surroundings.Provider value={all}>
      <Line state={state} />
      <Notices state={state} />
      {!state.known ? <Waiting refused={state.link === "refused"} /> : inside
        ? <Room key={meeting.id} state={state} meeting={meeting} invites={created === meeting.id}
            back={() => setEntered(false)} setLanguage={setLanguage} />
        : <Home state={state} setLanguage={setLanguage} wait={() => {
              setEntered(false);
              return () => setEntered(entered);
            }}
            enter={(isNew) => {
              setCreated(isNew ? current(model.state)?.id ?? "" : "");
              setEntered(true);
            }} />}
      <Spoken />
    </Surroundings.Provider>
  );
}

render(<App />, document.getElementById("app")!);
model.begin(chosenLanguage());
