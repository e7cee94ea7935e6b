// The bar that appears over a message, reactions, and the emoji picker.

import { append, el, fill } from "./dom.js";
import { emoji, emojiGroups, emojiNode, searchEmoji } from "./emoji.js";
import { icon } from "./icons.js";
import { post } from "./api.js";
import { closePopover, openMenu, openPopover, toast } from "./layer.js";
import { emit, on, state } from "./state.js";

const QUICK = ["white_check_mark", "eyes", "raised_hands"];

export function messageToolbar(message, where) {
  const tool = (label, glyph, act) => el("button.tool", { type: "button", "aria-label": label, title: label, tabindex: "-1", onclick: act }, glyph);
  const threadTs = message.thread_ts || message.ts;
  const bar = el("div.message-tools", { role: "toolbar", "aria-label": "Message actions" },
    QUICK.map((code) => tool(`React with ${code.replace(/_/g, " ")}`, emojiNode(code), () => react(where.channel, message, code))),
    tool("Find another reaction", icon("smile"), (event) => pickReaction(event.currentTarget, where.channel, message)),
    !where.inThread && tool("Reply in thread", icon("thread"), () => emit("open-thread", where.channel, threadTs)),
    tool("More actions", icon("more"), (event) => moreMenu(event.currentTarget, message, where)));
  return bar;
}

function moreMenu(anchor, message, where) {
  const shortcuts = state.shortcuts.filter((one) => one.type === "message");
  const bar = anchor.closest(".message");
  bar?.classList.add("has-menu");
  openMenu(anchor, [
    { label: "Copy link", icon: "link", act: () => copy(permalink(message, where), "Link copied") },
    { label: "Copy text", icon: "copy", act: () => copy(bar?.querySelector(".message-main")?.innerText || message.text || "", "Text copied") },
    ...(where.inThread ? [] : [{ label: "Reply in thread", icon: "thread", act: () => emit("open-thread", where.channel, message.thread_ts || message.ts) }]),
    ...(shortcuts.length ? [{ separator: true }, { heading: state.app.name }] : []),
    ...shortcuts.map((shortcut) => ({ label: shortcut.name, hint: shortcut.description, icon: "bolt", act: () => runShortcut(shortcut, where.channel, message.ts) })),
  ], { align: "end", onClose: () => bar?.classList.remove("has-menu") });
}

export async function runShortcut(shortcut, channel, ts) {
  const answer = await post("shortcuts", { callback_id: shortcut.callback_id, ...(ts ? { channel, ts } : {}) });
  if (!answer.ok) toast(`${shortcut.name} did not answer in time.`, "danger");
}

function permalink(message, where) {
  const thread = message.thread_ts && message.thread_ts !== message.ts ? `?thread_ts=${message.thread_ts}` : "";
  return `${location.origin}/#/${where.channel}/p${message.ts.replace(".", "")}${thread}`;
}

async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    toast(said);
  } catch {
    toast("The browser does not let this page copy.", "danger");
  }
}

export async function react(channel, message, name) {
  const mine = (message.reactions || []).find((one) => one.name === name)?.users.includes(state.person);
  const answer = await post("reactions", { channel, ts: message.ts, name, ...(mine ? { remove: true } : {}) });
  if (!answer.ok && !["already_reacted", "no_reaction"].includes(answer.error)) toast(answer.message, "danger");
}

function pickReaction(anchor, channel, message) {
  const row = anchor.closest(".message");
  row?.classList.add("has-menu");
  openEmojiPicker(anchor, (code) => react(channel, message, code), () => row?.classList.remove("has-menu"));
}

on("pick-reaction", pickReaction);

/** @param {(code: string) => void} picked */
export function openEmojiPicker(anchor, picked, onClose) {
  const search = el("input.field", { type: "text", placeholder: "Search emoji", "aria-label": "Search emoji", autofocus: true });
  const grid = el("div.emoji-grid");
  const one = (code) => el("button.emoji-choice", { type: "button", title: `:${code}:`, "aria-label": code.replace(/_/g, " "), onclick: () => { closePopover(); picked(code); } }, emoji.get(code));
  const draw = () => {
    const query = search.value.trim().replace(/:/g, "");
    if (query) {
      const found = searchEmoji(query, 60);
      fill(grid, found.length ? el("div.emoji-row", {}, found.map(one)) : el("p.options-empty", {}, "No emoji of that name"));
      return;
    }
    fill(grid);
    for (const group of emojiGroups) append(grid, [el("div.menu-heading", {}, group.name), el("div.emoji-row", {}, group.codes.map(one))]);
  };
  search.addEventListener("input", draw);
  search.addEventListener("keydown", (event) => event.key === "Enter" && grid.querySelector("button")?.click());
  draw();
  openPopover(anchor, [search, grid], { className: "popover-emoji", align: "end", onClose });
}
