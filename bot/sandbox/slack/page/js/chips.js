// People, channels and groups as they stand inside text.

import { el } from "./dom.js";
import { channelOf, channelTitle, emit, state, userName, userOf } from "./state.js";
import { shipMark } from "./icons.js";

export function userChip(id, label) {
  const mine = id === state.person;
  const name = userOf(id) ? userName(id) : label || id;
  const chip = el("button.chip", { type: "button", class: mine ? "chip-me" : "", "aria-label": `Profile of ${name}` }, `@${name}`);
  chip.addEventListener("click", () => emit("profile", id, chip));
  return chip;
}

export function channelChip(id, label) {
  const channel = channelOf(id);
  if (!channel) return el("span.chip", {}, `#${label || id}`);
  return el("a.chip", { href: `#/${id}` }, `#${channelTitle(channel)}`);
}

export const groupChip = (id, label) => el("span.chip", {}, label ? (label.startsWith("@") ? label : `@${label}`) : `@${id}`);

export const specialChip = (name, label) => el("span.chip.chip-all", {}, `@${(label || name).replace(/^@/, "")}`);

const initials = (name) => name.split(/\s+/).filter(Boolean).map((word) => word[0]).slice(0, 2).join("").toUpperCase();

/** A person's square with initials, or the app's mark. */
export function avatar(id, name = userName(id), size = "m") {
  const user = userOf(id);
  if (user?.is_bot || id === state.app.bot_user_id) return el(`span.avatar.avatar-app.size-${size}`, { "aria-hidden": "true" }, shipMark());
  const color = /^[0-9a-f]{6}$/i.test(user?.color || "") ? `#${user.color}` : "#616061";
  return el(`span.avatar.size-${size}`, { "aria-hidden": "true", vars: { tint: color } }, initials(name || "?"));
}

export function presence(id) {
  const present = id === state.person || (id === state.app.bot_user_id && state.app.connected);
  return el("span.presence", { class: present ? "is-active" : "", role: "img", "aria-label": present ? "Active" : "Away" });
}
