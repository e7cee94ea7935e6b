// What may stand where the caret is: commands at the start, people after @, channels after #, emoji after a colon.

import { el } from "./dom.js";
import { emojiNode, searchEmoji } from "./emoji.js";
import { icon } from "./icons.js";
import { avatar, presence } from "./chips.js";
import { sortedChannels, state } from "./state.js";

/** @typedef {{insert: string, label: any, hint?: any, mark: Node, key: string}} Suggestion */

const TRIGGERS = [
  { find: /^\/([a-z0-9_-]*)$/i, list: commands, whole: true, name: "Commands" },
  { find: /(?:^|[\s(])@([\p{L}\p{N}._-]*(?: [\p{L}]*)?)$/u, list: mentions, name: "People" },
  { find: /(?:^|[\s(])#([\p{L}\p{N}_-]*)$/u, list: rooms, name: "Channels" },
  { find: /(?:^|\s):([a-z0-9_+-]{2,})$/, list: emojis, name: "Emoji" },
];

/** @returns {{name: string, from: number, suggestions: Suggestion[]}|null} */
export function suggestionsAt(text, caret) {
  const before = text.slice(0, caret);
  for (const { find, list, name } of TRIGGERS) {
    const found = find.exec(before);
    if (!found) continue;
    const suggestions = list(found[1]).slice(0, 9);
    return suggestions.length ? { name, from: caret - found[1].length - 1, suggestions } : null;
  }
  return null;
}

function commands(typed) {
  const wanted = typed.toLowerCase();
  return state.commands.filter((one) => one.command.slice(1).toLowerCase().startsWith(wanted)).map((one) => ({
    key: one.command, insert: `${one.command} `, mark: icon("slash"),
    label: [el("b", {}, one.command), " ", el("span.usage", {}, one.usage_hint || "")], hint: one.description,
  }));
}

const SPECIALS = [["here", "Everyone who is active here"], ["channel", "Everyone in this channel"]];

function mentions(typed) {
  const wanted = typed.toLowerCase();
  const people = [...state.users.values()].filter((user) => fits(user.real_name, wanted) || fits(user.name, wanted)).map((user) => ({
    key: user.id, insert: `@${user.real_name || user.name} `, mark: avatar(user.id, user.real_name, "xs"),
    label: [el("b", {}, user.real_name || user.name), " ", presence(user.id), user.is_bot && el("span.app-badge", {}, "APP")], hint: user.title || (user.is_bot ? "App" : ""),
  }));
  const special = SPECIALS.filter(([name]) => name.startsWith(wanted)).map(([name, hint]) => ({ key: name, insert: `@${name} `, mark: icon("people"), label: el("b", {}, `@${name}`), hint }));
  return [...people, ...special];
}

const fits = (name, wanted) => (name || "").toLowerCase().split(" ").some((word) => word.startsWith(wanted)) || (name || "").toLowerCase().startsWith(wanted);

function rooms(typed) {
  return sortedChannels("channel").filter((one) => one.name.startsWith(typed.toLowerCase()))
    .map((one) => ({ key: one.id, insert: `#${one.name} `, mark: icon("hash"), label: el("b", {}, one.name), hint: one.topic }));
}

function emojis(typed) {
  return searchEmoji(typed).map((code) => ({ key: code, insert: `:${code}: `, mark: emojiNode(code), label: `:${code}:` }));
}

/** The known command that a line begins with, for its usage hint. */
export function commandOf(text) {
  const name = /^(\/[a-z0-9_-]+)(?:\s|$)/i.exec(text)?.[1];
  return name ? { name, known: state.commands.find((one) => one.command === name) || null } : null;
}

const escapeText = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const escapePattern = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** What is sent for what was typed: escaped, with names as Slack's own references. */
export function wireText(typed) {
  return escapeText(typed).split(/(```[\s\S]*?```|`[^`\n]+`)/).map((part, index) => (index % 2 ? part : referenced(part))).join("");
}

function referenced(text) {
  const names = [...state.users.values()].flatMap((user) => [user.real_name, user.name].filter(Boolean).map((name) => [name, user.id]))
    .sort(([one], [other]) => other.length - one.length);
  let wire = text.replace(/(?<!\S)(https?:\/\/[^\s<>]+[^\s<>.,;:!?)])/g, "<$1>").replace(/(?<![\w@])@(here|channel|everyone)\b/g, "<!$1>");
  for (const [name, id] of names) wire = wire.replace(new RegExp(`(?<![\\w@<])@${escapePattern(escapeText(name))}(?![\\p{L}\\p{N}])`, "giu"), `<@${id}>`);
  for (const channel of sortedChannels("channel")) wire = wire.replace(new RegExp(`(?<![\\w&<])#${escapePattern(channel.name)}(?![\\w-])`, "g"), `<#${channel.id}|${channel.name}>`);
  return wire;
}
