// SPDX-License-Identifier: MPL-2.0
// A ticket in every form that carries it to someone: text, file, calendar, QR code, spelled words.
import { useEffect, useState } from "preact/hooks";
import { calendar, fileName } from "./calendar";
import { Answer, Carried } from "./hand";
import { Refused } from "./link";
import type { Meeting } from "./state";
import { Dialog, Failure, Form, keep, useAround, useAsking } from "./ui";

const TIMES = { hour: 3600, day: 86400, week: 604800 };
const LENGTHS = [30, 60, 90, 120, 240]; // minutes of a meeting
const USES = 10;
const GROUP = 4; // letters spelled in one go

function Spelled({ ticket }: { ticket: string }) {
  const { text } = useAround();
  const letters = text("spell.letters").split(" ");
  const digits = text("spell.digits").split(" ");
  const word = (sign: string) => /[0-9]/.test(sign) ? digits[Number(sign)]
    : letters[sign.charCodeAt(0) - "a".charCodeAt(0)] ?? sign;
  const signs = ticket.replace("maillon:", "");
  const groups = signs.match(new RegExp(`.{1,${GROUP}}`, "g")) ?? [];
  return (
    <details>
      <summary>{text("invite.spell")}</summary>
      <p class="hint">{text("invite.spell.hint")}</p>
      <ol class="spelled">
        {groups.map((group, index) => <li key={index}><code>{group}</code>{" "}
          {[...group].map(word).join(" ")}</li>)}
      </ol>
    </details>
  );
}

interface Made { ticket: string; uid: string; until: Date; limits: string }

// The next full hour, as a field of date and time wants it: in the time of this place.
function nextHour(): string {
  const date = new Date();
  date.setHours(date.getHours() + 1, 0, 0, 0);
  date.setMinutes(date.getMinutes() - date.getTimezoneOffset());
  return date.toISOString().slice(0, 16);
}

function Calendar({ made, meeting }: { made: Made; meeting: Meeting }) {
  const { text, language } = useAround();
  const [start, setStart] = useState(nextHour);
  const [minutes, setMinutes] = useState(60);
  const [late, setLate] = useState(false);
  const submit = () => {
    const at = new Date(start);
    setLate(at > made.until);
    if (at > made.until) return;
    const description =
      [text("invite.calendar.text"), made.ticket, made.limits].join("\n\n");
    keep(fileName(meeting.title, "ics"), "text/calendar", calendar({ uid: made.uid, language,
      made: new Date(), start: at, minutes, title: meeting.title, description }));
  };
  return (
    <details>
      <summary>{text("invite.calendar")}</summary>
      <Form label={text("invite.calendar")} submit={submit}>
        <div class="fields wide">
          <label class="field"><span>{text("invite.start")}</span>
            <input type="datetime-local" required value={start} onInput={(event) => {
              setStart(event.currentTarget.value);
              setLate(false);
            }} /></label>
          <label class="field"><span>{text("invite.length")}</span>
            <select value={minutes}
              onChange={(event) => setMinutes(Number(event.currentTarget.value))}>
              {LENGTHS.map((n) => <option key={n} value={n}>{text("unit.min", { n })}</option>)}
            </select></label>
          <button type="submit">{text("invite.calendar.save")}</button>
        </div>
        {late && <Failure>{text("invite.late")}</Failure>}
      </Form>
    </details>
  );
}

function Ticket({ made, meeting, asker }: {
  made: Made; meeting: Meeting; asker: { current: Element | null };
}) {
  const { text } = useAround();
  const { ticket, limits } = made;
  return (
    <div class="ticket">
      <p>{limits}</p>
      <Carried label={text("invite.ticket")} value={ticket} picture={text("invite.qr")}
        asker={asker} file={fileName(meeting.title, "maillon")} />
      <Calendar key={made.uid} made={made} meeting={meeting} />
      <Spelled ticket={ticket} />
    </div>
  );
}

export function Invite({ meeting, close, atOnce }: {
  meeting: Meeting; close(): void; atOnce: boolean;
}) {
  const { model, text } = useAround();
  const [uses, setUses] = useState(USES);
  const [valid, setValid] = useState<keyof typeof TIMES>("day");
  const [made, setMade] = useState<Omit<Made, "limits"> & { uses: number; valid: string } | null>(null);
  const { busy, failure, asker, run } = useAsking();
  const make = () => run(async () => {
    if (!(uses >= 1)) throw new Refused("other", "");
    const { ticket } = await model.ask("invite", { uses, valid: TIMES[valid] });
    setMade({ ticket, uid: `${crypto.randomUUID()}@maillon`, uses, valid,
      until: new Date(Date.now() + TIMES[valid] * 1000) });
  });
  useEffect(() => {
    if (atOnce) void make();
  }, []);
  return (
    <Dialog title={text("invite.title")} close={close} closeText={text("invite.close")}>
      {made && <Ticket meeting={meeting} asker={asker} made={{ ...made, limits: text("invite.limits",
        { n: made.uses, time: text(`invite.valid.${made.valid}`) }) }} />}
      <Form label={text("invite.make")} submit={make}>
        <div class="fields">
          <label class="field"><span>{text("invite.uses")}</span>
            <input type="number" required min={1} max={250} value={uses}
              onInput={(event) => setUses(event.currentTarget.valueAsNumber)} /></label>
          <label class="field"><span>{text("invite.valid")}</span>
            <select value={valid}
              onChange={(event) => setValid(event.currentTarget.value as keyof typeof TIMES)}>
              {Object.keys(TIMES).map((time) => <option key={time} value={time}>
                {text(`invite.valid.${time}`)}</option>)}
            </select></label>
          <button type="submit" class={made ? "" : "main"} aria-disabled={busy}>
            {text("invite.make")}</button>
        </div>
        {failure && <Failure>{failure}</Failure>}
      </Form>
      <hr />
      <Answer />
    </Dialog>
  );
}
