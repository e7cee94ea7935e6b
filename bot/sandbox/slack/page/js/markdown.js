// The markdown block: the part of CommonMark that Slack draws (headings, lists, code, tables, quotes, rules, links), as nodes.

import { el, link } from "./dom.js";
import { plain, unescape } from "./mrkdwn.js";

/** @param {string} text  @returns {Node[]} */
export function markdown(text) {
  return blocksOf(String(text ?? "").replace(/\r\n?/g, "\n").split("\n"), 0);
}

const FENCE = /^ {0,3}(```+|~~~+)\s*([\w+-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const SEPARATOR = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

function blocksOf(lines, depth) {
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    const taken = blockAt(lines, at, depth);
    if (taken.node) nodes.push(taken.node);
    at = Math.max(taken.next, at + 1);
  }
  return nodes;
}

function blockAt(lines, at, depth) {
  const line = lines[at];
  if (!line.trim()) return { next: at + 1 };
  if (FENCE.test(line)) return fenced(lines, at);
  const heading = HEADING.exec(line);
  if (heading) return { node: el(`h${heading[1].length}.md-heading`, {}, span(heading[2])), next: at + 1 };
  if (RULE.test(line)) return { node: el("hr"), next: at + 1 };
  if (/^ {0,3}>/.test(line)) return quoted(lines, at, depth);
  if (ITEM.test(line) && depth < 8) return listed(lines, at, depth);
  if (line.includes("|") && SEPARATOR.test(lines[at + 1] || "") && lines[at + 1].includes("-")) return tabled(lines, at);
  return paragraph(lines, at);
}

function fenced(lines, at) {
  const fence = FENCE.exec(lines[at])[1];
  let end = at + 1;
  while (end < lines.length && !lines[end].trim().startsWith(fence)) end += 1;
  return { node: el("pre.code-block", {}, lines.slice(at + 1, end).join("\n")), next: end + 1 };
}

function quoted(lines, at, depth) {
  const inner = [];
  let end = at;
  while (end < lines.length && /^ {0,3}>/.test(lines[end])) inner.push(lines[end++].replace(/^ {0,3}> ?/, ""));
  return { node: el("blockquote", {}, depth < 8 ? blocksOf(inner, depth + 1) : inner.join("\n")), next: end };
}

function listed(lines, at, depth) {
  const [, indent, mark] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(mark);
  const list = el(ordered ? "ol" : "ul", ordered ? { start: Number.parseInt(mark, 10) } : {});
  let end = at;
  while (end < lines.length) {
    const item = ITEM.exec(lines[end]);
    if (!item || item[1].length < indent.length || /\d/.test(item[2]) !== ordered) break;
    const inner = [item[3]];
    const deeper = item[1].length + item[2].length + 1;
    end += 1;
    while (end < lines.length && continues(lines, end, indent.length)) inner.push(lines[end++].replace(new RegExp(`^\\s{0,${deeper}}`), ""));
    list.append(itemOf(inner, depth));
  }
  return { node: list, next: end };
}

/** A line that is indented, or blank before an indented one, belongs to the item above. */
function continues(lines, at, indent) {
  const follows = (line) => line !== undefined && line.trim() !== "" && line.search(/\S/) > indent;
  return lines[at].trim() ? follows(lines[at]) : follows(lines[at + 1]);
}

function itemOf(inner, depth) {
  const task = /^\[([ xX])\]\s+(.*)$/.exec(inner[0]);
  const item = el("li", { class: task ? "md-task" : "" });
  if (task) item.append(el("span.md-check", { "aria-hidden": "true" }, task[1] === " " ? "☐" : "☑"));
  item.append(el("span", {}, span(task ? task[2] : inner[0])), ...blocksOf(inner.slice(1), depth + 1));
  return item;
}

const cellsOf = (line) => line.trim().replace(/^\|/, "").replace(/\|$/, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));

function tabled(lines, at) {
  const sides = cellsOf(lines[at + 1]).map((mark) => (mark.endsWith(":") ? (mark.startsWith(":") ? "center" : "right") : "left"));
  const row = (line, tag) => el("tr", {}, cellsOf(line).map((cell, index) => el(tag, { class: `align-${sides[index] || "left"}` }, span(cell))));
  const body = [];
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|") && lines[end].trim()) body.push(row(lines[end++], "td"));
  const table = el("table.grid", {}, el("thead", {}, row(lines[at], "th")), el("tbody", {}, body));
  return { node: el("div.table-scroll", {}, table), next: end };
}

function paragraph(lines, at) {
  const inner = [lines[at]];
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !starts(lines[end])) inner.push(lines[end++]);
  const node = el("p");
  inner.forEach((line, index) => node.append(...(index ? [el("br")] : []), ...nodesOf(line)));
  return { node, next: end };
}

const starts = (line) => FENCE.test(line) || HEADING.test(line) || /^ {0,3}>/.test(line) || ITEM.test(line) || RULE.test(line);
const nodesOf = (line) => span(line).map((part) => (part instanceof Node ? part : document.createTextNode(part)));

const SPANS = [
  { find: /`+([^`]+)`+/, make: (found) => el("code", {}, found[1]) },
  { find: /!\[([^\]\n]*)\]\(([^()\s]+)(?:\s+"[^"]*")?\)/, make: (found) => link(found[2], found[1] || found[2]) },
  { find: /\[([^\]\n]+)\]\(<?([^()\s<>]+(?:\([^()\s]*\)[^()\s]*)?)>?(?:\s+"[^"]*")?\)/, make: (found, deep) => link(found[2], deep(found[1])) },
  { find: /<(https?:\/\/[^\s<>]+|mailto:[^\s<>]+)>/, make: (found) => link(found[1], found[1]) },
  { find: /\*\*(?=\S)(.+?)(?<=\S)\*\*/, make: (found, deep) => el("strong", {}, deep(found[1])) },
  { find: /(?<![\w_])__(?=\S)(.+?)(?<=\S)__(?![\w_])/, make: (found, deep) => el("strong", {}, deep(found[1])) },
  { find: /~~(?=\S)(.+?)(?<=\S)~~/, make: (found, deep) => el("s", {}, deep(found[1])) },
  { find: /\*(?=[^\s*])(.+?)(?<=[^\s*])\*/, make: (found, deep) => el("em", {}, deep(found[1])) },
  { find: /(?<!\w)_(?=[^\s_])(.+?)(?<=[^\s_])_(?!\w)/, make: (found, deep) => el("em", {}, deep(found[1])) },
  { find: /\bhttps?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)\]}*_]/, make: (found) => link(found[0], found[0]) },
  { find: /\\([\\`*_{}[\]()#+\-.!|~>])/, make: (found) => document.createTextNode(found[1]) },
];

/** Inline marks; the earliest wins, and code before all else. */
function span(text, depth = 0) {
  if (!text) return [];
  if (depth > 8) return [text];
  let best = null;
  for (const { find, make } of SPANS) {
    const found = find.exec(text);
    if (found && (!best || found.index < best.found.index)) best = { found, make };
  }
  if (!best) return plain(unescape(text));
  const { found, make } = best;
  const node = make(found, (inner) => span(inner, depth + 1));
  return [...plain(text.slice(0, found.index)), node, ...span(text.slice(found.index + found[0].length), depth)];
}
