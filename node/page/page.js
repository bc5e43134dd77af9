// SPDX-License-Identifier: MPL-2.0
// Asks the node for its status once a second. Everything is put in as text, never as markup.
"use strict";

const words = document.getElementById("words").dataset;
const language = document.documentElement.lang;
const number = (value, digits) => value.toLocaleString(language,
  { minimumFractionDigits: digits, maximumFractionDigits: digits });
let seen = null; // when the node last answered
const show = (id, visible) => { document.getElementById(id).hidden = !visible; };

function put(id, tag, texts) {
  document.getElementById(id).replaceChildren(...texts.map((text) => {
    const made = document.createElement(tag);
    made.textContent = text;
    return made;
  }));
}

function meetingText(meeting) {
  const count = meeting.members === 1 ? words.member : words.members;
  const notes = [`${meeting.members} ${count}`];
  if (meeting.current) notes.push(words.current);
  if (meeting.state === "expelled") notes.push(words.expelled);
  return `${meeting.title} (${notes.join(", ")})`;
}

function rateText(bps) {
  return bps < 1e6 ? `${number(bps / 1e3, 0)} kbit/s` : `${number(bps / 1e6, 1)} Mbit/s`;
}

function peerRow(peer, names) {
  const row = document.createElement("tr");
  const up = peer.state === "up";
  const path = up ? [words[peer.path], names.get(peer.via)].filter(Boolean).join(", ") : "";
  const cells = [peer.name, words[peer.state], path,
    up ? `${number(peer.rtt_ms, 0)} ms` : "", up ? `${number(peer.loss * 100, 1)} %` : "",
    up ? rateText(peer.rate_bps) : ""];
  row.className = peer.state;
  row.append(...cells.map((text, index) => {
    const cell = document.createElement(index === 0 ? "th" : "td");
    if (index === 0) cell.scope = "row";
    cell.textContent = text;
    return cell;
  }));
  return row;
}

// What a person is to know of a line, under the line itself; none: nothing.
function reasonRows(peer) {
  if (!peer.reason) return [];
  const row = document.createElement("tr");
  const cell = document.createElement("td");
  cell.colSpan = 6;
  cell.textContent = `${peer.reason}.`;
  row.className = "reason";
  row.append(cell);
  return [row];
}

function render(status) {
  const names = new Map(status.peers.map((peer) => [peer.id, peer.name]));
  document.getElementById("self").textContent = `${status.name} · ${status.id}`;
  put("meetings", "li", status.meetings.map(meetingText));
  document.getElementById("peers").replaceChildren(
    ...status.peers.flatMap((peer) => [peerRow(peer, names), ...reasonRows(peer)]));
  show("meetings-section", true);
  show("no-meeting", status.meetings.length === 0);
  show("peers-section", status.peers.length > 0);
  show("alone", status.meetings.some((meeting) => meeting.current) && status.peers.length === 0);
  show("unlocked", !status.locked);
}

// What is shown stays, but as of when it was true.
function trouble(problem) {
  const past = problem !== "" && seen !== null;
  const text = past ? `${problem} ${words.seen} ${seen.toLocaleTimeString(language)}.` : problem;
  document.body.className = past ? "past" : "";
  const place = document.getElementById("trouble");
  if (place.textContent !== text) place.textContent = text;
  place.hidden = text === "";
}

// The address holds a token that is good once: it is turned into the halves of a session, a cookie
// that only the browser sees and a key that only this origin sees.
const session = (half) => fetch("session",
  { method: "POST", headers: { Authorization: `Bearer ${half}` } });

async function enter() {
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  for (const half of [token, localStorage.getItem("key")].filter(Boolean)) {
    const answer = await session(half);
    if (answer.ok) localStorage.setItem("key", (await answer.json()).key);
    if (answer.ok) break;
  }
  look();
}

async function look() {
  try {
    const answer = await fetch("status.json",
      { headers: { Authorization: `Bearer ${localStorage.getItem("key")}` }, cache: "no-store" });
    if (answer.ok) {
      render(await answer.json());
      seen = new Date();
    }
    trouble(answer.ok ? "" : words.refused);
  } catch {
    trouble(words.silent);
  }
  setTimeout(look, document.hidden ? 5000 : 1000);
}

enter().catch(look);
