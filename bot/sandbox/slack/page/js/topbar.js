// The bar on top: search, the demo's links, light and dark; and the lines that say what is wrong with the connection.

import { byId, el, fill, safeUrl } from "./dom.js";
import { icon } from "./icons.js";
import { post } from "./api.js";
import { openDialog, openMenu, toast } from "./layer.js";
import { emit, on, state } from "./state.js";

const META = /Mac/.test(navigator.platform) ? "⌘" : "Ctrl+";

export function drawTopbar() {
  fill(byId("topbar"),
    el("div.topbar-side", {}, el("button.icon-button", { type: "button", "aria-label": "Back", title: "Back", onclick: () => history.back() }, icon("left")), el("button.icon-button", { type: "button", "aria-label": "Forward", title: "Forward", onclick: () => history.forward() }, icon("right"))),
    el("button.search", { type: "button", onclick: () => emit("switcher") }, icon("search"), el("span", {}, `Search ${state.team.name || ""}`), el("kbd", {}, `${META}K`)),
    el("div.topbar-side.end", {}, el("button.demo-button", { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", onclick: (event) => demoMenu(event.currentTarget) }, icon("dials"), el("span", {}, "Demo")),
      el("button.icon-button", { type: "button", "aria-label": "Keyboard shortcuts", title: "Keyboard shortcuts", onclick: showKeys }, icon("info"))));
}

export function demoMenu(anchor) {
  openMenu(anchor, [
    ...(state.panel.length ? [{ heading: "This demo" }] : []),
    ...state.panel.filter((entry) => entry.method !== "LIVE").map((entry) => ({ label: entry.label, hint: entry.hint, icon: entry.method === "POST" ? "bolt" : "external", act: () => follow(entry) })),
    ...(state.panel.length ? [{ separator: true }] : []),
    { heading: "How this Slack behaves" },
    { label: "Slack’s rate limits", hint: "One message a second in a channel; the rest gets 429", checked: Boolean(state.switches.rate_limits), act: () => flip({ rate_limits: !state.switches.rate_limits }) },
    { label: "Fail the next 3 updates", hint: "chat.update answers 500 three times", icon: "warning", act: () => flip({ fail: { method: "chat.update", status: 500, times: 3 } }) },
    { separator: true },
    { label: "Light or dark", icon: "moon", act: () => emit("theme") },
    { label: "Keyboard shortcuts", icon: "info", act: showKeys },
  ], { align: "end", className: "popover-menu popover-demo" });
}

async function follow(entry) {
  const href = safeUrl(entry.url);
  if (!href) return;
  if (entry.method !== "POST") return void open(href, "_blank", "noopener");
  const answer = await fetch(href, { method: "POST" }).catch(() => null);
  if (answer?.ok) toast(`${entry.label}: done`);
  else toast(`${entry.label} did not work.`, "danger");
}

async function flip(switches) {
  const answer = await post("switches", switches);
  if (!answer.ok) return toast(answer.message, "danger");
  state.switches = answer.switches || {};
  toast(switches.fail ? "The next three updates will fail." : `Rate limits are ${state.switches.rate_limits ? "on" : "off"}.`);
}

const KEYS = [
  [`${META}K`, "Jump to a channel, a person or an app"], ["/", "Commands, at the start of a message"], ["@  #  :", "People, channels, emoji"],
  ["Enter", "Send"], ["Shift+Enter", "New line"], ["Alt+↑  Alt+↓", "Previous and next channel"], ["↑ in an empty box", "Walk through the messages"],
  ["Enter or T on a message", "Open its thread"], ["R on a message", "React"], ["Esc", "Close what is open"],
];

function showKeys() {
  const dialog = openDialog([
    el("header.dialog-head", {}, el("h2", {}, "Keyboard shortcuts"), el("button.icon-button", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"))),
    el("div.dialog-body", {}, el("dl.keys", {}, KEYS.map(([keys, what]) => el("div", {}, el("dt", {}, what), el("dd", {}, el("kbd", {}, keys)))))),
  ], { className: "dialog-confirm light-dismiss", label: "Keyboard shortcuts", onCancel: () => dialog.close() });
}

/** One line on top while something is down. */
export function drawBars() {
  const lost = state.link === "lost";
  const away = !lost && state.link === "open" && state.app.connected === false;
  fill(byId("bars"),
    lost && el("div.bar.is-lost", {}, el("span.spinner.is-shown"), "Connection lost. Trying to reach the workspace again…"),
    away && el("div.bar.is-away", {}, icon("warning"), el("span", {}, el("b", {}, state.app.name), " is not connected. You can write; commands and buttons will work once it is back.")));
}

// Light and dark

const dark = matchMedia("(prefers-color-scheme: dark)");

export function applyTheme() {
  const chosen = localStorage.getItem("theme");
  document.documentElement.dataset.shade = chosen || (dark.matches ? "dark" : "light");
}

function switchTheme() {
  const next = document.documentElement.dataset.shade === "dark" ? "light" : "dark";
  if (next === (dark.matches ? "dark" : "light")) localStorage.removeItem("theme");
  else localStorage.setItem("theme", next);
  applyTheme();
  emit("sidebar");
}

dark.addEventListener("change", () => { applyTheme(); emit("sidebar"); });
on("theme", switchTheme);
on("link", drawBars);
on("app", drawBars);
on("toast", toast);
on("workspace-menu", demoMenu);
