// The middle of the page: a channel's head, its messages, its composer.

import { byId, el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { avatar, presence } from "./chips.js";
import { Composer } from "./composer.js";
import { MessageList } from "./list.js";
import { get, post } from "./api.js";
import { openMenu, openPopover } from "./layer.js";
import { runShortcut } from "./message_actions.js";
import { mrkdwn } from "./mrkdwn.js";
import { channelOf, channelTitle, emit, isBotRoom, on, state, threadKey, userOf } from "./state.js";

let list = null;
let composer = null;
let drawnFor = "";
const top = { head: null, foot: null };

/** Draw the channel where the reader is; the list and what is being typed stay when it is the same one. */
export function showChannel() {
  const channel = channelOf(state.place.channel);
  if (!channel) return;
  const key = `${state.person} ${channel.id} ${channel.is_member}`;
  if (drawnFor !== key || !byId("main").contains(list?.node)) build(channel, key);
  drawHead(channel);
  drawMessages();
  drawFoot();
}

export const forgetChannel = () => (drawnFor = "");

function build(channel, key) {
  drawnFor = key;
  top.head = el("header.pane-head");
  top.foot = el("div.over-composer");
  list = new MessageList({ channel: channel.id, label: `Messages in ${channelTitle(channel)}`, intro: () => intro(channel), older: () => loadOlder(channel.id) });
  composer = channel.is_member ? new Composer({ channel: channel.id, placeholder: `Message ${channel.type === "im" ? channelTitle(channel) : `#${channel.name}`}` }) : null;
  fill(byId("main"), top.head, list.node, top.foot, composer ? composer.node : joinBox(channel));
  composer?.say(state.notices.get(channel.id) || "");
}

function drawHead(channel) {
  const app = isBotRoom(channel);
  const title = el("h1.pane-title", {}, app ? avatar(channel.user, "", "s") : icon("hash"), channelTitle(channel), app && el("span.app-badge", {}, "APP"), app && presence(channel.user));
  fill(top.head,
    el("div.pane-line", {}, menuButton(), title, channel.topic && el("div.pane-topic", { title: channel.topic }, mrkdwn(channel.topic)), el("span.grow"),
      channel.type === "channel" && el("button.members", { type: "button", title: "Members", "aria-label": `${channel.members ?? people().length} members`, onclick: (event) => showMembers(event.currentTarget) },
        el("span.thread-faces", {}, people().slice(0, 3).map((user) => avatar(user.id, user.real_name, "xs"))), el("span", {}, channel.members ?? people().length)),
      el("button.icon-button", { type: "button", "aria-label": "Channel menu", title: "More", onclick: (event) => channelMenu(event.currentTarget, channel) }, icon("more"))),
    app && appTabs("messages"));
}

export const menuButton = () => el("button.icon-button.only-narrow", { type: "button", "aria-label": "Show the sidebar", onclick: () => document.body.classList.toggle("has-sidebar") }, icon("menu"));

export function appTabs(current) {
  const tab = (name, label, href) => el("a.tab", { href, role: "tab", "aria-selected": String(current === name) }, label);
  return el("nav.tabs", { role: "tablist", "aria-label": state.app.name }, tab("home", "Home", "#/home"), tab("messages", "Messages", `#/${[...state.channels.values()].find(isBotRoom)?.id || ""}`));
}

const people = () => [...state.users.values()];

function showMembers(anchor) {
  openPopover(anchor, el("div.member-list", {}, people().map((user) => el("div.member", {}, avatar(user.id, user.real_name, "s"), el("span.member-name", {}, user.real_name, user.is_bot && el("span.app-badge", {}, "APP"), el("small", {}, user.title || "")), presence(user.id)))), { align: "end", className: "popover-members" });
}

function channelMenu(anchor, channel) {
  const shortcuts = state.shortcuts.filter((one) => one.type === "global");
  openMenu(anchor, [
    { label: "Copy link to this channel", icon: "link", act: () => navigator.clipboard?.writeText(`${location.origin}/#/${channel.id}`).then(() => emit("toast", "Link copied")) },
    { label: "Mark as read", icon: "check", act: () => emit("read", channel.id) },
    ...(shortcuts.length ? [{ separator: true }, { heading: "Shortcuts" }] : []),
    ...shortcuts.map((one) => ({ label: one.name, hint: one.description, icon: "bolt", act: () => runShortcut(one, channel.id) })),
  ], { align: "end" });
}

function intro(channel) {
  if (isBotRoom(channel)) {
    return el("div.intro", {}, avatar(channel.user, "", "l"), el("h2", {}, channelTitle(channel)), el("p", {}, "This is the beginning of your conversation with ", el("b", {}, channelTitle(channel)), ". Write to it here, or type ", el("kbd", {}, "/"), " anywhere to see its commands."));
  }
  return el("div.intro", {}, el("span.intro-mark", {}, icon("hash")), el("h2", {}, `Welcome to #${channel.name}`),
    el("p", {}, channel.topic ? el("span", {}, mrkdwn(channel.topic), ". ") : "", "This is the very beginning of the channel."));
}

function joinBox(channel) {
  return el("div.join-box", {}, el("p", {}, "You are looking at ", el("b", {}, `#${channel.name}`)),
    el("button.button.primary", { type: "button", onclick: async () => { if ((await post("join", { channel: channel.id })).ok) emit("rejoined", channel.id); } }, "Join channel"));
}

function messagesOf(channel) {
  return [...(state.messages.get(channel)?.values() || [])].sort((one, other) => Number(one.ts) - Number(other.ts));
}

function drawMessages() {
  if (!list) return;
  const channel = state.place.channel;
  if (!state.messages.has(channel)) return;
  list.show(messagesOf(channel), { hasMore: state.hasMore.get(channel) });
}

async function loadOlder(channel) {
  const first = messagesOf(channel)[0];
  if (!first) return;
  const answer = await get("messages", { channel, before: first.ts, limit: 60 });
  if (!answer.ok) return;
  for (const message of answer.messages) state.messages.get(channel).set(message.ts, message);
  state.hasMore.set(channel, answer.has_more);
  drawMessages();
}

/** Find a message by its ts, in what is loaded or before it. */
export async function revealMessage(ts) {
  const channel = state.place.channel;
  for (let page = 0; page < 20; page += 1) {
    if (list?.reveal(ts)) return true;
    if (!state.hasMore.get(channel)) return false;
    await loadOlder(channel);
  }
  return false;
}

function drawFoot() {
  if (!top.foot) return;
  const key = threadKey(state.place.channel, "");
  fill(top.foot, promptsNode(state.place.channel, ""), statusNode(state.statuses.get(key)));
}

export function statusNode(status) {
  return el("div.status-line", { role: "status" }, status && [avatar(state.app.bot_user_id, "", "xs"), el("span", {}, el("b", {}, state.app.name), ` ${status}`), el("span.dots", { "aria-hidden": "true" }, el("i"), el("i"), el("i"))]);
}

export function promptsNode(channel, threadTs) {
  const found = state.prompts.get(threadKey(channel, threadTs));
  if (!found?.prompts?.length) return null;
  const say = (prompt) => {
    state.prompts.delete(threadKey(channel, threadTs));
    emit("status");
    post("messages", { channel, text: prompt.message, ...(threadTs ? { thread_ts: threadTs } : {}) });
  };
  return el("div.prompts", {}, found.title && el("div.prompts-title", {}, found.title), el("div.prompts-row", {}, found.prompts.map((prompt) => el("button.prompt", { type: "button", onclick: () => say(prompt) }, icon("spark"), prompt.title))));
}

on("messages", (channel) => state.place.kind === "channel" && channel === state.place.channel && drawMessages());
on("status", () => state.place.kind === "channel" && drawFoot());
on("channel", (id) => state.place.kind === "channel" && id === state.place.channel && top.head && drawHead(channelOf(id)));
on("notice", (channel, text) => {
  state.notices.set(channel, text);
  if (state.place.kind === "channel" && channel === state.place.channel) composer?.say(text);
});
on("sent", (where) => !where.threadTs && list?.toBottom());
on("focus-last", (where) => !where.threadTs && list?.focusLast());
on("focus-composer", () => composer?.focus());
on("users", () => state.place.kind === "channel" && userOf(state.person) && showChannel());
