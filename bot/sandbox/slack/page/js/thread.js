// The pane on the right: one thread.

import { byId, el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { Composer } from "./composer.js";
import { MessageList } from "./list.js";
import { get } from "./api.js";
import { promptsNode, statusNode } from "./channel.js";
import { channelOf, channelTitle, emit, on, state, threadKey } from "./state.js";

let list = null;
let composer = null;
let foot = null;

export async function openThread(channel, ts, { focus = true } = {}) {
  const same = state.thread?.channel === channel && state.thread?.ts === ts;
  state.thread = { channel, ts };
  if (!same || byId("thread").hidden) build();
  await loadThread();
  if (focus) composer?.focus();
}

export function closeThread() {
  if (!state.thread) return;
  state.thread = null;
  byId("thread").hidden = true;
  document.body.classList.remove("has-thread");
  fill(byId("thread"));
  emit("thread-closed");
}

export async function loadThread() {
  const at = state.thread;
  if (!at) return;
  const answer = await get("messages", { channel: at.channel, thread_ts: at.ts, limit: 500 });
  if (state.thread !== at) return;
  if (!answer.ok) return closeThread();
  state.threads.set(threadKey(at.channel, at.ts), new Map(answer.messages.map((message) => [message.ts, message])));
  draw();
}

function build() {
  const { channel, ts } = state.thread;
  const room = channelOf(channel);
  const label = room?.type === "im" ? channelTitle(room) : `#${channelTitle(room)}`;
  list = new MessageList({ channel, inThread: true, label: "Thread" });
  composer = room?.is_member ? new Composer({ channel, threadTs: ts, placeholder: "Reply…" }) : null;
  foot = el("div.over-composer");
  fill(byId("thread"),
    el("header.pane-head", {}, el("div.pane-line", {}, el("h2.pane-title", {}, "Thread", el("small", {}, label)), el("span.grow"),
      el("button.icon-button", { type: "button", "aria-label": "Close thread", title: "Close (Esc)", onclick: closeThread }, icon("close")))),
    list.node, foot, composer?.node);
  byId("thread").hidden = false;
  document.body.classList.add("has-thread");
}

function draw() {
  const at = state.thread;
  const messages = at && state.threads.get(threadKey(at.channel, at.ts));
  if (!messages || !list) return;
  const sorted = [...messages.values()].sort((one, other) => Number(one.ts) - Number(other.ts));
  const count = sorted.filter((message) => message.ts !== at.ts).length;
  list.list.dataset.count = String(count);
  list.show(sorted);
  dividerAfterParent(count);
  drawFoot();
}

function dividerAfterParent(count) {
  list.list.querySelector(".reply-count")?.remove();
  const parent = list.rows.get(state.thread.ts)?.node;
  if (parent && count) parent.after(el("div.reply-count", {}, count === 1 ? "1 reply" : `${count} replies`));
}

function drawFoot() {
  const at = state.thread;
  if (at && foot) fill(foot, promptsNode(at.channel, at.ts), statusNode(state.statuses.get(threadKey(at.channel, at.ts))));
}

on("thread", (channel, ts) => state.thread?.channel === channel && state.thread?.ts === ts && draw());
on("status", drawFoot);
on("open-thread", (channel, ts) => openThread(channel, ts));
on("sent", (where) => where.threadTs && list?.toBottom());
on("focus-last", (where) => where.threadTs && list?.focusLast());
