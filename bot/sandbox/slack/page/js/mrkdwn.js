// Slack's mrkdwn as nodes. What people and apps wrote becomes text nodes, links of known kinds, and nothing else.

import { el, link } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { channelChip, groupChip, specialChip, userChip } from "./chips.js";
import { tokenTime } from "./time.js";

export const unescape = (text) =>
  String(text ?? "").replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&amp;/g, "&");

/** plain_text: emoji when wanted, else as it stands. */
export const plain = (text) => withEmoji(unescape(text));

/** A text object ({type, text}) or a string, as nodes. */
export function textNodes(text) {
  if (!text) return [];
  if (typeof text === "string") return plain(text);
  return text.type === "mrkdwn" ? mrkdwn(text.text, text.verbatim) : text.emoji === false ? [unescape(text.text)] : plain(text.text);
}

/**
 * @param {string} text
 * @param {boolean} [verbatim]  without it, bare addresses become links
 * @returns {(Node|string)[]}
 */
export function mrkdwn(text, verbatim = false) {
  const nodes = [];
  const parts = String(text ?? "").split(/```/);
  // An odd number of fences leaves the last one as it was written.
  if (parts.length % 2 === 0) parts.push(`${"```"}${parts.pop()}`, "");
  parts.forEach((part, index) => {
    if (index % 2) nodes.push(el("pre.code-block", {}, preformatted(part)));
    else if (part) nodes.push(...paragraphs(index ? part.replace(/^\n/, "") : part, verbatim));
  });
  return nodes;
}

const preformatted = (part) => unescape(withoutAngles(part).replace(/^\n/, "").replace(/\n$/, ""));
const withoutAngles = (text) => text.replace(/<([^<>|\n]+)(?:\|([^<>\n]*))?>/g, (_, target, label) => label || target.replace(/^mailto:/, ""));

function paragraphs(text, verbatim) {
  const nodes = [];
  let quote = null;
  text.split("\n").forEach((line, index) => {
    const quoted = line.match(/^(?:&gt;|>) ?(.*)$/);
    if (quoted) {
      if (!quote) nodes.push((quote = el("blockquote")));
      else quote.append(el("br"));
      quote.append(...asNodes(inline(quoted[1], verbatim)));
      return;
    }
    if (index > 0 && !quote) nodes.push(el("br"));
    quote = null;
    const item = line.match(/^(\s*)([•◦▪]|\d+\.|[-*](?= ))\s+(.*)$/);
    if (item) nodes.push(...listItem(item, verbatim, nodes));
    else nodes.push(...inline(line, verbatim));
  });
  return nodes;
}

function listItem([, indent, mark, rest], verbatim, before) {
  if (before.at(-1)?.tagName === "BR") before.pop();
  const bullet = /\d/.test(mark) ? mark : "•";
  const depth = Math.min(4, Math.floor(indent.length / 2));
  return [el("span.md-item", { vars: { depth } }, el("span.md-bullet", {}, bullet), el("span", {}, inline(rest, verbatim)))];
}

const asNodes = (parts) => parts.map((part) => (part instanceof Node ? part : document.createTextNode(part)));

// The marks must hug their text and stand free, as in Slack: "a*b*c" is no bold.
const STYLES = [
  { mark: "*", tag: "strong" },
  { mark: "_", tag: "em" },
  { mark: "~", tag: "s" },
];
const TOKEN = /`([^`\n]+)`|<([^<>\n|]+)(?:\|([^<>\n]*))?>/;

/** One line, without blocks. */
export function inline(text, verbatim = false, depth = 0) {
  if (!text || depth > 6) return text ? [unescape(text)] : [];
  const styled = firstStyle(text);
  const token = TOKEN.exec(text);
  if (styled && (!token || styled.start < token.index)) {
    return [
      ...inline(text.slice(0, styled.start), verbatim, depth + 1),
      el(styled.tag, {}, inline(text.slice(styled.start + 1, styled.end), verbatim, depth + 1)),
      ...inline(text.slice(styled.end + 1), verbatim, depth),
    ];
  }
  if (token) {
    const made = token[1] !== undefined ? el("code", {}, unescape(withoutAngles(token[1]))) : angled(token[2], token[3]);
    return [...words(text.slice(0, token.index), verbatim), made, ...inline(text.slice(token.index + token[0].length), verbatim, depth)];
  }
  return words(text, verbatim);
}

function firstStyle(text) {
  let best = null;
  for (const { mark, tag } of STYLES) {
    const found = spanOf(text, mark);
    if (found && (!best || found.start < best.start)) best = { ...found, tag };
  }
  return best;
}

const WORD = /[\p{L}\p{N}]/u;

function spanOf(text, mark) {
  const covered = coveredRanges(text);
  const inside = (at) => covered.some(([from, to]) => at > from && at < to);
  for (let start = text.indexOf(mark); start >= 0; start = text.indexOf(mark, start + 1)) {
    if (inside(start) || WORD.test(text[start - 1] || " ") || !text[start + 1] || /\s/.test(text[start + 1]) || text[start + 1] === mark) continue;
    for (let end = text.indexOf(mark, start + 2); end >= 0; end = text.indexOf(mark, end + 1)) {
      if (inside(end) || /\s/.test(text[end - 1]) || WORD.test(text[end + 1] || " ")) continue;
      return { start, end };
    }
  }
  return null;
}

/** Where code and angle brackets stand: marks inside them are no marks. */
function coveredRanges(text) {
  const ranges = [];
  const finder = new RegExp(TOKEN, "g");
  for (let found = finder.exec(text); found; found = finder.exec(text)) ranges.push([found.index, found.index + found[0].length - 1]);
  return ranges;
}

function angled(target, label) {
  const kind = target[0];
  if (kind === "@") return userChip(target.slice(1), label);
  if (kind === "#") return channelChip(target.slice(1), label);
  if (target.startsWith("!subteam^")) return groupChip(target.slice(9), label);
  if (target.startsWith("!date^")) return dateToken(target, label);
  if (kind === "!") return specialChip(target.slice(1), label);
  return link(unescape(target), label ? plain(label) : unescape(target).replace(/^mailto:/, ""));
}

function dateToken(target, fallback) {
  const [, seconds, pattern, address] = target.split("^");
  const shown = tokenTime(seconds, pattern || "{date}", unescape(fallback));
  const node = el("time.date-token", { title: unescape(fallback) }, shown);
  return address ? link(address, node) : node;
}

const BARE = /\b(?:https?:\/\/|mailto:)[^\s<>"'`]+[^\s<>"'`.,;:!?)\]}]/g;

function words(text, verbatim) {
  if (verbatim) return plain(text);
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(BARE)) {
    nodes.push(...plain(text.slice(at, found.index)), link(unescape(found[0]), unescape(found[0])));
    at = found.index + found[0].length;
  }
  return [...nodes, ...plain(text.slice(at))];
}
