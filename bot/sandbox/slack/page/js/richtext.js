// The rich_text block and its elements.

import { el, link } from "./dom.js";
import { emojiNode } from "./emoji.js";
import { channelChip, groupChip, specialChip, userChip } from "./chips.js";
import { tokenTime } from "./time.js";

const BLOCKS = {
  rich_text_section: (part) => el("div.rt-section", {}, inlines(part.elements)),
  rich_text_preformatted: (part) => el("pre.code-block", { class: part.border ? "has-border" : "" }, inlines(part.elements)),
  rich_text_quote: (part) => el("blockquote", {}, inlines(part.elements)),
};

/** @returns {Node[]} */
export function richText(elements) {
  const nodes = [];
  for (const part of elements || []) {
    if (part.type === "rich_text_list") addList(nodes, part);
    else nodes.push((BLOCKS[part.type] || BLOCKS.rich_text_section)(part));
  }
  return nodes;
}

const MARKERS = { ordered: ["decimal", "lower-alpha", "lower-roman"], bullet: ["disc", "circle", "square"] };

function addList(nodes, part) {
  const indent = Math.max(0, Math.min(8, part.indent || 0));
  const kind = part.style === "ordered" ? "ordered" : "bullet";
  const list = el(kind === "ordered" ? "ol.rt-list" : "ul.rt-list", {
    class: `marker-${MARKERS[kind][indent % 3]}${part.border ? " has-border" : ""}`,
    vars: { depth: indent }, start: kind === "ordered" && part.offset ? part.offset + 1 : null,
  });
  for (const item of part.elements || []) list.append(el("li", {}, inlines(item.elements)));
  nodes.push(list);
}

const inlines = (elements) => (elements || []).map(inlineNode);

function inlineNode(part) {
  const made = MAKERS[part.type] ? MAKERS[part.type](part) : document.createTextNode(part.text || "");
  return styled(made, part.style);
}

const MAKERS = {
  text: (part) => document.createTextNode(part.text ?? ""),
  link: (part) => link(part.url, part.text || part.url),
  user: (part) => userChip(part.user_id),
  usergroup: (part) => groupChip(part.usergroup_id),
  channel: (part) => channelChip(part.channel_id),
  team: (part) => specialChip(part.team_id || "team"),
  broadcast: (part) => specialChip(part.range || "here"),
  emoji: (part) => (part.unicode && !part.name ? document.createTextNode(fromCodePoints(part.unicode)) : emojiNode(part.name)),
  color: (part) => colorSwatch(part.value),
  date: (part) => dateNode(part),
};

function fromCodePoints(unicode) {
  const points = unicode.split("-").map((point) => Number.parseInt(point, 16));
  return points.every((point) => point > 0 && point <= 0x10ffff) ? String.fromCodePoint(...points) : "";
}

function colorSwatch(value) {
  const known = /^#[0-9a-f]{3,8}$/i.test(value || "");
  return el("span.color-token", {}, value, known && el("span.color-swatch", { vars: { swatch: value }, "aria-hidden": "true" }));
}

function dateNode(part) {
  const shown = tokenTime(part.timestamp, part.format || "{date}", part.fallback);
  const node = el("time.date-token", { title: part.fallback || null }, shown);
  return part.url ? link(part.url, node) : node;
}

const TAGS = { bold: "strong", italic: "em", strike: "s", underline: "u", code: "code", highlight: "mark", client_highlight: "mark" };

function styled(node, style = {}) {
  return Object.entries(TAGS).reduce((inner, [name, tag]) => (style[name] ? el(tag, {}, inner) : inner), node);
}
