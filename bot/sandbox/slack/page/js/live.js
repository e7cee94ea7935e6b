// News from the workspace: what happened since, applied to what this page knows.

import { announce, debounce } from "./dom.js";
import { get, post } from "./api.js";
import { authorOf, botRoom, channelOf, channelTitle, emit, isReply, state, threadKey } from "./state.js";

const dismissed = new Set(JSON.parse(sessionStorage.getItem("dismissed") || "[]"));

const mapOf = (channel) => state.messages.get(channel);
const threadOf = (channel, ts) => state.threads.get(threadKey(channel, ts));

/** Read the newest messages of a channel; what is shown of other channels stays. */
export async function loadMessages(channel) {
  const answer = await get("messages", { channel, limit: 80 });
  if (!answer.ok) return false;
  state.messages.set(channel, new Map(answer.messages.filter((message) => !dismissed.has(message.ts)).map((message) => [message.ts, message])));
  state.hasMore.set(channel, answer.has_more);
  return true;
}

export function dismiss(message) {
  dismissed.add(message.ts);
  sessionStorage.setItem("dismissed", JSON.stringify([...dismissed].slice(-300)));
  drop(message.channel || state.place.channel, message.ts);
}

function drop(channel, ts) {
  mapOf(channel)?.delete(ts);
  for (const [key, messages] of state.threads) {
    if (!key.startsWith(`${channel} `) || !messages.delete(ts)) continue;
    emit("thread", channel, key.split(" ")[1]);
  }
  emit("messages", channel);
}

function put(channel, message, isNew) {
  if (dismissed.has(message.ts)) return;
  const threadTs = message.thread_ts || message.ts;
  const inThread = threadOf(channel, threadTs);
  if (inThread) {
    inThread.set(message.ts, message);
    emit("thread", channel, threadTs);
  }
  if (isReply(message)) return;
  const known = mapOf(channel);
  if (known && (isNew || known.has(message.ts) || !isOlderThanLoaded(known, message))) {
    known.set(message.ts, message);
    emit("messages", channel);
  }
}

const isOlderThanLoaded = (known, message) => known.size > 0 && Number(message.ts) < Number(known.keys().next().value);

const isLooking = (channel) => state.place.kind === "channel" && state.place.channel === channel && document.visibilityState === "visible";

function count(channel, message) {
  const room = channelOf(channel);
  if (!room || isReply(message) || message.user === state.person) return;
  if (isLooking(channel)) return markRead(channel, message.ts);
  const named = room.type === "im" || (message.text || "").includes(`<@${state.person}>`);
  state.channels.set(channel, { ...room, unread: (room.unread || 0) + 1, mentions: (room.mentions || 0) + (named ? 1 : 0) });
  emit("sidebar");
}

const sendMark = debounce(250, (channel, ts) => post("mark", { channel, ts }));

export function markRead(channel, ts) {
  const room = channelOf(channel);
  const last = ts || [...(mapOf(channel)?.values() || [])].filter((message) => !message.ephemeral).at(-1)?.ts;
  if (room?.unread || room?.mentions) {
    state.channels.set(channel, { ...room, unread: 0, mentions: 0 });
    emit("sidebar");
  }
  if (last && room?.is_member) sendMark(channel, last);
}

function saidAloud(channel, message) {
  if (!isLooking(channel) || message.user === state.person) return;
  announce(`${authorOf(message).name}${message.ephemeral ? ", only to you" : ""}: ${(message.text || "new message").slice(0, 200)}`);
}

const NEWS = {
  message: ({ channel, message }) => {
    put(channel, message, true);
    clearStatus(channel, message);
    count(channel, message);
    saidAloud(channel, message);
  },
  message_changed: ({ channel, message }) => put(channel, message, false),
  stream: ({ channel, message }) => put(channel, message, false),
  reaction: ({ channel, message }) => put(channel, message, false),
  message_deleted: ({ channel, ts }) => drop(channel, ts),
  ephemeral: ({ channel, message }) => {
    put(channel, message, true);
    saidAloud(channel, message);
    const thread = isReply(message) && !(state.thread?.channel === channel && state.thread.ts === message.thread_ts);
    if (thread) emit("toast", `${authorOf(message).name} answered in a thread, only to you.`);
    else if (!isLooking(channel)) emit("toast", `${authorOf(message).name} answered you in ${channelOf(channel)?.type === "im" ? "its messages" : `#${channelTitle(channelOf(channel))}`}.`);
  },
  ephemeral_deleted: ({ channel, ts }) => drop(channel, ts),
  channel: ({ channel }) => {
    const looking = isLooking(channel.id) && channelOf(channel.id)?.is_member;
    state.channels.set(channel.id, looking ? { ...channel, unread: 0, mentions: 0 } : channel);
    emit("channel", channel.id);
  },
  view: ({ view, stack }) => {
    state.stack = stack || [view];
    emit("modal");
  },
  view_closed: ({ view_id: id }) => {
    state.stack = state.stack.filter((view) => view.id !== id);
    emit("modal");
  },
  home: ({ view }) => {
    state.home = view;
    emit("home");
  },
  status: ({ channel, thread_ts: ts, status }) => setStatus(channel, ts, status),
  app: ({ connected }) => {
    state.app = { ...state.app, connected };
    emit("app");
  },
  notice: ({ channel, text }) => emit("notice", channel, text),
  suggested_prompts: ({ channel, thread_ts: ts, title, prompts }) => {
    for (const key of keysFor(channel, ts)) state.prompts.set(key, { title, prompts });
    emit("status");
  },
};

/** In the app's own conversation a status of a thread also stands at the foot of the conversation. */
const keysFor = (channel, ts) => (channel === botRoom()?.id ? [threadKey(channel, ts), threadKey(channel, "")] : [threadKey(channel, ts)]);

function setStatus(channel, ts, status) {
  for (const key of keysFor(channel, ts)) status ? state.statuses.set(key, status) : state.statuses.delete(key);
  emit("status");
}

/** The app's answer ends its status, as in Slack. */
function clearStatus(channel, message) {
  if (message.bot_id) setStatus(channel, message.thread_ts, "");
}

export function hear(event) {
  NEWS[event.type]?.(event);
}
