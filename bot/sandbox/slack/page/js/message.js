// One message: who, when, what, and what can be done with it.

import { el, link, localImage } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./chips.js";
import { blockList } from "./blocks.js";
import { emojiNode, onlyEmoji } from "./emoji.js";
import { fileCard } from "./files.js";
import { mrkdwn, textNodes } from "./mrkdwn.js";
import { Surface } from "./actions.js";
import { messageToolbar, react } from "./message_actions.js";
import { ago, clock, fullTime, plural } from "./time.js";
import { authorOf, emit, state, userName } from "./state.js";

/**
 * @param {any} message
 * @param {{channel: string, grouped?: boolean, inThread?: boolean}} where
 */
export function messageNode(message, where) {
  const author = authorOf(message);
  const surface = new Surface({ type: "message", channel: where.channel, ts: message.ts, ...(message.ephemeral ? { ephemeral: true } : {}) }, "message");
  const node = el("article.message", {
    tabindex: "-1", id: `m-${where.inThread ? "t-" : ""}${message.ts}`, data: { ts: message.ts },
    class: [where.grouped && "is-grouped", message.ephemeral && "is-ephemeral", message.streaming && "is-streaming", message.pinned && "is-pinned"].filter(Boolean).join(" "),
    "aria-label": `${author.name}, ${fullTime(message.ts)}`,
  });
  node.append(
    el("div.message-gutter", {}, where.grouped ? el("time.gutter-time", { title: fullTime(message.ts) }, clock(message.ts).replace(/ [AP]M$/, "")) : authorAvatar(author)),
    el("div.message-main", {}, notes(message), where.grouped ? null : head(message, author, where), body(message, surface), reactions(message, where), threadLine(message, where)));
  if (!message.ephemeral) node.append(messageToolbar(message, where));
  return node;
}

function authorAvatar(author) {
  if (author.emoji) return el("span.avatar.size-m.avatar-emoji", {}, emojiNode(author.emoji.replace(/:/g, "")));
  if (author.id && !author.isApp) return el("button.avatar-button", { type: "button", tabindex: "-1", "aria-label": `Profile of ${author.name}`, onclick: (event) => emit("profile", author.id, event.currentTarget) }, avatar(author.id, author.name));
  return avatar(author.isApp ? state.app.bot_user_id : author.id, author.name);
}

function notes(message) {
  return [
    message.ephemeral && el("div.message-note", {}, icon("eye"), "Only visible to you"),
    message.pinned && el("div.message-note.is-pin", {}, icon("pin"), "Pinned"),
    message.subtype === "thread_broadcast" && el("div.message-note", {}, icon("thread"), "replied to a thread"),
  ];
}

function head(message, author, where) {
  const name = author.isApp
    ? el("button.message-author", { type: "button", onclick: () => emit("go-home") }, author.name)
    : el("button.message-author", { type: "button", onclick: (event) => emit("profile", author.id, event.currentTarget) }, author.name);
  return el("div.message-head", {}, name, author.isApp && el("span.app-badge", {}, "APP"),
    el("a.message-time", { href: `#/${where.channel}/p${message.ts.replace(".", "")}${where.inThread && message.thread_ts ? `?thread_ts=${message.thread_ts}` : ""}`, title: fullTime(message.ts) }, clock(message.ts)));
}

function body(message, surface) {
  const parts = [];
  const edited = message.edited ? el("span.edited", { title: message.edited.ts ? fullTime(message.edited.ts) : null }, " (edited)") : null;
  if (message.blocks?.length) parts.push(blockList(message.blocks, surface), edited);
  else if (message.text) parts.push(el("div.message-text.prose", { class: onlyEmoji(message.text) ? "is-big" : "" }, mrkdwn(message.text), edited));
  if (message.streaming) parts.push(el("span.caret", { "aria-label": "still writing" }));
  parts.push(...(message.attachments || []).map((one) => attachment(one, surface)));
  if (message.files?.length) parts.push(el("div.files", {}, message.files.map(fileCard)));
  if (message.ephemeral) parts.push(el("button.link-button.dismiss", { type: "button", onclick: () => emit("dismiss", message) }, "Dismiss message"));
  return parts;
}

const NAMED_COLORS = { good: "#2eb67d", warning: "#ecb22e", danger: "#e01e5a" };

function attachment(one, surface) {
  const color = NAMED_COLORS[one.color] || (/^#?[0-9a-f]{6}$/i.test(one.color || "") ? `#${one.color.replace("#", "")}` : "");
  return el("div.attachment", color ? { vars: { bar: color } } : {},
    one.pretext && el("div.prose.pretext", {}, mrkdwn(one.pretext)),
    el("div.attachment-body", {},
      one.author_name && el("div.attachment-author", {}, one.author_link ? link(one.author_link, one.author_name) : one.author_name),
      one.title && el("div.attachment-title", {}, one.title_link ? link(one.title_link, textNodes(one.title)) : textNodes(one.title)),
      one.text && el("div.prose", {}, mrkdwn(one.text)),
      one.fields?.length && el("div.attachment-fields", {}, one.fields.map((field) => el("div", { class: field.short ? "is-short" : "" }, el("b", {}, textNodes(field.title)), el("div.prose", {}, mrkdwn(field.value))))),
      one.blocks?.length && blockList(one.blocks, surface),
      one.image_url && (localImage(one.image_url) ? el("img.picture.picture-full", { src: localImage(one.image_url), alt: one.fallback || "" }) : link(one.image_url, one.fallback || one.image_url)),
      (one.footer || one.ts) && el("small.attachment-foot", {}, [one.footer, one.ts && ago(one.ts)].filter(Boolean).join(" · "))));
}

function reactions(message, where) {
  if (!message.reactions?.length) return null;
  return el("div.reactions", {}, message.reactions.map((reaction) => {
    const mine = reaction.users.includes(state.person);
    const names = reaction.users.map((id) => (id === state.person ? "You" : userName(id))).join(", ");
    return el("button.reaction", {
      type: "button", class: mine ? "is-mine" : "", "aria-pressed": String(mine), title: `${names} reacted with :${reaction.name}:`,
      "aria-label": `${reaction.name}, ${plural(reaction.count ?? reaction.users.length, "reaction")}`,
      onclick: () => react(where.channel, message, reaction.name),
    }, emojiNode(reaction.name), el("span", {}, reaction.count ?? reaction.users.length));
  }), el("button.reaction.add", { type: "button", "aria-label": "Add a reaction", onclick: (event) => emit("pick-reaction", event.currentTarget, where.channel, message) }, icon("smile")));
}

function threadLine(message, where) {
  if (where.inThread || !message.reply_count) return null;
  const people = (message.reply_users || []).slice(0, 4);
  return el("button.thread-line", { type: "button", onclick: () => emit("open-thread", where.channel, message.ts) },
    el("span.thread-faces", {}, people.map((id) => avatar(id, userName(id), "xs"))),
    el("span.thread-count", {}, message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`),
    el("span.thread-when", {}, message.latest_reply ? `Last reply ${ago(message.latest_reply)}` : ""),
    icon("right"));
}
