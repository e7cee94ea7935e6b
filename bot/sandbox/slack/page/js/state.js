// What this page knows of the workspace, and who wants to hear of changes.

/** @typedef {{id: string, name: string, type: "channel"|"im", is_member: boolean, topic: string, unread: number, mentions: number}} Channel */

export const state = {
  person: "", team: {}, me: null, users: new Map(), channels: new Map(), commands: [], shortcuts: [], app: {},
  switches: {}, panel: [],
  /** channel id -> Map of ts -> message, parents only */
  messages: new Map(),
  /** "channel ts" -> Map of ts -> message, the parent first */
  threads: new Map(),
  hasMore: new Map(),
  /** where the reader is */
  place: { kind: "channel", channel: "" },
  thread: null,
  highlighted: "",
  /** open modals, the topmost last */
  stack: [],
  home: null,
  statuses: new Map(), prompts: new Map(), notices: new Map(),
  /** channel id -> ts up to which it was read when it was opened */
  newLine: new Map(),
  link: "connecting",
};

const listeners = new Map();

/** @param {string} topic  @param {(…given: any[]) => void} listener */
export function on(topic, listener) {
  if (!listeners.has(topic)) listeners.set(topic, []);
  listeners.get(topic).push(listener);
}

export function emit(topic, ...given) {
  for (const listener of listeners.get(topic) || []) listener(...given);
}

export const threadKey = (channel, ts) => `${channel} ${ts || ""}`;
export const userOf = (id) => state.users.get(id);
export const channelOf = (id) => state.channels.get(id);

export function userName(id) {
  const user = userOf(id);
  return user ? user.real_name || user.name : id;
}

export const isBotRoom = (channel) => channel?.type === "im" && channel.user === state.app.bot_user_id;

export function channelTitle(channel) {
  if (!channel) return "";
  return channel.type === "im" ? userName(channel.user) : channel.name;
}

/** Channels in the order of the sidebar. */
export function sortedChannels(type) {
  return [...state.channels.values()].filter((one) => one.type === type)
    .sort((one, other) => channelTitle(one).localeCompare(channelTitle(other)));
}

export const botRoom = () => [...state.channels.values()].find(isBotRoom);

export const isReply = (message) =>
  Boolean(message.thread_ts && message.thread_ts !== message.ts && message.subtype !== "thread_broadcast");

/** Who wrote a message: what its head and its grouping need. */
export function authorOf(message) {
  const fromApp = Boolean(message.bot_id || message.bot_profile);
  const user = userOf(message.user) || (fromApp ? userOf(state.app.bot_user_id) : null);
  const name = message.username || user?.real_name || user?.name || message.user || "Unknown";
  return {
    key: `${message.user || message.bot_id || ""}|${message.username || ""}`,
    name, id: user?.id || message.user || "", color: user?.color || "616061",
    isApp: fromApp || Boolean(user?.is_bot), emoji: message.icons?.emoji || message.icon_emoji || "",
  };
}
