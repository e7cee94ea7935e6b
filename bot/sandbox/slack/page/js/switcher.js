// Ctrl+K: jump somewhere by typing a few letters.

import { el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./chips.js";
import { openDialog } from "./layer.js";
import { emit, on, sortedChannels, state } from "./state.js";

let dialog = null;

function places() {
  const channels = sortedChannels("channel").map((one) => ({ label: one.name, hint: one.topic, mark: icon("hash"), unread: one.unread, go: () => (location.hash = `#/${one.id}`) }));
  const direct = sortedChannels("im").map((one) => ({ label: state.app.name, hint: "Messages", mark: avatar(one.user, "", "xs"), unread: one.unread, go: () => (location.hash = `#/${one.id}`) }));
  const home = [{ label: `${state.app.name} Home`, hint: "Approvals, models, last runs", mark: icon("home"), go: () => (location.hash = "#/home") }];
  const people = [...state.users.values()].filter((user) => !user.is_bot && user.id !== state.person)
    .map((user) => ({ label: `Be ${user.real_name}`, hint: user.title, mark: avatar(user.id, user.real_name, "xs"), go: () => emit("become", user.id) }));
  return [...channels, ...direct, ...home, ...people];
}

function openSwitcher() {
  if (dialog) return;
  let active = 0;
  let shown = [];
  const input = el("input.switcher-input", { type: "text", placeholder: "Where to?", "aria-label": "Jump to", autofocus: true, autocomplete: "off", role: "combobox", "aria-expanded": "true" });
  const list = el("div.switcher-list", { role: "listbox", "aria-label": "Places" });
  const close = () => { dialog?.close(); dialog = null; };
  const take = (entry) => { close(); entry?.go(); };
  const draw = () => {
    const wanted = input.value.trim().toLowerCase().replace(/^[#@]/, "");
    shown = places().filter((entry) => entry.label.toLowerCase().includes(wanted) || (wanted && (entry.hint || "").toLowerCase().includes(wanted)));
    active = Math.min(active, Math.max(0, shown.length - 1));
    fill(list, shown.length ? shown.map((entry, index) => el("div.switcher-item", { role: "option", "aria-selected": String(index === active), class: `${index === active ? "is-active" : ""} ${entry.unread ? "is-unread" : ""}`, onclick: () => take(entry) },
      entry.mark, el("span", {}, entry.label), el("small", {}, entry.hint || ""))) : el("p.options-empty", {}, "Nothing of that name"));
    list.querySelector(".is-active")?.scrollIntoView({ block: "nearest" });
  };
  input.addEventListener("input", () => { active = 0; draw(); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") active = (active + 1) % Math.max(1, shown.length);
    else if (event.key === "ArrowUp") active = (active - 1 + shown.length) % Math.max(1, shown.length);
    else if (event.key === "Enter") return take(shown[active]);
    else return;
    event.preventDefault();
    draw();
  });
  draw();
  dialog = openDialog([el("div.switcher-top", {}, icon("search"), input, el("kbd", {}, "Esc")), list], { className: "dialog-switcher light-dismiss", label: "Jump to", onCancel: close });
}

function step(direction) {
  const all = sortedChannels("channel");
  const at = all.findIndex((one) => one.id === state.place.channel);
  const next = all[(at + direction + all.length) % all.length];
  if (next) location.hash = `#/${next.id}`;
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openSwitcher();
  } else if (event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key) && !document.querySelector(".scrim")) {
    event.preventDefault();
    step(event.key === "ArrowDown" ? 1 : -1);
  }
});

on("switcher", openSwitcher);
