// SPDX-License-Identifier: MPL-2.0
// Questions put to the vote. The result is the node's, word for word, the same on every one.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useAnnounce } from "./announce";
import { offerFocus } from "./focus";
import type { Meeting, Motion, State, Voter } from "./state";
import { choiceText, Failure, Form, number, Said, useAround, useAsking } from "./ui";

function Ballot({ motion }: { motion: Motion }) {
  const all = useAround();
  const { model, text, say } = all;
  const [chosen, setChosen] = useState(""); // here, and not yet told back
  const voted = motion.own_vote || chosen;
  const { busy, failure, run } = useAsking();
  const choices = Object.keys(motion.tally);
  const vote = (choice: string) => run(async () => {
    await model.ask("vote", { id: motion.id, choice });
    setChosen(choice);
    say(text("motions.voted", { choice: choiceText(all, choice) }));
  });
  return (
    <div role="group" class="ballot"
      aria-label={text("pair", { name: text("motions.vote"), value: motion.text })}
      onKeyDown={(event) => {
        const choice = choices[Number(event.key) - 1];
        if (choice !== undefined && !event.ctrlKey && !event.altKey && !event.metaKey) {
          event.preventDefault();
          void vote(choice);
        }
      }}>
      {choices.map((choice, index) => (
        <button key={choice} type="button" aria-pressed={voted === choice} aria-disabled={busy}
          class={voted === choice ? "on" : ""} onClick={() => vote(choice)}>
          {index < 9 && <kbd aria-hidden="true">{index + 1}</kbd>}
          <Said>{choiceText(all, choice)}</Said>
        </button>
      ))}
      {voted ? <p>{text("motions.voted", { choice: choiceText(all, voted) })}{" "}
        <span class="hint">{text("motions.again")}</span></p>
        : choices.length <= 9 && <p class="hint">{text("motions.keys")}</p>}
      {failure && <Failure>{failure}</Failure>}
    </div>
  );
}

