// The demo's live panel: a line under the top bar that says what runs, with a button for each thing that may run.
// Its content comes from an entry of the panel with the method LIVE, whose address is asked once a second.

import { byId, el, fill, safeUrl } from "./dom.js";
import { toast } from "./layer.js";
import { state } from "./state.js";

const EVERY_MS = 1000;
let shown = null;
let asking = false;
let folded = localStorage.getItem("panel-folded") === "yes";

export const liveEntry = () => state.panel.find((entry) => entry.method === "LIVE");

/** Once the workspace is known, and again whenever it is read anew. */
export function drawPanel() {
  const entry = liveEntry();
  byId("panel").hidden = !entry;
  if (!entry || shown?.url === entry.url) return;
  shown = { url: entry.url, entry, keys: "" };
  ask();
  setInterval(ask, EVERY_MS);
}

async function ask() {
  if (asking || document.visibilityState !== "visible") return;
  asking = true;
  const answer = await fetch(safeUrl(shown.url)).then((got) => (got.ok ? got.json() : null)).catch(() => null);
  asking = false;
  if (answer) draw(answer);
  else byId("panel").classList.add("is-away");
}

function draw({ facts, choices, notice, ready }) {
  const keys = JSON.stringify([facts.map(([name]) => name), choices.map((choice) => choice.url)]);
  if (keys !== shown.keys) build(keys, facts, choices);
  const panel = byId("panel");
  panel.classList.remove("is-away");
  panel.classList.toggle("is-ready", ready);
  shown.facts.forEach((node, place) => setText(node, facts[place][1]));
  setText(shown.notice, notice);
  shown.notice.hidden = !notice;
  shown.buttons.forEach((button, place) => {
    button.setAttribute("aria-pressed", String(choices[place].chosen));
    button.disabled = !ready;
  });
}

// Built once and then only changed, so that a button keeps the focus while the numbers move.
function build(keys, facts, choices) {
  shown.keys = keys;
  shown.facts = facts.map(() => el("dd"));
  shown.notice = el("p.panel-notice", { role: "status" });
  shown.buttons = choices.map((choice) => el("button.panel-choice", { type: "button", title: choice.hint, onclick: () => choose(choice) }, choice.label));
  const fold = el("button.panel-title", { type: "button", "aria-expanded": String(!folded), "aria-controls": "panel-body", onclick: () => foldPanel(fold) }, el("i.panel-dot"), shown.entry.label);
  fill(byId("panel"), fold, el("div.panel-body", { id: "panel-body", hidden: folded },
    el("dl.panel-facts", {}, facts.map(([name], place) => el("div", {}, el("dt", {}, name), shown.facts[place]))),
    el("div.panel-choices", { role: "group", "aria-label": "What the traffic is like" }, shown.buttons), shown.notice));
}

function foldPanel(fold) {
  folded = !folded;
  localStorage.setItem("panel-folded", folded ? "yes" : "no");
  fold.setAttribute("aria-expanded", String(!folded));
  byId("panel-body").hidden = folded;
}

async function choose(choice) {
  const answer = await fetch(safeUrl(choice.url), { method: "POST" }).catch(() => null);
  if (answer?.ok) toast(`${choice.label}: ${choice.hint}`);
  else toast(`${choice.label} did not work.`, "danger");
  ask();
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