function Tally({ motion }: { motion: Motion }) {
  const all = useAround();
  const { text, language } = all;
  const most = Math.max(motion.counted, 1);
  return (
    <table>
      <caption class="unseen">{text("motions.tally")}</caption>
      <thead class="unseen"><tr><th scope="col">{text("motions.choice")}</th>
        <th scope="col">{text("motions.count")}</th></tr></thead>
      <tbody>
        {Object.entries(motion.tally).map(([choice, count]) => (
          <tr key={choice}>
            <th scope="row"><Said>{choiceText(all, choice)}</Said></th>
            <td>
              <svg class="measure" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                <rect width={(count / most) * 100} height="8" />
              </svg>
              {number(language, count, 0)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const NAMED_MAX = 12; // of more people the names are shown when they are asked for

const names = (voters: Voter[]) => voters.map((voter) => <li key={voter.id}><Said>{voter.name}</Said></li>);

function Names({ title, voters }: { title: string; voters: Voter[] }) {
  if (voters.length === 0) return null;
  return voters.length > NAMED_MAX
    ? <details><summary>{title}</summary><ul class="names">{names(voters)}</ul></details>
    : <div class="named"><span class="muted">{title}</span><ul class="names">{names(voters)}</ul></div>;
}

// While it is open, who has voted and who has not; once it is closed, how each did.
function Voters({ motion }: { motion: Motion }) {
  const all = useAround();
  const { text } = all;
  const { voters } = motion;
  const absent = voters.filter((voter) => !voter.voted);
  const missing = <Names title={text("motions.absent", { n: absent.length })} voters={absent} />;
  if (motion.state !== "closed") {
    const voted = voters.filter((voter) => voter.voted);
    return <div class="voters">
      <Names title={text("motions.present", { n: voted.length, of: voters.length })} voters={voted} />
      {missing}
    </div>;
  }
  return (
    <div class="voters">
      {Object.keys(motion.tally).map((choice) => <Names key={choice}
        title={text("motions.how", { choice: choiceText(all, choice) })}
        voters={voters.filter((voter) => voter.choice === choice)} />)}
      {missing}
    </div>
  );
}

function Closing({ motion }: { motion: Motion }) {
  const { model, text } = useAround();
  const [sure, setSure] = useState<boolean>();
  const { busy, failure, run } = useAsking();
  const first = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => { // before the next key
    if (sure !== undefined) offerFocus(first.current); // the button pressed has made way for it
  }, [sure]);
  const close = () => run(async () => {
    await model.ask("motion close", { id: motion.id });
  });
  return (
    <div class="row">
      {!sure ? <button key="close" ref={first} type="button" onClick={() => setSure(true)}>
        {text("motions.close")}</button>
        : <>
          <span>{text("motions.sure")}</span>
          <button key="yes" ref={first} type="button" class="danger" aria-disabled={busy} onClick={close}>
            {text("motions.yes")}</button>
          <button type="button" onClick={() => setSure(false)}>{text("motions.no")}</button>
        </>}
      {failure && <Failure>{failure}</Failure>}
    </div>
  );
}

function Card({ motion, closes }: { motion: Motion; closes: boolean }) {
  const all = useAround();
  const { text, say } = all;
  const open = motion.state === "open";
  const before = useRef(open);
  const outcome = motion.outcome in motion.tally ? choiceText(all, motion.outcome)
    : text(`outcome.${motion.outcome}`);
  const result = text("motions.result", { outcome });
  useEffect(() => {
    if (before.current && !open) say(`${motion.text} ${result}`);
    before.current = open;
  }, [open]);
  return (
    <li class={`motion ${motion.state}`} aria-labelledby={`motion-${motion.id}`}>
      <h3 dir="auto" id={`motion-${motion.id}`}>{motion.text}</h3>
      <p class="muted"><span class="tag">{text(`motions.state.${motion.state}`)}</span>{" "}
        {text("motions.counted", { n: motion.counted })}</p>
      {open ? <Ballot motion={motion} /> : motion.state === "closed" && <p class="result">{result}</p>}
      <Tally motion={motion} />
      {motion.state !== "void" && <Voters motion={motion} />}
      {open && closes && <Closing motion={motion} />}
    </li>
  );
}

// What is being written is kept, like a message, until the node has it or it is given up.
function useKept(key: string, first: string): [string, (words: string) => void, () => void] {
  const [words, setWords] = useState(() => localStorage.getItem(key) ?? first);
  const write = (value: string) => {
    setWords(value);
    localStorage.setItem(key, value);
  };
  return [words, write, () => localStorage.removeItem(key)];
}

const draftOf = (meeting: Meeting) => `motion-${meeting.id}`;
const hasDraft = (meeting: Meeting) => (localStorage.getItem(draftOf(meeting)) ?? "") !== "";

function Opening({ meeting, asked, done }: { meeting: Meeting; asked: boolean; done(): void }) {
  const { model, text } = useAround();
  const [question, setQuestion, forgetQuestion] = useKept(draftOf(meeting), "");
  const [choices, setChoices, forgetChoices] =
    useKept(`choices-${meeting.id}`, text("motions.choices.default"));
  const { busy, failure, run } = useAsking();
  const first = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => { // before the next key
    if (asked) offerFocus(first.current); // after a reload it is there unasked
  }, []);
  const submit = () => run(async () => {
    await model.ask("motion open", { text: question.trim(), choices });
    forget();
  });
  const forget = () => {
    forgetQuestion();
    forgetChoices();
    done();
  };
  return (
    <Form label={text("motions.open")} submit={submit}>
      <label class="field"><span>{text("motions.question")}</span>
        <textarea ref={first} required rows={3} maxLength={4096} value={question} dir="auto"
          onInput={(event) => setQuestion(event.currentTarget.value)} /></label>
      <label class="field"><span>{text("motions.choices")}</span>
        <input required value={choices} aria-describedby="choices-hint"
          onInput={(event) => setChoices(event.currentTarget.value)} /></label>
      <p class="hint" id="choices-hint">{text("motions.choices.hint")}</p>
      <div class="row">
        <button type="submit" class="main" aria-disabled={busy}>{text("motions.start")}</button>
        <button type="button" onClick={forget}>{text("motions.cancel")}</button>
      </div>
      {failure && <Failure>{failure}</Failure>}
    </Form>
  );
}

export function Motions({ state, meeting }: { state: State; meeting: Meeting }) {
  const { text } = useAround();
  const announce = useAnnounce();
  const known = useRef(state.motions.length);
  const [opening, setOpening] = useState(() => hasDraft(meeting));
  useEffect(() => {
    for (const motion of state.motions.slice(known.current)) {
      if (motion.state === "open" && motion.author !== state.id) {
        announce(text("motions.opened", { text: motion.text }));
      }
    }
    known.current = state.motions.length;
  }, [state.motions.length]);
  const asked = useRef(false);
  const opener = useRef<HTMLButtonElement>(null);
  const before = useRef(opening);
  useLayoutEffect(() => { // with the form its focus is gone, unless whoever had it has gone on
    if (before.current && !opening) offerFocus(opener.current);
    before.current = opening;
  }, [opening]);
  return (
    <section class="motions" aria-labelledby="motions-title">
      <header>
        <h2 id="motions-title">{text("motions.title")}</h2>
        {!opening && <button ref={opener} type="button" onClick={() => {
          asked.current = true;
          setOpening(true);
        }}>
          {text("motions.open")}</button>}
      </header>
      {opening && <Opening meeting={meeting} asked={asked.current} done={() => setOpening(false)} />}
      <ul class="scroll" tabIndex={0} aria-labelledby="motions-title">
        {[...state.motions].reverse().map((motion) => <Card key={motion.id} motion={motion}
          closes={meeting.role === "founder" || motion.author === state.id} />)}
        {state.motions.length === 0 && !opening && <li class="hint">{text("motions.empty")}</li>}
      </ul>
    </section>
  );
}
